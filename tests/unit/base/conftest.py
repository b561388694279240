"""params.yaml with parts of it replaced."""

import pytest

from src.base import paths
from src.policy import load_policy

SHIPPED = paths.PARAMS.read_text(encoding="utf-8")


@pytest.fixture
def load(tmp_path):
    """A function that loads the shipped text with parts of it replaced."""

    def load_changed(*changes, text=SHIPPED):
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "params.yaml"
        path.write_text(text, encoding="utf-8")
        return load_policy(path)

    return load_changed
