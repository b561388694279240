"""No prune while another command is at work, and no other command while a prune is."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from dvc.repo import Repo

from src.base import paths
from src.base.errors import PromotionError
from src.release.transaction import exclusive
from src.repo.dvc_store import Stores
from src.repo.scratch_folder import lock_out
from src.retrain.prune import prune
from tests.growth import NOW, Weeks


@pytest.mark.parametrize(
    ("at_work", "words"),
    [
        pytest.param(lambda: lock_out("retrain"), "another retrain is at work in this clone, or a prune", id="retrain"),
        pytest.param(exclusive, "another promotion, rollback, publication or prune is at work", id="promotion"),
        pytest.param(lambda: Repo(str(paths.ROOT)).lock, "Unable to acquire lock", id="DVC"),
    ],
)
def test_it_waits_for_no_other_command(
    at_work: Callable[[], AbstractContextManager[object]], words: str, weeks: Weeks
) -> None:
    """Neither does the other: each is refused while one is at work in the clone."""
    with at_work(), pytest.raises(PromotionError, match=words):
        prune(8, dry_run=False, now=NOW)
    assert weeks.stored(["tried"]) == {"tried"}


@pytest.mark.parametrize("other", [lambda: lock_out("retrain"), exclusive], ids=["retrain", "promotion"])
def test_no_other_command_begins_meanwhile(
    other: Callable[[], AbstractContextManager[object]], weeks: Weeks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would bring back may be among what is deleted."""
    refused = []

    def begin(*_: object) -> list[str]:
        with pytest.raises(PromotionError, match=r"prune.*; nothing was changed, wait for it") as error, other():
            pass
        refused.append(error.value)
        return []

    monkeypatch.setattr(Stores, "delete", begin)
    prune(8, dry_run=False, now=NOW)
    assert len(refused) == 2
