"""The objects of commits on DVC's remote: pushed, and pulled again as a newcomer without a cache would."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from btc_signal.ensemble import ProductionEnsemble
from src.base import paths
from src.base.errors import DataError, ModelError, PromotionError
from src.release.versions import version_in
from src.release.warn_once import warn_once
from src.repo.dvc_cache import cache_folder
from src.repo.dvc_lock import changed_outs, read_dvc_lock
from src.repo.dvc_store import opened_stores
from src.repo.git import git, read_blobs
from src.repo.outputs import BUNDLE, keep_outputs
from src.repo.revision import Revision
from src.repo.scratch_folder import share_dvc
from src.repo.subprocesses import run, run_checked

# DVC does not re-hash existing objects.
REPAIR = "no push replaces an object that is there: delete the damaged one on the remote, and run it again"


class Wanted(NamedTuple):
    """A commit, the outputs that its dvc.lock names and git does not hold, by path, and those of them that are gone."""

    commit: str
    outputs: Mapping[str, str]
    lacking: Sequence[str] = ()  # md5, on the remote
    gone: Sequence[str] = ()  # paths, of what neither remote nor cache has

    @property
    def has_model(self) -> bool:
        """Whether its model can be had."""
        return not {paths.relative(file) for file in BUNDLE}.intersection(self.gone)


def push_objects(commits: Sequence[str], needed: Collection[str], folder: Path) -> int:
    """Push what these commits need, prove it by a pull into an empty cache, and return how many objects were lacking.

    `folder` is to work in. What nobody has any more is named in a warning, but of a needed commit the model must be
    there. `PromotionError` if it is not, the remote cannot be asked, or does not give back what was pushed.
    """
    keep_outputs()
    wanted = list(_look(commits, needed))
    sender = _clone(folder / "sender", cache_folder(paths.ROOT))
    proof = _clone(folder / "proof", folder / "empty_cache")
    for each in wanted:
        git("checkout", "--quiet", "--force", each.commit, root=sender)
        _push(sender, each)
    for each in wanted:
        if each.has_model and (each.lacking or each.commit in needed):
            git("checkout", "--quiet", "--force", each.commit, root=proof)
            _prove(proof, each)
    return len({digest for each in wanted for digest in each.lacking})


def _look(commits: Sequence[str], needed: Collection[str]) -> Iterator[Wanted]:
    """Yield the commits with what the remote lacks of them; before the last, one that is damaged is passed over."""
    with opened_stores() as stores:
        for commit in commits:
            try:
                outs = Revision(commit).lock.outs
            except DataError as error:
                if commit == commits[-1]:
                    raise
                warn_once(f"{error}; nobody can pull it, and the others are published")
                continue
            kept = set(git("ls-tree", "-r", "-z", "--name-only", commit, "--", *outs).split("\0")) if outs else set()
            outputs = {path: out.md5 for path, out in outs.items() if path not in kept}
            lacking = stores.lacking_on_remote(outputs.values())
            gone = [path for path, md5 in outputs.items() if md5 in lacking and stores.where([md5]) == "gone"]
            found = Wanted(commit, outputs, lacking, gone)
            _check_gone(found, is_needed=commit in needed)
            yield found


def _check_gone(wanted: Wanted, *, is_needed: bool) -> None:
    """Refuse a commit without its model, if it is needed; warn of what else is gone."""
    if not wanted.gone:
        return
    which = f"commit {wanted.commit[:7]}: neither the cache nor the remote has {', '.join(wanted.gone)}"
    if is_needed and not wanted.has_model:
        msg = f"{which}; nothing was published; `dvc repro` in a clone of that commit makes it anew"
        raise PromotionError(msg)
    warn_once(f"{which}; nobody can pull that")


def _clone(root: Path, cache: Path) -> Path:
    """Clone this repository, with the objects that no branch reaches, too, and give it a cache of DVC."""
    root.parent.mkdir(exist_ok=True)
    git("clone", "--quiet", "--shared", "--no-checkout", str(paths.ROOT), str(root), root=root.parent)
    git("checkout", "--quiet", "--detach", root=root)
    share_dvc(root, cache)
    return root


def _push(sender: Path, wanted: Wanted) -> None:
    """Push the objects of the commit that is checked out there."""
    if not wanted.gone:
        run_checked(sender, "dvc", "push")
    elif there := [path for path in wanted.outputs if path not in wanted.gone]:
        run_checked(sender, "dvc", "push", *there)


def _prove(proof: Path, wanted: Wanted) -> None:
    """Pull what a commit needs, hash every output, then load and verify the model that it promotes."""
    done = run(proof, "dvc", "pull", *(["--allow-missing"] if wanted.gone else []))
    if done.status:
        msg = f"what was pushed cannot be pulled again ({done.words}); {REPAIR}"
        raise PromotionError(msg)
    damaged = (out for out in changed_outs(read_dvc_lock(proof), proof) if out.path not in wanted.gone)
    if first := next(damaged, None):
        msg = f"{first.path} is damaged on the remote, as {first.md5}; {REPAIR}"
        raise PromotionError(msg)
    if not _is_promotion(wanted.commit):
        return
    try:
        ProductionEnsemble.load_release(proof / paths.relative(paths.PRODUCTION))
    except ModelError as error:
        msg = f"the model that was pushed does not come back as it was: {error}"
        raise PromotionError(msg) from error


def _is_promotion(commit: str) -> bool:
    """Tell whether a commit's metadata are of the model that its dvc.lock names, not of one before it."""
    metadata = paths.relative(paths.METADATA)
    last = git("log", "-1", "--format=%H", commit, "--", metadata)
    lock_then, lock, text = read_blobs(
        (f"{last}:{paths.LOCK.name}", f"{commit}:{paths.LOCK.name}", f"{commit}:{metadata}")
    )
    return lock_then == lock and version_in(text) is not None
