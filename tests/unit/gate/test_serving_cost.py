"""What a candidate costs to serve: measured on a small one, with numbers that depend on no machine."""

import copy

import numpy as np
import pytest

from src.base.errors import DataError, ModelError
from src.gate import serving_cost as serving
from src.gate.serving_cost import measure_serving, one_thread

ROWS = np.random.default_rng(9).uniform(1, 2, (40, 12))


@pytest.fixture(scope="module")
def file(candidate, tmp_path_factory):
    """The candidate as it is shipped."""
    path = tmp_path_factory.mktemp("serving") / "candidate.pkl"
    path.write_bytes(candidate.to_bytes())
    return path


@pytest.fixture(scope="module")
def measured(file, members):
    return measure_serving(file, members, ROWS)


def test_what_is_measured(measured):
    """Five plain numbers."""
    assert list(measured) == ["parity", "n_flipped", "size_mb", "latency_ratio", "memory_mib"]
    assert {type(value) for value in measured.values()} == {float}


def test_parity(measured):
    """The graph works in single precision, so it differs a little from its members, and no more."""
    assert 0 < measured["parity"] <= 1e-6


def test_size(measured, file, candidate):
    """In millions of bytes."""
    assert measured["size_mb"] == len(candidate.to_bytes()) / 1_000_000
    assert measured["size_mb"] == pytest.approx(len(file.read_bytes()) * 1e-6)


def test_the_graph_is_faster(measured):
    """One graph answers before three libraries do."""
    assert measured["latency_ratio"] > 1


def test_memory(measured):
    """More than a bare interpreter, in mebibytes."""
    assert 20 < measured["memory_mib"] < 1_000


def test_the_rows_stay_as_they_are(file, members):
    """Whoever measures changes nothing."""
    rows = ROWS.copy()
    measure_serving(file, members, rows)
    np.testing.assert_array_equal(rows, ROWS)


@pytest.mark.parametrize(
    "content", [b"", b"no pickle", b"\x80\x05N.", b"\x80\x05}\x94."], ids=["empty", "text", "None", "dict"]
)
def test_a_broken_file_is_refused(content, members, tmp_path):
    """Before anything is measured."""
    path = tmp_path / "candidate.pkl"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="make it anew with `dvc repro`"):
        measure_serving(path, members, ROWS)


def test_a_file_that_is_cut_off_is_refused(file, members, tmp_path):
    """Half a candidate is none."""
    path = tmp_path / "candidate.pkl"
    path.write_bytes(file.read_bytes()[:-1_000])
    with pytest.raises(ModelError, match="not a readable ensemble"):
        measure_serving(path, members, ROWS)


def test_a_file_that_is_not_there_is_named(members, tmp_path):
    """With the command that makes it."""
    with pytest.raises(DataError, match=r"absent\.pkl: cannot be read .*; run `dvc repro` to make it"):
        measure_serving(tmp_path / "absent.pkl", members, ROWS)


def test_members_of_another_candidate_are_seen(file, members):
    """A graph that answers otherwise than its members is measured, for the gate to refuse."""
    swapped = members | {"xgboost": members["random_forest"]}
    assert measure_serving(file, swapped, ROWS)["parity"] > 1e-3


def test_decisions_that_differ_are_counted(file, measured, members):
    """None of those of the candidate's own members; of members that say the opposite, every one."""

    class Opposite:
        def __init__(self, member):
            self.member = member

        def predict_proba(self, X):
            return self.member.predict_proba(X)[:, ::-1]

        def __getitem__(self, number):
            return self.member[number]

    assert measured["n_flipped"] == 0
    opposite = {name: Opposite(member) for name, member in members.items()}
    assert measure_serving(file, opposite, ROWS)["n_flipped"] == len(ROWS)


def test_a_process_that_does_not_answer_is_an_error(file, members, monkeypatch, capfd):
    """It can be measured here and still not load by itself."""
    monkeypatch.setattr(serving, "SERVE", serving.SERVE + "raise RuntimeError('no answer')")
    with pytest.raises(ModelError, match="a fresh process could not load the model and answer"):
        measure_serving(file, members, ROWS)
    assert "RuntimeError: no answer" in capfd.readouterr().err


def test_a_fresh_process_answers_the_first_row(file, members, monkeypatch):
    """It gets the file and the row to the last bit."""
    started = []
    monkeypatch.setattr(serving, "run_fresh_process", lambda *arguments: started.append(arguments) or (0.1, 64.0))
    assert measure_serving(file, members, ROWS)["memory_mib"] == 64
    ((_, name, *row),) = started
    assert name == str(file)
    assert [float(number) for number in row] == ROWS[0].tolist()


def test_every_member_has_one_thread(members):
    """As the graph has; the answers stay the same."""
    before = {name: member.predict_proba(ROWS) for name, member in members.items()}
    ensemble = one_thread(members)
    assert {member[-1].get_params()["n_jobs"] for member in members.values()} == {1}
    for number, name in enumerate(ensemble.members):
        np.testing.assert_array_equal(ensemble.predict_members(ROWS)[:, number], before[name][:, 1])


def test_the_members_keep_their_threads(members):
    """Copies are asked with one thread; who measures leaves the members as they were."""
    threads = copy.deepcopy(members)
    for member in threads.values():
        member[-1].set_params(n_jobs=2)
    asked = one_thread(threads).voters.models
    n_jobs = [{member[-1].get_params()["n_jobs"] for member in ones.values()} for ones in (asked, threads)]
    assert n_jobs == [{1}, {2}]
