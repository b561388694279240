"""The size budgets of the code, so that every file stays one screen or a few."""

import ast
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from src.base import paths

SOURCES = sorted(file for room in ("btc_signal", "src") for file in (paths.ROOT / room).rglob("*.py"))
TESTS = sorted((paths.ROOT / "tests").rglob("*.py"))
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_MEDIAN_FUNCTION_LINES = 8
MIN_TEST_RATIO = 1.2
MAX_ARROWS = 95
MAX_ROOM_SHARE = 0.14

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    return paths.relative(path)


def _functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, Function))


def _own_lines(function: Function) -> int:
    """Lines of the body that hold code: no docstring, no blank line, no comment, no function within."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    inner = [node for child in body for node in ast.walk(child) if isinstance(node, Function)]
    skipped = {id(node) for function in inner for node in ast.walk(function)}
    nodes = [node for child in body for node in ast.walk(child) if id(node) not in skipped and hasattr(node, "lineno")]
    return len({line for node in nodes for line in (node.lineno, node.end_lineno)})


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=_name)
def test_a_file_is_short(path: Path) -> None:
    """A file that grows past this has two jobs."""
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_function_fits_one_screen(path: Path) -> None:
    """No function body is longer than a screen."""
    assert {f.name: _own_lines(f) for f in _functions(path) if _own_lines(f) > MAX_FUNCTION_LINES} == {}


def test_most_functions_are_tiny() -> None:
    """Half of all functions are a few lines long."""
    assert statistics.median(_own_lines(f) for path in SOURCES for f in _functions(path)) <= MAX_MEDIAN_FUNCTION_LINES


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py"], ids=_name)
def test_a_package_file_is_a_docstring(path: Path) -> None:
    """Importing a package runs nothing."""
    assert [type(node) for node in ast.parse(path.read_text()).body] == [ast.Expr]


def test_a_module_name_stands_once() -> None:
    """A name says where one is; the two re-exports keep the paths that others import, a stage is called as its verb."""
    names = Counter(path.stem for path in SOURCES if not path.name.startswith("__") and path.parent.name != "stages")
    assert {name for name, count in names.items() if count > 1} == {"ensemble", "stream"}


def _broad_excepts(tree: ast.Module) -> list[str]:
    """The functions, outermost first, in which any error is caught."""
    scopes = {id(node): top.name for top in tree.body if isinstance(top, Function) for node in ast.walk(top)}
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    caught = [(node, ast.unparse(node.type) if node.type else "Exception") for node in handlers]
    return [scopes.get(id(node), "") for node, names in caught if re.search(r"\b(Base)?Exception\b", names)]


def test_any_error_is_caught_in_one_place() -> None:
    """By what loops survive; anywhere else an error has a name."""
    found = {_name(path): _broad_excepts(ast.parse(path.read_text())) for path in SOURCES}
    assert {name: scopes for name, scopes in found.items() if scopes} == {"src/base/loops.py": ["keep_going"]}


@pytest.mark.parametrize("broad", ["except Exception:", "except (ValueError, BaseException) as e:", "except:"])
def test_another_place_would_be_found(broad: str) -> None:
    """In whatever form."""
    assert _broad_excepts(ast.parse(f"def f():\n try: g()\n {broad} pass")) == ["f"]


def test_rooms_are_few_and_tied_by_few_arrows() -> None:
    """At most 95 imports between rooms, and none holds more than 14 % of the lines."""
    graph = grimp.build_graph("btc_signal", "src", cache_dir=None)
    rooms = {
        module: ".".join(module.split(".")[: 1 if module.startswith("btc_signal") else 2]) for module in graph.modules
    }
    arrows = {(rooms[a], rooms[b]) for a in graph.modules for b in graph.find_modules_directly_imported_by(a)}
    assert sum(a != b for a, b in arrows) <= MAX_ARROWS
    lines = Counter()
    for path in SOURCES:
        room = path.relative_to(paths.ROOT).parts[: 1 if path.is_relative_to(paths.ROOT / "btc_signal") else 2]
        lines[room] += len(path.read_text().splitlines())
    assert max(lines.values()) <= MAX_ROOM_SHARE * lines.total()


def test_tests_outweigh_the_source() -> None:
    """There is more proof than claim."""
    in_tests, in_source = (sum(len(path.read_text().splitlines()) for path in files) for files in (TESTS, SOURCES))
    assert in_tests >= MIN_TEST_RATIO * in_source
