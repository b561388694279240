"""Members as files: read back whole, and a pickle that names anything else is refused before it runs."""

import bz2
import gzip
import hashlib
import io
import os
import pickle
import shutil
import subprocess
import timeit
import zlib
from functools import partial

import joblib
import numpy as np
import pytest
from numpy.testing._private.utils import runstring
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from src.base import storage
from src.base.errors import DataError
from src.training import member_parts
from src.training.member_files import read_member, write_member
from src.training.members.member import REGISTRY

ROWS = np.random.default_rng(7).uniform(1, 2, (30, 12))


class Calls:
    """Pickled, it is the call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        """What the pickle says is to be done."""
        return self.call


def sealed(content):
    """With the digest that a reader asks for: who can write a file can write that, too."""
    return content + hashlib.sha256(content).digest()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "member.pkl"


@pytest.fixture
def mark(tmp_path):
    """What a payload would leave behind."""
    return tmp_path / "ran"


@pytest.fixture(params=["lightgbm", "xgboost", "random_forest"])
def member(request, members):
    return members[request.param]


def test_a_member_is_read_back(member, file, tmp_path):
    """It answers as before, and equal members give equal bytes."""
    write_member(member, file)
    again = read_member(file)
    np.testing.assert_array_equal(again.predict_proba(ROWS), member.predict_proba(ROWS))
    write_member(member, tmp_path / "twin")
    assert file.read_bytes() == (tmp_path / "twin").read_bytes()
    assert file.read_bytes()[:2] == b"\x80\x05"


@pytest.fixture
def named(members):
    """What each member's pickle names."""
    found = {name: set() for name in members}

    class Noting(pickle.Unpickler):
        def find_class(self, module, name):
            self.seen.add((module, name))
            return super().find_class(module, name)

    for name, member in members.items():
        reader = Noting(io.BytesIO(pickle.dumps(member, 5)))
        reader.seen = found[name]
        reader.load()
    return found


def test_the_list_names_nothing_superfluous(named):
    """What may be looked up is what the members are made of."""
    assert set.union(*named.values()) == member_parts.KNOWN


@pytest.mark.parametrize("key", REGISTRY)
def test_a_member_lists_what_its_own_pickle_names(key, named):
    """Beside what members have in common; its class is among it."""
    member = REGISTRY[key]
    assert named[member.NAME] - member_parts.SHARED == member.PICKLED
    assert member.CLASSIFIER in member.PICKLED


PAYLOADS = {
    "os.system": lambda mark: Calls(os.system, f"touch {mark}"),
    "subprocess": lambda mark: Calls(subprocess.check_call, ["touch", str(mark)]),
    "eval": lambda mark: Calls(eval, f"open({str(mark)!r}, 'w')"),
    "exec": lambda mark: Calls(exec, f"open({str(mark)!r}, 'w')"),
    "open": lambda mark: Calls(open, str(mark), "w"),
    "import": lambda _: Calls(__import__, "antigravity"),
    "shutil": lambda mark: Calls(shutil.rmtree, str(mark.parent)),
    "timeit": lambda mark: Calls(timeit.timeit, f"open({str(mark)!r}, 'w')", "pass", timeit.default_timer, 1),
    "joblib in a pickle": lambda mark: Calls(joblib.load, str(mark.with_name("inner"))),
    "pickle in a pickle": lambda mark: Calls(pickle.loads, pickle.dumps(Calls(os.system, f"touch {mark}"))),
    "numpy.load": lambda mark: Calls(np.load, str(mark.with_name("inner")), None, "any pickle"),
    "numpy's own exec": lambda mark: Calls(runstring, f"open({str(mark)!r}, 'w')", {}),
    "a partial": lambda mark: Calls(partial(os.system, f"touch {mark}")),
    "getattr": lambda mark: Calls(getattr, mark, "touch"),
    "a method of a class": lambda mark: Calls(type(mark).touch, mark),
    "in a member's place": lambda mark: Pipeline([("view", FunctionTransformer(os.system)), ("run", str(mark))]),
    "a function of ours": lambda mark: Calls(storage.write_bytes, b"", mark),
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_is_refused_unrun(name, file, mark):
    """Whatever it would call is not even looked up."""
    inner = mark.with_name("inner")
    joblib.dump(Calls(os.system, f"touch {mark}"), inner)
    file.write_bytes(sealed(pickle.dumps(PAYLOADS[name](mark), protocol=5)))
    with pytest.raises(DataError, match=r"member\.pkl: damaged pickle \(it names .*, which no member is made of"):
        read_member(file)
    assert not mark.exists()
    assert inner.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol(protocol, file, mark):
    """Older ways of naming a function are the same to it."""
    file.write_bytes(sealed(pickle.dumps(Calls(os.system, f"touch {mark}"), protocol=protocol)))
    with pytest.raises(DataError, match="which no member is made of"):
        read_member(file)
    assert not mark.exists()


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress, bz2.compress])
def test_a_compressed_pickle_is_none(pack, file, mark):
    """Joblib would unpack and run it."""
    file.write_bytes(sealed(pack(pickle.dumps(Calls(os.system, f"touch {mark}")))))
    with pytest.raises(DataError, match=r"member\.pkl: damaged pickle"):
        read_member(file)
    assert not mark.exists()


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_payload_beside_a_real_member(where, members, file, mark):
    """Run before the member is built, or in the member's state."""
    whole, payload = pickle.dumps(members["xgboost"], 5), pickle.dumps(Calls(os.system, f"touch {mark}"), 5)
    content = payload[:-1] + b"0" + whole[2:] if where == "before" else whole[:-1] + payload[2:-1] + b"0."
    file.write_bytes(sealed(content))
    with pytest.raises(DataError, match="which no member is made of"):
        read_member(file)
    assert not mark.exists()


def test_something_else_that_is_known_is_no_member(file):
    """An array of numbers may be part of one."""
    file.write_bytes(sealed(pickle.dumps(np.arange(3.0), 5)))
    with pytest.raises(DataError, match=r"member\.pkl: expected a fitted Pipeline, got ndarray; `dvc repro`"):
        read_member(file)


@pytest.mark.parametrize("length", [0, 1, 30, 100])
def test_a_file_cut_short_is_refused(length, members, file):
    """An interrupted copy is named, with the way to a whole one."""
    write_member(members["random_forest"], file)
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(DataError, match=r"member\.pkl: damaged.*`dvc repro`"):
        read_member(file)


@pytest.mark.parametrize("at", [0, 100, 200, -40, -1])
def test_a_flipped_bit_is_refused(at, members, file):
    """A number that changed is still a number: only the digest tells."""
    write_member(members["random_forest"], file)
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"member\.pkl: damaged.*`dvc repro`"):
        read_member(file)


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(b"\x80\x05\x8e" + (2**62).to_bytes(8, "little"), id="bytes of four exabytes"),
        pytest.param(b"\x80\x05\x96" + (2**62).to_bytes(8, "little"), id="a bytearray of four exabytes"),
        pytest.param(b"\x80\x05r" + (2**31 - 1).to_bytes(4, "little"), id="a memo of two billion"),
        pytest.param(b"\x80\x05" + b"(" * 100_000 + b".", id="marks without end"),
    ],
)
def test_a_length_that_is_a_lie(lie, file):
    """Neither time nor memory goes into it."""
    file.write_bytes(sealed(lie))
    with pytest.raises((DataError, MemoryError)):
        read_member(file)
