"""Whether what lies in the work tree is what the pipeline makes of it."""

from dvc.exceptions import DvcException
from dvc.repo import Repo

from src import paths
from src.errors import PromotionError


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
