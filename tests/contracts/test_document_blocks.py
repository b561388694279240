"""Every block of README and docs does what it says; see `tests/documents.py` for what a block may be."""

import json
import re
from collections.abc import Callable

import pytest
import yaml

from src.base import paths
from src.base.errors import ParamsError
from src.policy import load_policy
from tests.checkouts import Checkout
from tests.documents import DOCUMENTS, ENGLISH, Block, blocks, fences, shape
from tests.warm.programs import environment

# What DVC itself does, at length; tests/e2e/test_experiments.py has what is ours in it.
SLOW = {"docs/experiments.md": pytest.mark.endure}
RUNNABLE = [pytest.param(name, marks=SLOW.get(name, ())) for name in ENGLISH if blocks(name)]
# A block of each kind that is none: it would be printed and never tried.
UNKNOWN = [
    ("text", "", ""),
    ("", "", ""),
    ("bash", "", ""),
    ("yaml", "", ""),
    ("sh", "not run", ""),
    ("sh", "not run", "slow"),
    ("python", "run by", "some test"),
    ("text", "output", ""),
    ("sh", "output", "ls"),
    ("sh", "params", ""),
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_is_of_a_known_kind(document: str) -> None:
    """A block is run, compared, loaded, or says why not; none hides in a list or a quotation."""
    assert [str(block) for block in blocks(document) if block.kind == "unknown"] == []
    assert fences(document) == 2 * len(blocks(document))


@pytest.mark.parametrize(("language", "note", "words"), UNKNOWN)
def test_a_block_of_no_kind_is_seen(language: str, note: str, words: str) -> None:
    """So the test above can fail."""
    assert Block("docs/a.md", 1, note, words, language, "ls\n").kind == "unknown"


def test_a_shape_leaves_out_decimals_hashes_and_widths_only() -> None:
    """Words, counts, versions and days are compared."""
    table = "\n| skill   | -0.00841 |\n|-------|----|\n05a6373 1.2.0\n"
    assert shape(table) == shape("| skill | 0.1 |\n|---|---|\na308739 1.2.0")
    for one, other in [("1.2.0", "1.3.0"), ("12 rows", "13 rows"), ("2019-10-17", "2019-10-18"), ("a", "a\nb")]:
        assert shape(one) != shape(other)


@pytest.fixture(scope="session")
def run_document(promoted: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Block]], None]:
    """A function that runs blocks in a repository with few bars and a promoted model; for README, as it is cloned."""

    def run_all(document: list[Block]) -> None:
        folder = tmp_path_factory.mktemp("document")
        checkout = promoted.copy(folder / "repository")
        if document[0].document == "README.md":
            checkout.run("git", "clean", "-dfX", "--quiet", "data", "models", "reports")
        environment(checkout.root)
        (checkout.root / ".git" / "info" / "exclude").write_text(".venv\n")  # ignored is a folder, and this is a link
        for block in document:
            try:
                _run(block, checkout)
            except (AssertionError, ParamsError, yaml.YAMLError) as error:
                error.add_note(f"{block}:\n{block.text}")
                raise

    return run_all


@pytest.mark.parametrize("document", RUNNABLE)
def test_every_block_does_what_it_says(document: str, run_document: Callable[[list[Block]], None]) -> None:
    """From the first to the last, as a reader would who follows the document."""
    run_document(blocks(document))


@pytest.mark.parametrize(
    ("language", "note", "words", "text", "said"),
    [
        ("sh", "", "", "true\nfalse | cat\n", "exited with 1"),
        ("python", "", "", "1 / 0\n", "ZeroDivisionError"),
        ("diff", "", "", "--- a/Makefile\n+++ b/Makefile\n@@ -1 +1 @@\n-nothing of it\n+x\n", "patch does not apply"),
        ("text", "output", "echo 3", "4\n", r"\['3'\]"),
        ("text", "output", "echo 3; false", "3\n", "exited with 1"),
        ("yaml", "params", "", "gate:\n  no_such_key: 1\n", "no_such_key: unknown key"),
    ],
)
def test_a_block_that_is_wrong_is_named(
    language: str, note: str, words: str, text: str, said: str, run_document: Callable[[list[Block]], None]
) -> None:
    """With its document and line, after those that are right."""
    right = Block("docs/a.md", 3, "", "", "sh", "true\n")
    with pytest.raises((AssertionError, ParamsError), match=said) as failure:
        run_document([right, Block("docs/a.md", 7, note, words, language, text)])
    assert failure.value.__notes__[0].startswith("docs/a.md line 7, ")


def _run(block: Block, checkout: Checkout) -> None:
    """Do what the block's kind asks for; folders of a server lie beside the repository."""
    served = str(checkout.root.parent)
    text, words = (re.sub(r"/srv(?=/\w)", served, part) for part in (block.text, block.words))
    match block.kind:
        case "sh":
            checkout.run("bash", "-euo", "pipefail", "-c", text)
        case "python":
            checkout.python(text)
        case "diff":
            patch = checkout.root.parent / "block.diff"
            patch.write_text(text)
            checkout.run("git", "apply", str(patch))
        case "output":
            said = checkout.run("bash", "-c", words)
            assert shape(said.replace(served, "/srv")) == shape(block.text)
        case "params":
            file = checkout.root.parent / "params.yaml"
            file.write_text(json.dumps(_merged(yaml.safe_load(paths.PARAMS.read_text()), yaml.safe_load(text))))
            load_policy(file)


def _merged(whole: dict, piece: dict) -> dict:
    """The whole with the values of the piece; a section of it keeps what the piece leaves out."""
    sections = [key for key, value in piece.items() if isinstance(value, dict) and key in whole]
    return {**whole, **piece, **{key: _merged(whole[key], piece[key]) for key in sections}}
