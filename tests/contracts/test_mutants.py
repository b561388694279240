"""The tool that plants faults: each kind on a few lines, the draw by a seed, a fault found again after lines moved."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import Checkout
from tests.mutants import outcomes
from tests.mutants.choose import choose, room_of, rooms
from tests.mutants.fault import Fault
from tests.mutants.kinds import KINDS, Source, faults_of, reads_otherwise
from tests.mutants.reach import Reach, likely
from tests.mutants.results import CAUGHT, GONE, SURVIVED, Result, Results, faults_in
from tests.mutants.scratch import Run, Scratch, planted
from tests.mutants.table import page
from tests.mutants.whole_suite import WholeSuite

SOURCES = {
    "constant": (
        'def f(n: "1" = 2, *, is_on=True) -> 3:\n    """4"""\n    return n + 0.5 + len("6") + len(f"{7}")\n',
        ['n: "1" = 3', "is_on=False", "n + 1.0"],
    ),
    "comparison": (
        "x = a < b <= c\ny = a not in b or a is None\nz = (a) == (b)\n",
        ["a <= b <= c", "a < b < c", "a in b", "a is not None", "(a) != (b)"],
    ),
    "condition": (
        "x = a and b and c\ny = not (a or b)\nz = a < b\n",
        ["a or b and c", "a and b or c", "y = (a or b)", "not (a and b)"],
    ),
    "arithmetic": (
        'x = a + b * c\nx -= 1\npath = root / "name" / other + "text"\n',
        ["a - b * c", "a + b / c", "x += 1"],
    ),
    "dropped call": ("x = f()\nf(\n    1,\n)\n", ["\npass"]),
    "swapped arguments": ("f(a, b, c)\nf(a, a)\nf(*a, b)\n", ["f(b, a, c)"]),
    "removed check": (
        'def f(x):\n  if x:\n    msg = "no"\n    raise E(msg)\n  if x:\n    return x\n  if x:\n    g()\n',
        ['if False:\n    msg = "no"', "if False:\n    return x"],
    ),
    "lost keyword": ("f(a, b=1, c=2)\nf(b=1)\nf(**kw)\n", ["f(a, c=2)", "f(a, b=1)", "f()"]),
}
LINES = "def f(x):\n    return x + 1\n\n\ndef g(x):\n    return x + 1\n"
SECOND = Fault("src/base/x.py", 6, "arithmetic", "    return x + 1", "    return x - 1")


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_finds_its_places_and_no_other(kind: str) -> None:
    """Nothing in annotations and texts; what a fault leaves is a program, and another one."""
    text, expected = SOURCES[kind]
    source = Source(text)
    faults = faults_of("x.py", source, kind)
    assert len(faults) == len(expected)
    for part in expected:
        assert sum(part in (fault.planted(text) or "") and part not in text for fault in faults) == 1
    assert all(reads_otherwise(fault, source) for fault in faults)


def test_what_is_no_other_program_is_not_planted() -> None:
    """Neither what Python cannot read, nor what it reads as before."""
    source = Source("x = 1\ny = (2)\n")
    assert not reads_otherwise(Fault("x.py", 1, "constant", "x = 1", "x = "), source)
    assert not reads_otherwise(Fault("x.py", 2, "constant", "y = (2)", "y = 2"), source)
    assert not reads_otherwise(Fault("x.py", 2, "constant", "z = 1", "z = 2"), source)


def test_the_rest_of_the_file_stays_as_it_is() -> None:
    """Comments, odd spaces, letters of more than one byte."""
    text = 'a  = "é", 1 # one é\nb = "é"+f( a,b ) # two\n'
    (fault,) = faults_of("x.py", Source(text), "swapped arguments")
    assert fault.planted(text) == text.replace("a,b", "b,a")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository of four small rooms; one of them has few places for a fault."""
    texts = "\n".join(text.replace("def f", f"def {kind.replace(' ', '_')}") for kind, (text, _) in SOURCES.items())
    for file in ("btc_signal/a.py", "src/base/b.py", "src/gate/c.py", "src/policy.py", "scripts/d.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("x = 1\n" if file == "src/policy.py" else texts)
    return tmp_path


def test_the_draw_is_the_same_twice(tree: Path) -> None:
    """It reaches every room and kind, each room alike until one has no more; another seed draws others."""
    faults = choose(tree, 7, count=33)
    assert faults == choose(tree, 7, count=33)
    assert len(set(faults)) == 33
    assert Counter(room_of(fault.file) for fault in faults) == {
        "base": 8,
        "btc_signal": 8,
        "gate": 8,
        "policy": 1,
        "scripts": 8,
    }
    assert {fault.kind for fault in faults} == set(KINDS)
    assert faults != choose(tree, 8, count=33)


def test_every_source_has_a_room() -> None:
    """Modules right below src are `policy` and `cli`, the scripts are one room."""
    files = {file: room_of(file) for files in rooms(paths.ROOT).values() for file in files}
    assert {files[file] for file in ("src/cli.py", "src/__main__.py")} == {"cli"}
    assert files["src/policy.py"] == "policy"
    assert files["scripts/management/dev_check.py"] == "scripts"
    assert set(files.values()) - {"policy", "cli", "scripts"} == {
        path.name for path in (paths.ROOT / "tests" / "unit").iterdir() if path.is_dir() and path.name != "__pycache__"
    } | {"retrain"}


def test_a_fault_of_before_is_found_again(tmp_path: Path) -> None:
    """By its lines, at the place nearest to where they were."""
    moved = "\n" + LINES
    assert (SECOND.place(LINES), SECOND.place(moved)) == (6, 7)
    assert SECOND.planted(moved) == moved.removesuffix("x + 1\n") + "x - 1\n"
    assert SECOND.place("def f(x):\n    return 1\n") is None
    (tmp_path / "src" / "base").mkdir(parents=True)
    (tmp_path / SECOND.file).write_text(LINES)
    first = Fault(SECOND.file, 2, "arithmetic", SECOND.before, SECOND.after)
    same_line = Fault(SECOND.file, 2, "constant", SECOND.before, "    return x + 2")
    texts, together = planted(tmp_path, [first, SECOND, same_line])
    assert texts == {SECOND.file: LINES.replace("+", "-")}
    assert together == [first, SECOND]


def test_results_are_kept_and_read_again(tmp_path: Path) -> None:
    """The last line about a fault counts; its faults can be planted again, from results or from a list."""
    file = tmp_path / "results" / "x.jsonl"
    results = Results(file)
    results.add_baseline({"seconds": {"tests/x.py": 2.0}})
    results.add_uncounted({"tests/x.py::test_y": "stale"})
    results.add(SECOND, Result(SURVIVED, "importers"))
    results.add(SECOND, Result(CAUGHT, "suite", "tests/z.py::test_z", "assert 1 == 2", 3.5))
    again = Results(file)
    assert (again.of, again.baseline, again.uncounted) == (results.of, results.baseline, results.uncounted)
    assert again.of[SECOND].is_caught
    assert faults_in(file) == [SECOND]
    (tmp_path / "list.json").write_text(json.dumps([asdict(SECOND)]))
    assert faults_in(tmp_path / "list.json") == [SECOND]


def test_the_tests_of_a_fault() -> None:
    """First those of its room that import it; then of whom it serves; of a script the contracts that run it."""
    reach = Reach(paths.ROOT, {"tests/unit/verdict/test_finding.py": 1.0})
    near, far = reach.near("src/verdict/table.py"), reach.far("src/verdict/table.py")
    assert near[0] == "tests/unit/verdict/test_table.py"
    assert "tests/unit/verdict/test_finding.py" in near
    assert "tests/unit/gate/test_gate_report.py" in far
    assert not set(near) & set(far)
    assert "tests/contracts/test_audit.py" in reach.near("scripts/audit.py")
    assert "tests/unit/commands/test_cli.py" in reach.near("src/cli.py")


def test_the_likely_tests_say_names_of_the_module() -> None:
    """So that few tests are asked first about each survivor."""
    fault = Fault("src/retrain/retrain.py", 1, "constant", "", "")
    tests = [f"tests/e2e/test_{name}.py" for name in ("gate", "life", "monitor", "retrain", "rollback", "gone")]
    assert likely(tests, fault, paths.ROOT)[0] == "tests/e2e/test_retrain.py"
    assert len(likely(tests, fault, paths.ROOT)) <= 3


def test_the_page_counts_each_fault_once() -> None:
    """And names what survived, what is gone, and what only the suite of before caught."""
    gone = Fault("src/gate/y.py", 1, "constant", "a = 1", "a = 2")
    before = {SECOND: Result(CAUGHT, "room", "tests/x.py::test_then"), gone: Result(SURVIVED, "suite")}
    text = page({SECOND: Result(SURVIVED, "suite"), gone: Result(GONE, "")}, before, {"tests/x.py::t": "stale"}, 1)
    assert "| base | 1 | 0 | 0 | 0 | 1 | 0 | 1 |" in text
    assert "| all | 2 | 0 | 0 | 0 | 1 | 1 | 1 |" in text
    assert "Caught only by the suite of before:\n\n- `src/base/x.py:6 arithmetic: return x + 1 -> return x - 1`" in text
    assert "no reason is known" in text
    assert "`tests/x.py::t`: fails on a comment, too" in text


class Suite:
    """A suite of four tests that reads what was planted instead of running it; it stands in for a `Scratch`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.text = ""
        self.ran: list[int] = []

    def plant(self, texts: dict[str, str]) -> None:
        """Keep what is planted."""
        self.text = "".join(texts.values())

    def test(self, *_: object, limit_s: float, only: Iterable[str] = (), without: Iterable[str] = ()) -> Run:  # noqa: ARG002 - as the real one
        """Fail what looks at the planted lines, at any change, or at two faults at once."""
        fails = {
            "t.py::test_first": "x - 1" in self.text,
            "t.py::test_stale": self.text != LINES,
            "t.py::test_by_hand": self.text.count("x") != LINES.count("x"),
            "t.py::test_both": "x - 1" in self.text and "x + 2" in self.text,
        }
        ran = [test for test in only or fails if test not in without]
        self.ran.append(len(ran))
        notes = [{"test": test, "seconds": 1.0, "failed": fails[test], "why": ""} for test in ran]
        return Run(int(any(note["failed"] for note in notes)), 1.0, notes)


@pytest.mark.parametrize("names_the_module", [True, False])
def test_survivors_meet_the_suite_and_what_fails_alone(tmp_path: Path, *, names_the_module: bool) -> None:
    """What fails on a comment, too, or was left out by hand, is no catch; nor is what fails on several faults only."""
    (tmp_path / "src" / "base").mkdir(parents=True)
    (tmp_path / SECOND.file).write_text(LINES)
    if names_the_module:
        (tmp_path / "t.py").write_text("from src.base import x\n")
    left = Fault(SECOND.file, 2, "constant", SECOND.before, "    return x + 2")
    on_the_same_line = Fault(SECOND.file, 2, "constant", "def f(x):\n    return x + 1", "def f(x):\n    return xx + 3")
    results = Results(tmp_path / "results.jsonl")
    for fault in (SECOND, left, on_the_same_line):
        results.add(fault, Result(SURVIVED, "importers"))
    suite = Suite(tmp_path)
    WholeSuite(suite, results, ["t.py::test_by_hand"], 2, [].append).meet(results.survivors("importers"))
    assert {fault: (result.outcome, result.by) for fault, result in results.of.items()} == {
        SECOND: (CAUGHT, "t.py::test_first"),
        left: (SURVIVED, ""),
        on_the_same_line: (SURVIVED, ""),
    }
    assert {result.step for result in results.of.values()} == {"suite"}
    assert set(results.uncounted) == {"t.py::test_stale"}
    assert suite.ran[0] == 4
    assert max(suite.ran[1:]) == 2


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one module and its tests, one of which waits as long as the module says."""
    stale, tested = "def test_stale():\n    assert 0\n", "    time.sleep(m.seconds)\n    assert m.limit == 1\n"
    texts = {
        "m.py": "seconds = 0\nlimit = 1\n",
        "test_m.py": f"import m, time\n\n{stale}\ndef test_m():\n{tested}",
        "tests/mutants/outcomes.py": Path(outcomes.__file__).read_text(),
    }
    for name, text in texts.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(text)
    (tmp_path / "root" / ".venv").mkdir()
    Checkout(tmp_path / "root").run("git", "init", "--quiet")
    return tmp_path / "root"


def test_a_fault_is_planted_in_a_copy_and_heard_of(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caught by a test that is named, or timed out; a test that does not count is left out, the repository as it is."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    scratch = Scratch(repository, repository.parent)
    ran = []
    for change, limit_s in (("", 60.0), ("seconds = 0\nlimit = 2\n", 60.0), ("seconds = 60\nlimit = 1\n", 1.0)):
        scratch.plant({"m.py": change} if change else {})
        ran.append(scratch.test(["test_m.py"], "-x", limit_s=limit_s, without=["test_m.py::test_stale"]))
    assert [(run.passed, run.status) for run in ran] == [(True, 0), (False, 1), (False, None)]
    assert ran[0].seconds_by_file().keys() == {"test_m.py"}
    assert [(test, "assert 2 == 1" in why) for test, why in ran[1].failed.items()] == [("test_m.py::test_m", True)]
    assert (repository / "m.py").read_text() == "seconds = 0\nlimit = 1\n"
    assert not (repository / ".git" / "index").exists()
