"""One family of errors, and how a command ends with one of them."""

import pytest

from src.base.errors import DataError, ModelError, ParamsError, ProjectError, PromotionError, exit_on_error, warn
from src.base.loops import keep_going

KINDS = [ParamsError, DataError, ModelError, PromotionError]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_a_project_error_and_a_value_error(kind):
    """Who catches the common base, or knows only scikit-learn's habits, catches all of them."""
    assert issubclass(kind, ProjectError)
    assert issubclass(kind, ValueError)


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_is_caught_as_another(kind):
    """Wrong data are never taken for a wrong model."""
    assert [other for other in KINDS if issubclass(kind, other)] == [kind]


@pytest.mark.parametrize("kind", [ProjectError, *KINDS])
def test_a_project_error_ends_a_command_with_its_message_and_status_2(kind, capsys):
    """One line on standard error, nothing on standard output, and no traceback."""
    with pytest.raises(SystemExit) as end, exit_on_error():
        raise kind("row 2: open is 'abc', expected a number")  # noqa: EM101, TRY003 - the words are the point
    assert end.value.code == 2
    assert capsys.readouterr() == ("", "error: row 2: open is 'abc', expected a number\n")


@pytest.mark.parametrize("kind", [ValueError, KeyError, BrokenPipeError, RuntimeError])
def test_another_error_keeps_its_traceback(kind):
    """What nobody foresaw is a bug, and its traceback is needed."""
    with pytest.raises(kind), exit_on_error():
        raise kind


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(OSError(28, "No space left on device", "file"), "file: No space left on device; mend", id="full"),
        pytest.param(OSError("a socket"), "a socket; mend that, then run it again", id="no file"),
        pytest.param(MemoryError(), "out of memory; free some, then run it again", id="memory"),
    ],
)
def test_a_machine_that_has_too_little_is_told_in_one_line(error, words, capsys):
    """What to do, and that nothing was left half-written."""
    with pytest.raises(SystemExit) as end, exit_on_error():
        raise error
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {words}")


def test_a_command_without_an_error_ends_as_usual(capsys):
    """Nothing is printed and nothing is raised."""
    with exit_on_error():
        pass
    assert capsys.readouterr() == ("", "")


HOSTILE = "version \x1b]0;owned\x07\x1b[2J [/foo] \ud800\n::error::fake\r##[error]\u202e"


def test_what_an_error_quotes_does_nothing_to_the_terminal(capsys):
    """One line, with the signs that would act as numbers, and nothing that GitHub's log obeys."""
    with pytest.raises(SystemExit) as end, exit_on_error():
        raise DataError(HOSTILE)
    assert end.value.code == 2
    shown = r"version \x1b]0;owned\x07\x1b[2J [/foo] \ud800 : :error::fake ## [error]\u202e"
    assert capsys.readouterr().err == f"error: {shown}\n"


def test_every_wrong_key_of_the_parameters_keeps_its_line(capsys):
    """And each of them is harmless."""
    with pytest.raises(SystemExit), exit_on_error():
        raise ParamsError("line 1: \x1b\n       line 2: wrong")  # noqa: EM101, TRY003 - the words are the point
    assert capsys.readouterr().err == "error: line 1: \\x1b\n       line 2: wrong\n"


def test_a_process_without_standard_error_goes_on(monkeypatch, capsys):
    """As one that was started with 2>&-; what it prints stays what it is."""
    monkeypatch.setattr("sys.stderr", None)
    warn("nobody reads it")
    keep_going([lambda: 1 / 0, lambda: None], lambda _: None, 0.0)
    with pytest.raises(SystemExit), exit_on_error():
        raise DataError
    assert capsys.readouterr().out == ""
