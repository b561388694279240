"""DVC's cache and remote: objects by md5. A remote that cannot be reached is an error, not an empty remote."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psutil
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.rwlock import RWLOCK_FILE
from dvc_data.hashfile.db import get_index

from src.base import paths
from src.base.errors import PromotionError
from src.repo.git import REMOTE_TIMEOUT_S

Where = Literal["cache", "remote", "gone"]
Place = Literal["cache", "remote"]
OBJECT = re.compile(r"[0-9a-f]{32}(\.dir)?")
# As the kinds of remotes call the moment an object was written.
WRITTEN = ("LastModified", "mtime", "last_modified", "updated", "modified")
# What else the libraries raise; each is there only with its kind of remote.
RAISED = {
    "asyncssh": ("Error", "KeyEncryptionError", "KeyImportError"),
    "aiohttp": ("ClientError",),
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "dvc_objects.fs.errors": ("AuthError", "ConfigError", "RemoteMissingDepsError"),
    "gcsfs.retry": ("HttpError",),
    "google.auth.exceptions": ("GoogleAuthError",),
}


class Stored(NamedTuple):
    """An object as a store lists it: its bytes, and when it was written, in seconds since 1970; None: not told."""

    n_bytes: int
    written_s: float | None


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

    def listed(self, place: Place) -> dict[str, Stored]:
        """List all objects by md5, whoever made them; `PromotionError` if the kind of remote lists nothing."""
        store = self._store(place)
        if not store.fs.CAN_TRAVERSE:
            msg = f"a remote of the kind {store.fs.protocol} cannot be listed; name one by S3, SSH or as a folder"
            raise PromotionError(msg)
        found = store.fs.fs.find(store.path, **({} if store.fs.protocol == "local" else {"detail": True}))
        objects: dict[str, Stored] = {}
        for path in found:
            # No object, such as one that is being written; or it is gone since.
            with suppress(ValueError, FileNotFoundError):
                if OBJECT.fullmatch(digest := store.path_to_oid(path)):
                    info = found[path] if isinstance(found, dict) else store.fs.info(path)
                    objects[digest] = Stored(int(info["size"] or 0), _seconds(info))
        if not objects:
            self._check_root(store)
        return objects

    def delete(self, place: Place, digests: Sequence[str]) -> list[str]:
        """Delete objects, those that are gone already too; return those that are there all the same, and why if told.

        A store that does not answer is an error. S3 is asked again, as its client keeps a refusal to itself.
        """
        store, refused = self._store(place), dict[str, str]()
        for digest in digests:
            try:
                with suppress(FileNotFoundError):
                    store.delete(digest)
            except PermissionError as error:
                refused[digest] = f" ({error.strerror or error})"
        get_index(store).clear()  # what DVC remembers of it
        store.fs.fs.invalidate_cache()
        left = sorted(self.listed(place).keys() & set(digests)) if digests else []
        return [f"{store.oid_to_path(digest)}{refused.get(digest, '')}" for digest in left]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other DVC processes of this work tree out; `PromotionError` if one runs a stage.

        While a stage runs, DVC holds the files of the stage, and not its lock.
        """
        with self.repo.lock:
            held = Path(self.repo.tmp_dir) / RWLOCK_FILE
            text = held.read_text(encoding="utf-8", errors="replace") if held.is_file() else ""
            if at_work := [pid for pid in re.findall(r'"pid": *(\d+)', text) if psutil.pid_exists(int(pid))]:
                msg = f"DVC is at work in this folder, as process {at_work[0]}; nothing was changed, wait for it"
                raise PromotionError(msg)
            yield

    @property
    def runs(self) -> Path:
        """The folder in which DVC remembers what stages made of what."""
        return Path(self.repo.stage_cache.cache_dir)

    @property
    def remote_is_a_folder(self) -> bool:
        """Whether the remote is a folder of this machine."""
        return bool(self._remote.fs.protocol == "local")

    def _store(self, place: Place) -> Any:  # noqa: ANN401 - DVC has no types
        return self._remote if place == "remote" else self.repo.cache.local

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
            self._check_root(self._remote)
            return False
        return True

    @staticmethod
    def _check_root(store: Any) -> None:  # noqa: ANN401 - DVC has no types
        root = store.fs.parts(store.path)[0]  # the bucket, where there is one
        if not store.fs.exists(root):
            msg = f"there is no {store.fs.unstrip_protocol(root)}"
            raise FileNotFoundError(msg) from None


def _seconds(info: Mapping[str, Any]) -> float | None:
    """Return when an object was written."""
    moment = next((info[name] for name in WRITTEN if info.get(name) is not None), None)
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None if moment is None else float(moment)


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
