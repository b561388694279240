"""The champion's window with today's code: what it is run with, and what cannot be compared."""

from dataclasses import dataclass

import pytest

from src.base import paths
from src.base.errors import DataError
from src.gate.rerun import _as_then, rerun_window
from src.repo.dvc_lock import DvcLock, read_dvc_lock


@dataclass
class Champion:
    """A revision, as far as it is asked before anything runs."""

    lock: DvcLock


def test_the_champions_values_stand_under_todays_keys() -> None:
    """A key that came since has today's value, and one that went is left out; today's code would refuse both."""
    now = {"data": {"end": "2020", "exchange": "bitbank"}, "seed": 1, "train": {"rf": {"max_depth": 12}}}
    then = {"data": {"end": "2019", "sheet": 3}, "seed": 7, "train": {"rf": {"max_depth": 9}}, "gone": True}
    assert _as_then(now, then) == {
        "data": {"end": "2019", "exchange": "bitbank"},
        "seed": 7,
        "train": {"rf": {"max_depth": 9}},
    }


def test_a_champion_without_a_graph_cannot_be_compared() -> None:
    """It was promoted before there was one; nothing is run for it."""
    lock = read_dvc_lock()
    stages = {name: stage for name, stage in lock.stages.items() if name != "ensemble"}
    with pytest.raises(DataError, match=f"the champion made no {paths.relative(paths.GRAPH)}"):
        rerun_window(Champion(DvcLock(stages=stages)))
