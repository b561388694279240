"""DVC's cache and remote: objects by md5. A remote that cannot be reached is an error, not an empty remote."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Literal

from dvc.exceptions import DvcException
from dvc.repo import Repo

from src.base import paths
from src.base.errors import PromotionError
from src.repo.git import REMOTE_TIMEOUT_S

Where = Literal["cache", "remote", "gone"]
# What else the libraries raise; each is there only with its kind of remote.
RAISED = {
    "asyncssh": ("Error", "KeyEncryptionError", "KeyImportError"),
    "aiohttp": ("ClientError",),
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "dvc_objects.fs.errors": ("AuthError", "ConfigError", "RemoteMissingDepsError"),
    "gcsfs.retry": ("HttpError",),
    "google.auth.exceptions": ("GoogleAuthError",),
}


class Stores:
    """The cache and the default remote of an open repository."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo

    def where(self, digests: Sequence[str]) -> Where:
        """Say from where all of the objects can be had; the remote is asked for what the cache lacks."""
        missing = [digest for digest in digests if not self.repo.cache.local.exists(digest)]
        if not missing:
            return "cache"
        return "remote" if all(self._is_on_remote(digest) for digest in missing) else "gone"

    def lacking_on_remote(self, digests: Iterable[str]) -> list[str]:
        """List the objects that the remote lacks."""
        return [digest for digest in digests if not self._is_on_remote(digest)]

    def read(self, digest: str) -> bytes | None:
        """Return what lies under this md5 in the cache or on the remote, unverified; None if nothing does."""
        cache = self.repo.cache.local
        return _read(cache, digest) if cache.exists(digest) else self.read_remote(digest)

    def read_remote(self, digest: str) -> bytes | None:
        """Return what lies under this md5 on the remote, unverified; None if nothing does."""
        return _read(self._remote, digest) if self._is_on_remote(digest) else None

    def place_on_remote(self, digest: str) -> str:
        """Return where on the remote an object lies, or would."""
        return str(self._remote.oid_to_path(digest))

    @property
    def remote_is_a_folder(self) -> bool:
        """Whether the remote is a folder of this machine."""
        return bool(self._remote.fs.protocol == "local")

    @cached_property
    def _remote(self) -> Any:  # noqa: ANN401 - DVC has no types
        remote = self.repo.cloud.get_remote_odb()
        if remote.fs.protocol == "ssh":
            remote.fs.fs_args["timeout"] = REMOTE_TIMEOUT_S  # for the connection
        _ = remote.fs.fs  # connects
        return remote

    def _is_on_remote(self, digest: str) -> bool:
        """Ask the remote for an object; DVC's own `exists` is also False where nobody answers."""
        fs = self._remote.fs
        try:
            fs.info(self._remote.oid_to_path(digest), timeout=REMOTE_TIMEOUT_S)
        except FileNotFoundError:
            root = fs.parts(self._remote.path)[0]  # the bucket, where there is one
            if not fs.exists(root):
                msg = f"there is no {fs.unstrip_protocol(root)}"
                raise FileNotFoundError(msg) from None
            return False
        return True


def _read(store: Any, digest: str) -> bytes:  # noqa: ANN401 - DVC has no types
    with store.fs.open(store.oid_to_path(digest), "rb") as file:
        return bytes(file.read())


@contextmanager
def opened_stores() -> Iterator[Stores]:
    """Open cache and remote; `PromotionError` says in one line why they cannot be asked."""
    try:
        with Repo(str(paths.ROOT)) as repo:
            yield Stores(repo)
    except _raised() as error:
        words = " ".join(str(error).split()) or f"no answer in {REMOTE_TIMEOUT_S} s"
        msg = f"DVC cannot be asked for the files ({words}); `dvc remote list` names the remote, `dvc doctor` says more"
        raise PromotionError(msg) from error


def _raised() -> tuple[type[Exception], ...]:
    """List what DVC, the system and the libraries that are loaded raise where a remote cannot be asked."""
    loaded = ((sys.modules[module], names) for module, names in RAISED.items() if module in sys.modules)
    return (DvcException, OSError, ImportError, *(getattr(module, name) for module, names in loaded for name in names))
