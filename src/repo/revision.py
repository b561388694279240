"""What another revision made, read by content hash from DVC's cache or remote; the work tree stays as it is."""

import hashlib
from typing import Any

import pandas as pd
import pyarrow as pa
import yaml

from src.base import paths, tables
from src.base.errors import DataError, PromotionError
from src.repo.dvc_store import opened_stores
from src.repo.git import git


def md5(content: bytes) -> str:
    """Return DVC's own name of a content; it is no proof of safety."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Revision:
    """One commit's parameters and files.

    Parameters
    ----------
    name
        Whatever git takes for a commit.

    Raises
    ------
    DataError
        If git knows no such commit, or it holds no pipeline.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            self.commit = git("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
            self.params_text, lock_text = (git("show", f"{self.commit}:{file}") for file in ("params.yaml", "dvc.lock"))
        except PromotionError as error:
            msg = f"{name} is no revision with a pipeline: {error}"
            raise DataError(msg) from error
        try:
            self.params: dict[str, Any] = yaml.safe_load(self.params_text)
            self.stages: dict[str, Any] = yaml.safe_load(lock_text)["stages"]
            self._md5 = {out["path"]: out["md5"] for stage in self.stages.values() for out in stage.get("outs", [])}
        except (yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
            msg = f"{name} holds a params.yaml or dvc.lock that is damaged ({' '.join(str(error).split())})"
            raise DataError(msg) from error

    @property
    def outs(self) -> list[str]:
        """Every file that the pipeline made at this revision."""
        return list(self._md5)

    def read(self, path: Any) -> bytes:  # noqa: ANN401 - a Path
        """Return a file that the pipeline made at this revision, verified: DVC hands out what lies in its cache."""
        name = paths.relative(path)
        if name not in self._md5:
            msg = f"{self.name} did not make {name}; compare with a revision that has it"
            raise DataError(msg)
        with opened_stores() as stores:
            content = stores.read(self._md5[name])
        if content is None:
            msg = (
                f"{name} of {self.name} is neither in the cache nor on the remote; "
                "`dvc repro` in a clone of that commit makes it anew"
            )
            raise DataError(msg)
        if md5(content) != self._md5[name]:
            msg = f"{name} of {self.name} is damaged in the cache or on the remote: its md5 is not that of dvc.lock"
            raise DataError(msg)
        return content

    def read_frame(self, path: Any) -> pd.DataFrame:  # noqa: ANN401 - a Path
        """Return a Parquet file of this revision as a frame."""
        try:
            return tables.read_table(self.read(path)).to_pandas()
        except (pa.ArrowException, OSError) as error:
            msg = f"{paths.relative(path)} of {self.name} is no readable Parquet file ({error})"
            raise DataError(msg) from error
