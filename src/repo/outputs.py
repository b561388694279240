"""The outputs of the pipeline in the work tree: check, save and restore them."""

from contextlib import suppress

from dvc.exceptions import DvcException
from dvc.fs import localfs
from dvc.repo import Repo

from src.base import paths
from src.base.errors import PromotionError
from src.repo.dvc_lock import changed_outs, md5, read_dvc_lock
from src.repo.dvc_store import opened_stores

BUNDLE = (paths.GRAPH, paths.ENSEMBLE)


def check_reproduced() -> None:
    """Refuse outputs that are not what code and parameters make; `PromotionError` names the stages that would run."""
    try:
        with Repo(str(paths.ROOT)) as repo:
            stale = repo.status()
    except (DvcException, OSError) as error:
        msg = f"DVC cannot read the pipeline ({error}); `python -m src repair`, then `dvc status`"
        raise PromotionError(msg) from error
    if stale:
        msg = f"expected an up-to-date pipeline, but {', '.join(map(str, stale))} would run; `dvc repro`, then commit"
        raise PromotionError(msg)
    if damaged := next(changed_outs(read_dvc_lock(), paths.ROOT), None):
        msg = f"{damaged.path} is damaged, dvc.lock has another md5; `python -m src repair`, then `dvc repro`"
        raise PromotionError(msg)


def keep_outputs() -> None:
    """Add to the cache what only the work tree has: a checkout would replace it."""
    with opened_stores() as stores:
        for out in stores.repo.index.outs:
            digest, cache = out.hash_info.value, stores.repo.cache.local
            is_output = out.use_cache and digest and localfs.isfile(out.fs_path) and not cache.exists(digest)
            if is_output and md5(localfs.read_bytes(out.fs_path)) == digest:
                cache.add(out.fs_path, localfs, digest)


def fetch_and_checkout() -> None:
    """Check out the outputs of dvc.lock; those that neither cache nor remote has are left out, save the bundle."""
    with suppress(PromotionError), opened_stores() as stores:
        digests = [out.hash_info.value for out in stores.repo.index.outs if out.use_cache]
        if any(stores.where([digest]) == "remote" for digest in digests):
            stores.repo.fetch()
    with opened_stores() as stores:
        stores.repo.checkout(targets=[str(path) for path in BUNDLE], force=True)
        stores.repo.checkout(force=True, allow_missing=True)
