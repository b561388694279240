"""Which tests are asked about a fault: first those of its room and of its module, then those of its importers."""

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path

import grimp

from tests.mutants.choose import room_of
from tests.mutants.fault import Fault

LIKELY = 3
OURS = ("src", "btc_signal", "scripts")
# Rooms whose tests lie in another's folder.
TESTED_IN = {"cli": "commands"}


class Reach:
    """The tests of one work tree, by what they import.

    Parameters
    ----------
    seconds
        What the tests of each file take; the quick ones are asked first.
    """

    def __init__(self, root: Path, seconds: Mapping[str, float]) -> None:
        self.root, self.seconds = root, seconds

    def near(self, file: str) -> list[str]:
        """Return the test files of a file's room and those that import it; first those that are both."""
        if room_of(file) == "scripts":
            return self._running(file)
        of_room, importing = self._of_room(room_of(file)), self._importing({module_of(file)})
        both = set(of_room) & set(importing)
        return [*self._quick_first(both), *self._quick_first({*of_room, *importing} - both)]

    def far(self, file: str) -> list[str]:
        """Return the further test files: of the modules that import this one, and of their rooms."""
        if room_of(file) == "scripts":
            return []
        importers = self.graph.find_modules_that_directly_import(module_of(file))
        rooms = sorted({room_of(importer.replace(".", "/") + ".py") for importer in importers})
        found = [*self._importing(importers), *(test for room in rooms for test in self._of_room(room))]
        return self._quick_first(set(found) - set(self.near(file)))

    def all(self, files: Iterable[str]) -> list[str]:
        """Return all test files that any of these files could ask for."""
        return sorted({test for file in files for test in (*self.near(file), *self.far(file))})

    @cached_property
    def graph(self) -> grimp.ImportGraph:
        """What imports what, as it is in the present folder."""
        return grimp.build_graph("btc_signal", "src", cache_dir=None)

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """The modules that each unit and property test names."""
        return {test: set(names_in(self.root / test)) for test in self._tests("unit", "properties")}

    def _quick_first(self, tests: Iterable[str]) -> list[str]:
        return sorted(tests, key=lambda test: (self.seconds.get(test, 0.0), test))

    def _tests(self, *folders: str) -> list[str]:
        files = [file for folder in folders for file in (self.root / "tests" / folder).rglob("test_*.py")]
        return sorted(file.relative_to(self.root).as_posix() for file in files)

    def _of_room(self, room: str) -> list[str]:
        return self._tests(f"unit/{TESTED_IN.get(room, room)}")

    def _importing(self, modules: Iterable[str]) -> list[str]:
        return [test for test, names in self.imports.items() if not names.isdisjoint(modules)]

    def _running(self, file: str) -> list[str]:
        """Return the contracts that import a script or run it by its name."""
        name = re.escape(Path(file).stem)
        named = re.compile(rf"\b{name}\.py\b|\bscripts(?:\.| import ){name}\b")
        return [test for test in self._tests("contracts") if named.search((self.root / test).read_text())]


def module_of(file: str) -> str:
    """Name a file as Python imports it."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def names_in(file: Path) -> frozenset[str]:
    """Return every name that a file imports from us, and those within texts, as of `monkeypatch`."""
    return frozenset(_names(ast.parse(file.read_text())))


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (str(node.module), *(f"{node.module}.{name.name}" for name in node.names))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(OURS):
            words = node.value.split(".")
            yield from (".".join(words[:end]) for end in range(2, len(words) + 1))


def likely(tests: Collection[str], fault: Fault, root: Path) -> list[str]:
    """Return the test files that say most names of the fault's module; or are named as one."""
    tree = ast.parse((root / fault.file).read_text())
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    words = [Path(fault.file).stem, room_of(fault.file), *(name.strip("_") for name in defined)]
    texts = {test: (root / test).read_text() for test in tests if (root / test).exists()}
    said = {test: Counter(re.findall(r"[^\W_]+(?:_[^\W_]+)*", text)) for test, text in texts.items()}
    total = {word: sum(counts[word] for counts in said.values()) or 1 for word in words}
    named = {test: Path(test).stem.removeprefix("test_") in words for test in said}
    weight = {test: named[test] + sum(counts[word] / total[word] for word in words) for test, counts in said.items()}
    return [test for test in sorted(weight, key=lambda test: (-weight[test], test)) if weight[test]][:LIKELY]
