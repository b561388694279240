"""The fitted members as files: pickles that may name what a member is made of, and nothing else.

A pickle is a program. Where one came from another machine with `dvc pull`, whoever may write there would choose what
runs here, so every class and function is looked up in a list.
"""

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import src.base.openmp

from sklearn.pipeline import Pipeline

from btc_signal.bundle import PICKLE_PROTOCOL, UNREADABLE_PICKLE
from src.base import paths, storage
from src.base.errors import DataError
from src.training.members.member import MEMBERS, REGISTRY

DIGEST_BYTES = hashlib.sha256().digest_size
SHARED = {
    *{("sklearn.pipeline", "Pipeline"), ("sklearn.preprocessing._function_transformer", "FunctionTransformer")},
    *{("src.ml.model_view", "scale_free_view"), ("numpy", "dtype")},
    *{("numpy._core.multiarray", "scalar"), ("numpy._core.numeric", "_frombuffer")},
}
# What a member's pickle may name.
KNOWN = SHARED.union(*(member.PICKLED for member in REGISTRY.values()))


def write_member(member: Pipeline, path: Path) -> None:
    """Pickle with a fixed protocol, and add the digest: unpickling stops before it.

    joblib would write padding bytes that differ from run to run.
    """
    content = pickle.dumps(member, protocol=PICKLE_PROTOCOL)
    storage.write_bytes(content + hashlib.sha256(content).digest(), path)


def read_member(path: Path) -> Pipeline:
    """Read what `write_member` wrote.

    `DataError` if a bit has changed, which would most often go unseen, for a tree with another threshold is a tree; or
    if the pickle names anything that no member is made of. Nothing that it names has run by then.
    """
    file = storage.read_bytes(path)
    content, digest = file[:-DIGEST_BYTES], file[-DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        msg = f"{paths.relative(path)}: damaged pickle, it does not match its digest; delete it, then run `dvc repro`"
        raise DataError(msg)
    try:
        member = _MemberUnpickler(io.BytesIO(content)).load()
    except MemoryError:
        raise
    except UNREADABLE_PICKLE as error:
        msg = f"{paths.relative(path)}: damaged pickle ({error}); delete it, then run `dvc repro`"
        raise DataError(msg) from error
    if not isinstance(member, Pipeline):
        msg = f"{paths.relative(path)}: expected a fitted Pipeline, got {type(member).__name__}; `dvc repro` makes it"
        raise DataError(msg)
    return member


def read_members() -> dict[str, Pipeline]:
    """Read the fitted members, by the names that the ensemble has for them."""
    return {name: read_member(paths.member_model(name)) for name in MEMBERS.values()}


class _MemberUnpickler(pickle.Unpickler):
    """Looks up what a member is made of."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - a class or a function
        """Return it; refuse everything else before it is imported."""
        if (module, name) not in KNOWN:
            msg = f"it names {module}.{name}, which no member is made of"
            raise pickle.UnpicklingError(msg)
        return super().find_class(module, name)
