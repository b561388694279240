"""Whether the work tree is what its last commit says."""

from src.base import paths
from src.base.errors import PromotionError
from src.release.transaction import refuse_unfinished
from src.repo.git import git


def check_committed() -> None:
    """Refuse changes that no commit holds: nobody could get this model back from git."""
    refuse_unfinished()
    own = {paths.relative(path) for path in (paths.GATE, paths.GATE_REPORT, paths.TRIALS)}
    changed = [
        line for line in git("status", "--porcelain", "--no-renames").splitlines() if line.split()[-1] not in own
    ]
    if changed:
        msg = (
            f"expected a clean work tree, {len(changed)} paths differ from the last commit: {changed[0]}; "
            "commit them, or put them away with `git stash --include-untracked`"
        )
        raise PromotionError(msg)
