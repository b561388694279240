"""Tags of versions and stages, in the form of GTO: production-ensemble@v1.0.2, production-ensemble#production#3."""

from typing import Literal

import gto.api
from gto.exceptions import GTOException
from scmrepo.exceptions import SCMError

from src import paths
from src.errors import PromotionError
from src.lifecycle.git import git

# As in dvc.yaml `artifacts`.
ARTIFACT = "production-ensemble"
Stage = Literal["staging", "production"]


def tag(version: str, commit: str, stage: Stage) -> None:
    """Tag the commit with its version, and the version with its stage, where it is not yet.

    Parameters
    ----------
    version
        Such as 1.0.2.
    commit
        That promoted it.
    stage
        What it is for from now on.

    Raises
    ------
    PromotionError
        If that version's tag is at another commit, or git cannot tag.
    """
    name = f"{ARTIFACT}@v{version}"
    tagged = _commits(name).get(name)
    if tagged not in (None, commit):
        msg = f"the tag {name} is at {tagged[:7]}, expected {commit[:7]}; remove the tag that is wrong"
        raise PromotionError(msg)
    try:
        if tagged is None:
            gto.api.register(str(paths.ROOT), ARTIFACT, commit, f"v{version}")
        if _at(stage) != commit:
            # Forced: to GTO a version that came back after another is in its stage already.
            gto.api.assign(str(paths.ROOT), ARTIFACT, stage, version=f"v{version}", skip_registration=True, force=True)
    except (GTOException, SCMError) as error:
        msg = f"git tag for version {version} failed: {error.__cause__ or error}"
        raise PromotionError(msg) from error


def _at(stage: Stage) -> str | None:
    """Return the commit that the stage was assigned to last."""
    assigned = _commits(f"{ARTIFACT}#{stage}#*")
    return assigned[max(assigned, key=lambda name: int(name.rpartition("#")[2]))] if assigned else None


def _commits(pattern: str) -> dict[str, str]:
    """Return the commits of the annotated tags with such a name."""
    lines = git("tag", "--list", pattern, "--format=%(refname:strip=2) %(*objectname)").splitlines()
    return dict(line.split(" ", 1) for line in lines)
