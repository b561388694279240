"""What is read, and what is said where it cannot be."""

from pathlib import Path

import pytest

from src.base import paths, storage
from src.base.errors import DataError
from src.page import evidence
from src.page.evidence import read_points


def test_points_are_records_and_an_empty_cell_is_none(tmp_path: Path) -> None:
    """A fold of one class has no AUC."""
    (tmp_path / "fold_auc.csv").write_text("fold,ensemble\n1,\n2,0.75\n")
    assert read_points(tmp_path / "fold_auc.csv") == [{"fold": 1, "ensemble": None}, {"fold": 2, "ensemble": 0.75}]


def test_a_missing_plot_names_the_command(tmp_path: Path) -> None:
    """It is the pipeline's to make."""
    with pytest.raises(DataError, match=r"fold_auc\.csv: cannot be read .*; run `dvc repro` to make it"):
        read_points(tmp_path / "fold_auc.csv")


@pytest.mark.parametrize("counted", [{}, {"in_training": 0}], ids=["an earlier one", "one that counts them"])
def test_a_look_that_may_have_scored_training_bars_is_not_shown(
    counted: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports of before the count tell nothing that can be trusted."""
    monkeypatch.setattr(paths, "MONITOR", tmp_path / "monitor.json")
    storage.write_json({"predictions": 720, "judgements": [], **counted}, paths.MONITOR)
    assert bool(evidence._read_look()) == bool(counted)
