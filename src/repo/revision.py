"""What another revision made, read by content hash from DVC's cache or remote; the work tree stays as it is."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import yaml

from src.base import paths, tables
from src.base.errors import DataError, PromotionError
from src.repo.dvc_lock import md5, parse_dvc_lock
from src.repo.dvc_store import opened_stores
from src.repo.git import git, read_blobs

# Of params.yaml, which every revision with a pipeline has.
SECTIONS = ("data", "ensemble", "features", "label")
UNREADABLE = (yaml.YAMLError, ValueError, RecursionError, KeyError, TypeError, AttributeError)


class Revision:
    """The parameters and files of whatever git takes for a commit; `DataError` if it is none, or has no pipeline."""

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            self.commit = git("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
        except PromotionError as error:
            msg = f"{name} is no revision with a pipeline: {error}"
            raise DataError(msg) from error
        params_text, lock_text = read_blobs(f"{self.commit}:{file.name}" for file in (paths.PARAMS, paths.LOCK))
        if params_text is None or lock_text is None:
            msg = f"{name} is no revision with a pipeline: it has no params.yaml or no dvc.lock"
            raise DataError(msg)
        try:
            self.params: dict[str, Any] = yaml.safe_load(params_text)
            _ = [self.params[section].keys() for section in SECTIONS]
            self.lock = parse_dvc_lock(lock_text)
        except UNREADABLE as error:
            msg = f"{name} holds a params.yaml or dvc.lock that is damaged ({' '.join(str(error).split())})"
            raise DataError(msg) from error
        self.params_text = params_text

    def read(self, path: Path) -> bytes:
        """Return a file that the pipeline made at this revision, verified: DVC hands out what lies in its cache."""
        name = paths.relative(path)
        out = self.lock.outs.get(name)
        if out is None:
            msg = f"{self.name} did not make {name}; compare with a revision that has it"
            raise DataError(msg)
        with opened_stores() as stores:
            content = stores.read(out.md5)
        if content is None:
            where = f"{name} of {self.name} is neither in the cache nor on the remote"
            msg = f"{where}; `dvc repro` in a clone of that commit makes it anew"
            raise DataError(msg)
        if md5(content) != out.md5:
            msg = f"{name} of {self.name} is damaged in the cache or on the remote: its md5 is not that of dvc.lock"
            raise DataError(msg)
        return content

    def read_frame(self, path: Path) -> pd.DataFrame:
        """Return a Parquet file of this revision as a frame."""
        try:
            return tables.read_table(self.read(path)).to_pandas()
        except (pa.ArrowException, OSError) as error:
            msg = f"{paths.relative(path)} of {self.name} is no readable Parquet file ({error})"
            raise DataError(msg) from error
