"""The outputs of the pipeline in the work tree, as dvc.lock names them."""

from contextlib import suppress

from dvc.fs import localfs

from src.base import paths
from src.base.errors import PromotionError
from src.repo.dvc_store import opened_stores
from src.repo.revision import md5

BUNDLE = (paths.GRAPH, paths.ENSEMBLE)


def keep_outputs() -> None:
    """Put into the cache what only the work tree has: a checkout would replace it."""
    with opened_stores() as stores:
        for out in stores.repo.index.outs:
            digest, cache = out.hash_info.value, stores.repo.cache.local
            is_output = out.use_cache and digest and localfs.isfile(out.fs_path) and not cache.exists(digest)
            if is_output and md5(localfs.read_bytes(out.fs_path)) == digest:
                cache.add(out.fs_path, localfs, digest)


def fetch_and_checkout() -> None:
    """Let DVC put the outputs of dvc.lock into the work tree; what is gone and not needed to serve is left out."""
    with suppress(PromotionError):
        _fetch()
    with opened_stores() as stores:
        stores.repo.checkout(targets=[str(path) for path in BUNDLE], force=True)
        stores.repo.checkout(force=True, allow_missing=True)


def _fetch() -> None:
    """Fetch what the cache lacks, if the remote has anything of it; one that does not answer is asked no more."""
    with opened_stores() as stores:
        digests = [out.hash_info.value for out in stores.repo.index.outs if out.use_cache]
        if any(stores.where([digest]) == "remote" for digest in digests):
            stores.repo.fetch()
