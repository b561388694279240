"""Whether the work tree is what its last commit says, and its outputs what the pipeline makes."""

from dvc.exceptions import DvcException
from dvc.repo import Repo

from src import paths
from src.errors import PromotionError
from src.lifecycle.git import git


def check_reproduced() -> None:
    """Refuse outputs that are not what code and parameters make; `PromotionError` names the stages that would run."""
    try:
        with Repo(str(paths.ROOT)) as repo:
            stale = repo.status()
    except (DvcException, OSError) as error:
        msg = f"DVC cannot read the pipeline ({error}); `dvc status` says more"
        raise PromotionError(msg) from error
    if stale:
        msg = f"expected an up-to-date pipeline, but {', '.join(map(str, stale))} would run; `dvc repro`, then commit"
        raise PromotionError(msg)


def check_committed() -> None:
    """Refuse changes that no commit holds: nobody could get this model back from git."""
    own = {paths.relative(path) for path in (paths.GATE, paths.GATE_REPORT, paths.TRIALS)}
    changed = [
        line for line in git("status", "--porcelain", "--no-renames").splitlines() if line.split()[-1] not in own
    ]
    if changed:
        msg = (
            f"expected a clean work tree, {len(changed)} paths differ from the last commit: {changed[0]}; commit first"
        )
        raise PromotionError(msg)
