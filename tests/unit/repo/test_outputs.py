"""What git sees beside the outputs of the pipeline."""

from pathlib import Path

import pytest
from dvc_objects.fs.utils import tmp_fname

from src.base import paths
from src.base.errors import PromotionError
from src.repo.git import git

OUTPUTS = (paths.BARS, paths.GRAPH, paths.METRICS, paths.plot("equity"))


@pytest.mark.parametrize("is_named", [True, False], ids=["named after it", "random alone"])
@pytest.mark.parametrize("output", OUTPUTS, ids=lambda path: path.name)
def test_git_ignores_what_a_killed_checkout_leaves(output: Path, *, is_named: bool) -> None:
    """DVC writes beside an output, then moves it into place; what a kill left there kept `rollback` from its work."""
    left = paths.relative(output.parent / tmp_fname(output.name if is_named else ""))
    assert git("check-ignore", "--no-index", left) == left


@pytest.mark.parametrize("name", ["notes.tmp", ".mine.tmp", "wf4agNQvt-asDL5RxwTsMw"])
def test_git_sees_what_somebody_else_left(name: str) -> None:
    """A name that DVC does not make is a change."""
    with pytest.raises(PromotionError):
        git("check-ignore", "--no-index", str(paths.METRICS.parent / name))
