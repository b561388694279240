"""Run the command line: ``python -m src COMMAND``."""

import os
import sys


def main() -> None:
    """Run it; byte code that a full disk cut off, which Python neither checks nor makes anew, is removed first."""
    try:
        from src.cli import app  # noqa: PLC0415 - it may be the one that was cut off

        app(prog_name="python -m src")
    except EOFError as error:
        if "marshal" not in str(error):
            raise
        from src.byte_code import remove_damaged  # noqa: PLC0415

        if remove_damaged():
            os.execv(sys.executable, [sys.executable, "-m", "src", *sys.argv[1:]])  # noqa: S606
        raise


if __name__ == "__main__":
    main()
