"""The number of the next version."""

import pytest

from src.release.versions import next_version


@pytest.mark.parametrize(
    ("versions", "change", "following"),
    [
        pytest.param(["1.0.0"], "patch", "1.0.1", id="patch"),
        pytest.param(["1.2.3"], "minor", "1.3.0", id="minor"),
        pytest.param(["1.2.3"], "major", "2.0.0", id="major"),
        pytest.param([], "major", "1.0.0", id="the first"),
        pytest.param(["2.3.9", "2.3.10"], "patch", "2.3.11", id="numbers, not letters"),
        pytest.param(["1.0.0", "1.1.0", "1.0.1"], "patch", "1.1.1", id="after the highest, not the newest"),
    ],
)
def test_a_version_is_given_once(versions: list[str], change: str, following: str) -> None:
    """One number of the highest is raised, and those after it are 0."""
    assert next_version(versions, change) == following
