"""What is shown of versions, and who is told of a retraining."""

from contextlib import nullcontext

import pytest

from src.base.errors import GateError, PromotionError
from src.commands import releasing
from src.commands.history_report import history_table


def test_history_leaves_a_score_that_is_not_there_empty() -> None:
    """Of a version that was made before the score was."""
    scores = {"roc_auc": {"value": None, "interval": None}, "brier_skill": {"value": 0.0625, "interval": [0.05, 0.075]}}
    version = {
        "version": "1.0.0",
        "commit": 40 * "a",
        "in_production": True,
        "promoted_at": "2020-01-01T00:00:00Z",
        "data": {"symbol": None, "timeframe": "1h", "start": None, "end": None},
        "scores": scores,
        "files": "cache",
    }
    table = history_table([version])
    assert [[*column.cells] for column in table.columns][3:5] == [[""], ["0.062\n0.050-0.075"]]


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("error", "kind"), [(GateError("no"), "warning"), (PromotionError("broken"), "failure"), (None, "success")]
)
def test_people_are_told_how_a_retraining_ended(
    error: PromotionError | None,
    kind: str,
    dry_run: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The gate's no is no failure; of a dry run nobody is told."""
    told = []
    monkeypatch.setattr(releasing, "tell_people", lambda kind, *_, unless: told.append((kind, unless)))
    with pytest.raises(type(error)) if error else nullcontext(), releasing._told(dry_run=dry_run):
        if error:
            raise error
    assert told == [(kind, dry_run)]
