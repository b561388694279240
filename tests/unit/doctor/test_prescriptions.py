"""What `check` tells people to type: copied without a thought, it loses nothing and publishes nothing."""

import ast
import re

import pytest

from src.base import paths

# Deletes or overwrites what nobody else has; or shows others what they were not to see.
FORBIDDEN = (
    r"git (add|push|clean|reset --hard|commit(?! --no-edit))",
    r"git checkout (?!HEAD -- |\{)",
    r"dvc (push(?! \{)|gc(?! --all-commits --dry)|destroy|remove)",
    r"rm -rf (?!\.venv)",
    r"(?<!DRY_RUN=true )make retrain",
    r"--force(?!$)",
)
MODULES = sorted((paths.ROOT / "src" / "doctor").glob("*.py"))


def commands_of(source: str) -> list[str]:
    """Every text of a module, what is computed as {}; without docstrings, and without what words quote for a person."""
    tree, documents, parts = ast.parse(source), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            documents.add(node.value)
        if isinstance(node, ast.JoinedStr):
            parts |= {part for part in node.values if isinstance(part, ast.Constant)}
    texts = [
        "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        if isinstance(node, ast.JoinedStr)
        else node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        if node not in documents | parts
    ]
    return [re.sub("`[^`]*`", "", text) for text in texts]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_no_command_loses_or_publishes(file) -> None:
    """Words may name such a command, in backticks: they leave the decision to a person."""
    found = [text for text in commands_of(file.read_text()) if any(re.search(one, text) for one in FORBIDDEN)]
    assert found == []


@pytest.mark.parametrize(
    "command",
    [
        *("git add --all && git commit", "dvc push && git push --follow-tags", "git push --set-upstream origin {name}"),
        *("rm -rf .dvc/tmp/lock", "make retrain", "dvc gc --all-commits", "git reset --hard HEAD", "git clean -fd"),
    ],
)
def test_such_a_command_is_seen(command: str) -> None:
    """In a text, and in one with names in it; as words it may stand."""
    (text,) = commands_of(f'warn("git", {"f" if "{" in command else ""}"{command}")')[1:]
    assert any(re.search(one, text) for one in FORBIDDEN)
    assert not any(re.search(one, text) for text in commands_of(f'"so `{command}`"') for one in FORBIDDEN)
