"""What README and docs point at is there: files, headings, tests."""

import ast
import re
import tomllib

import pytest

from src.base import paths
from tests.documents import DOCUMENTS, TEST

PATH = re.compile(r"`((?:\.github|btc_signal|data|docs|models|reports|scripts|src|tests)/[\w/.-]*)(?:::(\w+))?`")
RUN_BY = re.compile(f"^<!-- run by: {TEST.pattern} -->$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]*))?\)")
# What people read, type, or have run for them.
TOLD = {
    paths.relative(file): file.read_text()
    for folder, names in (("src", "*.py"), ("scripts", "*"), (".github", "*.yml"), ("docs", "*.md"), (".", "Makefile"))
    for file in (paths.ROOT / folder).glob(names if folder == "." else f"**/{names}")
    if file.is_file() and file.suffix != ".pyc"
} | DOCUMENTS
PUSH = re.compile(r"""git(?: |\(")push\b[^`\n]*""")
ONE_BRANCH = 'git push --quiet origin "locks-$GITHUB_RUN_ID"'  # of a new branch, which has no tag
PUSHED = {name: found for name, text in TOLD.items() if (found := PUSH.findall(text.replace(ONE_BRANCH, "")))}


def _found(pattern: re.Pattern) -> list[tuple[str, ...]]:
    return sorted(
        {(name, *found.groups()) for name, text in DOCUMENTS.items() for found in pattern.finditer(text)}, key=str
    )


@pytest.mark.parametrize(("document", "path", "test"), _found(PATH) + _found(RUN_BY))
def test_a_path_that_is_named_is_there(document: str, path: str, test: str | None) -> None:
    """And the test in it, where one is named; a file that the pipeline writes need not be there yet."""
    assert (paths.ROOT / path).exists() or paths.ROOT / path in vars(paths).values()
    if test is not None:
        tree = ast.parse((paths.ROOT / path).read_text())
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("document", "target", "anchor"), _found(LINK))
def test_a_link_leads_somewhere(document: str, target: str, anchor: str | None) -> None:
    """Also to the heading it names, spelt as GitHub does."""
    file = (paths.ROOT / document).parent / target if target else paths.ROOT / document
    assert file.exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_guide_is_listed_in_readme() -> None:
    """What nothing leads to is not found."""
    guides = {name for name in DOCUMENTS if name.startswith("docs/")}
    assert guides - set(LINK.sub(r"\n\1\n", DOCUMENTS["README.md"]).splitlines()) == set()


def test_the_map_has_every_room_in_the_order_of_the_layers() -> None:
    """From the command line down, neighbours of a layer in one row; last the bot's, which all others may import."""
    (rooms,) = re.findall(r"^\| room \|.*\n(?:\|.*\n)+", DOCUMENTS["docs/architecture.md"], re.MULTILINE)
    rows = [line.split("|")[1] for line in rooms.splitlines()[2:]]
    shown = [set(re.findall(r"`(?:src/)?(\w+)(?:/|\.py)`", row)) for row in rows]
    layers = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0][
        "layers"
    ]
    assert shown == [*({room.strip() for room in layer.split("|")} for layer in layers[1:]), {"btc_signal"}]


def test_every_push_is_of_branch_and_tags_or_of_neither() -> None:
    """In guides, messages and programs: the number of a tag whose commit was rejected is lost to everybody."""
    assert [push for pushes in PUSHED.values() for push in pushes if "--atomic" not in push] == []


def test_one_command_publishes() -> None:
    """Whoever pushed by hand would have to push the objects first, prove them, and name each tag."""
    assert set(PUSHED) == {"src/retrain/publish.py"}


def test_every_threat_names_the_test_that_shows_its_control() -> None:
    """No row of the threat model is a mere promise."""
    rows = [line for line in DOCUMENTS["docs/threat-model.md"].splitlines() if line.startswith("| ")][1:]
    assert [row for row in rows if "`tests/" not in row.split("|")[4]] == []
    assert len(rows) > 10
