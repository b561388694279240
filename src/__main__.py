"""Run the command line: ``python -m src COMMAND``."""

import io
import os
import sys


def main() -> None:
    """Run it; byte code that a full disk cut off, which Python neither checks nor makes anew, is removed first."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As standard error does: a character that the terminal's encoding lacks is shown as its number.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        from src.cli import app  # noqa: PLC0415 - it may be the one that was cut off
    except ImportError as error:
        sys.stderr.write(f"error: {error}; `python3 scripts/management/dev_check.py` says what is broken\n")
        sys.exit(2)
    except EOFError as error:
        _without_damaged_byte_code(error)
        raise
    try:
        app(prog_name="python -m src", complete_var="_SRC_COMPLETE")
    except EOFError as error:
        _without_damaged_byte_code(error)
        raise


def _without_damaged_byte_code(error: EOFError) -> None:
    """Start anew where that is what is wrong."""
    if "marshal" in str(error):
        from src.base.byte_code import remove_damaged  # noqa: PLC0415 - as above

        if remove_damaged():
            os.execv(sys.executable, [sys.executable, "-m", "src", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
