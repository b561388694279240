"""What git sees beside the outputs of the pipeline."""

from pathlib import Path

import pytest
from dvc_objects.fs.utils import tmp_fname

from src.base import paths
from src.base.errors import PromotionError
from src.repo.dvc_cache import cache_folder, object_file
from src.repo.dvc_lock import read_dvc_lock
from src.repo.git import git
from tests.checkouts import Checkout

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


def test_only_what_is_right_is_kept(small: Checkout, tmp_path: Path) -> None:
    """Before a checkout replaces it; what somebody changed would lie in the cache under another's name."""
    checkout = small.copy(tmp_path / "repository")
    whole, changed = (paths.relative(path) for path in (paths.GRAPH, paths.FEATURES))
    outs = {out.path: out.md5 for stage in read_dvc_lock(checkout.root).stages.values() for out in stage.outs}
    objects = {name: object_file(cache_folder(checkout.root), outs[name]) for name in (whole, changed)}
    for kept in objects.values():
        kept.unlink()
    with (checkout.root / changed).open("ab") as file:
        file.write(b"?")
    checkout.python("from src.repo.outputs import keep_outputs; keep_outputs()")
    assert {name: kept.exists() for name, kept in objects.items()} == {whole: True, changed: False}
