"""The fitted members as files: pickles that hold what a fitted member holds, and nothing else.

Where one came from another machine with `dvc pull`, whoever may write there would choose what runs here, so a pickle is
read as `src.training.member_parts` says.
"""

import hashlib
import pickle
from pathlib import Path

import src.base.openmp

from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from btc_signal.bundle import PICKLE_PROTOCOL, UNREADABLE_PICKLE
from src.base import paths, storage
from src.base.errors import DataError
from src.ml.model_view import scale_free_view
from src.training.member_parts import read_parts
from src.training.members.member import MEMBERS, REGISTRY

DIGEST_BYTES = hashlib.sha256().digest_size
CLASSIFIERS = {member.CLASSIFIER for member in REGISTRY.values()}


def write_member(member: Pipeline, path: Path) -> None:
    """Pickle with a fixed protocol, and add the digest: unpickling stops before it.

    joblib would write padding bytes that differ from run to run.
    """
    content = pickle.dumps(member, protocol=PICKLE_PROTOCOL)
    storage.write_bytes(content + hashlib.sha256(content).digest(), path)


def read_member(path: Path) -> Pipeline:
    """Read what `write_member` wrote.

    `DataError` if a bit has changed, which would most often go unseen, for a tree with another threshold is a tree; or
    if the pickle holds anything that no member does. Nothing that it names has run by then.
    """
    file = storage.read_bytes(path)
    content, digest = file[:-DIGEST_BYTES], file[-DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        msg = f"{paths.relative(path)}: damaged pickle, it does not match its digest; delete it, then run `dvc repro`"
        raise DataError(msg)
    try:
        member = read_parts(content)
    except MemoryError:
        raise
    except (*UNREADABLE_PICKLE, RecursionError) as error:
        msg = f"{paths.relative(path)}: damaged pickle ({error}); delete it, then run `dvc repro`"
        raise DataError(msg) from error
    if not isinstance(member, Pipeline) or not _is_member(member):
        came = "one of other parts" if isinstance(member, Pipeline) else type(member).__name__
        msg = f"{paths.relative(path)}: expected a fitted Pipeline, got {came}; `dvc repro` makes it"
        raise DataError(msg)
    return member


def read_members() -> dict[str, Pipeline]:
    """Read the fitted members, by the names that the ensemble has for them."""
    return {name: read_member(paths.member_model(name)) for name in MEMBERS.values()}


def _is_member(made: object) -> bool:
    """Tell whether a pickle made what `build_member` builds."""
    match made:
        case Pipeline(steps=[(str(), FunctionTransformer(func=view)), (str(), classifier)], memory=None):
            return view is scale_free_view and (type(classifier).__module__, type(classifier).__name__) in CLASSIFIERS
    return False
