"""Git is started, dvc.lock parsed, the md5 of a file computed and a lock taken in one file each."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from src.base import paths

ROOMS = ("src", "btc_signal", "scripts")
STARTS = {"run", "Popen", "call", "check_call", "check_output", "getoutput", "system", "popen", "execvp", "which"}
LIBRARIES_OF_GIT = {"git", "dulwich", "pygit2", "scmrepo.git"}
Look = Callable[[ast.Module], Iterator[str]]


def starts_git(tree: ast.Module) -> Iterator[str]:
    """A list of words that begins with git, or such words given to what starts a program."""
    for node in ast.walk(tree):
        if isinstance(node, ast.List) and _first(node) == "git":
            yield ast.unparse(node)
        if isinstance(node, ast.Call) and _name(node) in STARTS:
            yield from (ast.unparse(node) for given in node.args[:1] if _first(given).split(" ")[0] == "git")
        if _imported(node) & LIBRARIES_OF_GIT:
            yield ast.unparse(node)


def parses_dvc_lock(tree: ast.Module) -> Iterator[str]:
    """YAML that is read from something called a lock, or an md5 looked up in what a YAML file held."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) in {"safe_load", "load"} and "lock" in ast.unparse(node).lower():
            yield ast.unparse(node)
        key = node.slice if isinstance(node, ast.Subscript) else None
        if isinstance(node, ast.Call) and _name(node) == "get" and node.args:
            key = node.args[0]
        if key is not None and _first(key) == "md5":
            yield ast.unparse(node)


def computes_md5(tree: ast.Module) -> Iterator[str]:
    """By hashlib, by its name, or by DVC's own function."""
    for node in ast.walk(tree):
        called = isinstance(node, ast.Attribute) and ast.unparse(node) == "hashlib.md5"
        by_name = isinstance(node, ast.Call) and _name(node) in {"new", "file_digest"} and "md5" in ast.unparse(node)
        if called or by_name or (_imported(node) & {"hashlib.md5", "dvc.utils.file_md5", "dvc_data.hashfile.hash"}):
            yield ast.unparse(node)


def imports_filelock(tree: ast.Module) -> Iterator[str]:
    """Under whatever name."""
    yield from (ast.unparse(node) for node in ast.walk(tree) if _imported(node) & {"filelock"})


PLACES: dict[Look, str] = {
    starts_git: "src/repo/git.py",
    parses_dvc_lock: "src/repo/dvc_lock.py",
    computes_md5: "src/repo/dvc_lock.py",
    imports_filelock: "src/repo/locks.py",
}


def _first(node: ast.AST) -> str:
    """The first word of a list or tuple, or a text itself."""
    if isinstance(node, ast.List | ast.Tuple):
        return _first(node.elts[0]) if node.elts else ""
    if isinstance(node, ast.JoinedStr):
        return _first(node.values[0]) if node.values else ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _imported(node: ast.AST) -> set[str]:
    """The modules that a statement imports, and what it takes from them by its full name."""
    if isinstance(node, ast.Import):
        return {name.name for name in node.names}
    if isinstance(node, ast.ImportFrom) and not node.level:
        return {str(node.module), *(f"{node.module}.{name.name}" for name in node.names)}
    return set()


@pytest.mark.parametrize("look", PLACES, ids=lambda look: look.__name__)
def test_one_file_does_it(look: Look) -> None:
    """The one that is there for it, and no other file."""
    files = [file for room in ROOMS for file in sorted((paths.ROOT / room).rglob("*.py"))]
    found = {paths.relative(file): list(look(ast.parse(file.read_text()))) for file in files}
    # A dvc.lock is parsed by its types: no key of it is named in code.
    elsewhere = {name: lines for name, lines in found.items() if lines and name != PLACES[look]}
    assert elsewhere == {}
    assert Path(paths.ROOT / PLACES[look]).is_file()


@pytest.mark.parametrize(
    ("look", "code"),
    [
        (starts_git, 'subprocess.run(["git", "status"])'),
        (starts_git, 'command = ["git", *arguments]'),
        (starts_git, 'subprocess.Popen(("git", "status"))'),
        (starts_git, 'os.system("git status")'),
        (starts_git, 'os.popen(f"git show {commit}")'),
        (starts_git, 'shutil.which("git")'),
        (starts_git, "from git import Repo"),
        (parses_dvc_lock, "yaml.safe_load(paths.LOCK.read_text())"),
        (parses_dvc_lock, 'yaml.safe_load(git("show", f"{commit}:dvc.lock"))'),
        (parses_dvc_lock, '{out["path"]: out["md5"] for out in outs}'),
        (parses_dvc_lock, 'entry.get("md5")'),
        (computes_md5, "hashlib.md5(content).hexdigest()"),
        (computes_md5, "digest = hashlib.md5"),
        (computes_md5, 'hashlib.new("md5", content)'),
        (computes_md5, "from hashlib import md5"),
        (imports_filelock, "from filelock import FileLock"),
        (imports_filelock, "import filelock"),
    ],
    ids=lambda given: given if isinstance(given, str) else given.__name__,
)
def test_another_file_that_did_it_would_be_found(look: Look, code: str) -> None:
    """Each way in which it was, or might be, written."""
    assert list(look(ast.parse(code)))


@pytest.mark.parametrize("look", PLACES, ids=lambda look: look.__name__)
def test_what_only_speaks_of_it_is_not_found(look: Look) -> None:
    """A name, a message, another file."""
    code = 'from src.repo.git import git\nNEEDS = ("git", "dvc")\nyaml.safe_load(params)\nf"`git pull` has {out.md5}"\n'
    assert list(look(ast.parse(code))) == []
