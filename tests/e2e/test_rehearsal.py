"""The rehearsal of the model at work: honest rows for a monitor, and nothing touched that was there."""

import json
from pathlib import Path

import pytest

from scripts import rehearsal
from src.base import paths, tables
from src.policy import load_policy
from tests.checkouts import Checkout

SCRIPT = ("python", "scripts/rehearsal.py")


@pytest.fixture(scope="module")
def repository(promoted: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A repository that is rehearsed in."""
    return promoted.copy(tmp_path_factory.mktemp("rehearsed") / "repository")


def state(repository: Checkout) -> dict:
    """Every file of a repository, by size and time, and what git knows of it."""
    files = {
        str(file.relative_to(repository.root)): (file.stat().st_size, file.stat().st_mtime_ns)
        for file in repository.root.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    return files | {"refs": repository.run("git", "for-each-ref"), "config": repository.run("git", "config", "--list")}


def test_what_a_rehearsal_works_on(repository: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clone that can push nowhere, an earlier end, and bars whose first forecast is of the first honest bar."""
    monkeypatch.setattr(paths, "ROOT", repository.root)
    monkeypatch.setattr(rehearsal, "run_checked", lambda *_: None)
    folder = tmp_path / "rehearsal"
    rehearsal.make_clone(folder)
    assert Checkout(folder).run("git", "remote") == ""
    bars = rehearsal.move_end(folder)
    params = load_policy(folder / "params.yaml")
    assert params.data.end == bars.index[-params.monitor.window_bars]
    rehearsal.ask(folder, bars, params.data.end)
    asked = tables.read_frame(folder / rehearsal.BARS)
    assert asked.index[params.features.warm_up_bars - 1] == params.data.end
    assert asked.index[-1] == bars.index[-1]


@pytest.mark.endure  # docs/operate.md has one in `make test`
def test_a_rehearsal_scores_bars_that_the_model_never_saw(repository: Checkout) -> None:
    """As many as the monitor looks at, and none of the training; the repository stays as it is, to the file."""
    repository.run("git", "status")  # it may renew the index
    before, folder = state(repository), repository.root.parent / "rehearsal"
    said = repository.run(*SCRIPT, str(folder))
    assert "rehearsal: version 1.0.1 in" in said
    assert state(repository) == before
    rehearsed = Checkout(folder)
    assert rehearsed.run("git", "remote") == ""
    assert rehearsed.run("git", "status", "--porcelain") == ""
    rehearsed.run("bash", "-c", "python -m src monitor logs/bot.jsonl --bars logs/bars.parquet || [ $? = 1 ]")
    report = json.loads((folder / "reports" / "monitor.json").read_text())
    metadata = json.loads((folder / "models" / "production" / "production_model_metadata.json").read_text())
    assert (report["predictions"], report["in_training"], report["version"]) == (720, 0, "1.0.1")
    assert report["first_open"] == report["honest_from"] == metadata["training_info"]["honest_from"]
    # 720 bars of an hour before the end of the year, in which no bar is missing, and one for the label.
    assert report["first_open"] == "2017-12-01T23:00:00Z"


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_nothing_is_overwritten(kind: str, repository: Checkout, tmp_path: Path) -> None:
    """What is there already is left as it is, with the way on."""
    there = tmp_path / "there"
    {"folder": there.mkdir, "file": there.touch, "link": lambda: there.symlink_to("nowhere")}[kind]()
    before = there.lstat()
    said = repository.run(*SCRIPT, str(there), expect=2)
    assert said == f"error: {there} is there already; name a folder that is not, nothing is overwritten\n"
    assert there.lstat() == before


def test_the_repository_is_no_place_for_it(repository: Checkout) -> None:
    """Not by a way round either."""
    said = repository.run(*SCRIPT, "src/../rehearsal", expect=2)
    assert "lies in this repository, which is left as it is; name a folder outside, such as ../rehearsal" in said
    assert repository.run("git", "status", "--porcelain") == ""
