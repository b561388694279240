"""Whether the outputs in the work tree are what the pipeline makes."""

from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from src.base import paths, storage
from src.base.errors import PromotionError
from src.repo.revision import md5


def check_reproduced() -> None:
    """Refuse outputs that are not what code and parameters make; `PromotionError` names the stages that would run.

    DVC takes a file whose size and clock are as they were for the same; a bad disk changes neither, so all are hashed.
    """
    try:
        with Repo(str(paths.ROOT)) as repo:
            stale = repo.status()
            outs = {out.fs_path: out.hash_info.value for out in repo.index.outs}
    except (DvcException, OSError) as error:
        msg = f"DVC cannot read the pipeline ({error}); `python -m src mend`, then `dvc status`"
        raise PromotionError(msg) from error
    if stale:
        msg = f"expected an up-to-date pipeline, but {', '.join(map(str, stale))} would run; `dvc repro`, then commit"
        raise PromotionError(msg)
    if damaged := [file for file, digest in outs.items() if md5(storage.read_bytes(Path(file))) != digest]:
        name = paths.relative(Path(damaged[0]))
        msg = f"{name} is damaged, dvc.lock has another md5; `python -m src mend`, then `dvc repro`"
        raise PromotionError(msg)
