"""Whoever promoted with version 1.5.0 goes on with today's code, with real git and real DVC."""

import json
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import Checkout
from tests.upgrade import METADATA, json_of, keys_of, rewrite_as_by_1_5_0

BARS, LOG = "data/raw/bars.parquet", "logs/bot.jsonl"


@pytest.fixture
def upgraded(two_versions: Checkout, tmp_path: Path) -> Checkout:
    """A repository with two promotions of 1.5.0, and today's code."""
    checkout = two_versions.copy(tmp_path / "repository")
    rewrite_as_by_1_5_0(checkout)
    return checkout


def metadata_of(checkout: Checkout) -> dict:
    return json.loads((checkout.root / paths.relative(paths.METADATA)).read_text())


def test_its_promotions_are_listed_watched_and_brought_back(upgraded: Checkout) -> None:
    """Also before the pipeline ran with today's code."""
    shown = json.loads(upgraded.run("python", "-m", "src", "history", "--json"))["versions"]
    assert [(one["version"], one["files"], one["in_production"]) for one in shown] == [
        ("1.1.0", "cache", True),
        ("1.0.0", "cache", False),
    ]
    upgraded.run("python", "-m", "src", "predict", BARS, "--log", LOG)
    looked = upgraded.run("python", "-m", "src", "monitor", LOG, "--bars", BARS)
    assert "Version 1.1.0, 0 predictions with an outcome; 720 more are left out, the model was fitted" in looked
    for version in ("1.0.0", "1.1.0"):
        assert f"Version {version} is in production" in upgraded.run("python", "-m", "src", "rollback", version)
        assert metadata_of(upgraded)["version"] == version
    assert upgraded.run("git", "status", "--porcelain") == ""


@pytest.mark.endure
def test_the_pipeline_makes_the_same_model_and_the_next_one_is_promoted(upgraded: Checkout) -> None:
    """Their code moved, so stages run; `promote` finds the model that is in production already.

    The week after, metadata have every key that a bot of 1.5.0 reads.
    """
    assert "evaluate" in upgraded.repro()
    upgraded.commit("reproduced after the upgrade")
    assert "Version 1.1.0 is in production" in upgraded.run("python", "-m", "src", "promote")
    assert upgraded.run("git", "log", "-1", "--format=%s") == "reproduced after the upgrade\n"
    retrained = upgraded.run("python", "-m", "src", "retrain", "--end", "2018-01-15T00:00Z")
    assert "Version 1.1.1 is in production" in retrained
    # What a rule of the gate is called depends on what changed.
    read = {at for at in keys_of(json_of(METADATA)) if at[0] != "gate"}
    assert read <= keys_of(metadata_of(upgraded))
