"""The order of promoted versions."""

from src.release.history import Promoted, _first_of_each


def promoted(version: str, created_at: str, commit: str) -> Promoted:
    return Promoted(version, commit, {"version": version, "created_at": created_at}, {}, [])


def test_the_order_is_that_of_the_commits() -> None:
    """A clock that was set back, or stood still, neither moves a version nor hides one."""
    found = [
        promoted("1.0.0", "2020", "rolled back"),
        promoted("1.2.0", "2020", "clock stood still"),
        promoted("1.1.0", "1990", "clock set back"),
        promoted("1.0.0", "2020", "first"),
    ]
    listed = [(one.version, one.commit) for one in _first_of_each(found)]
    assert listed == [("1.2.0", "clock stood still"), ("1.1.0", "clock set back"), ("1.0.0", "first")]
