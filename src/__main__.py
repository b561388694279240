"""Run the command line: ``python -m src COMMAND``."""

import sys

try:
    from src.cli import app
except ImportError as error:
    sys.stderr.write(f"error: {error}; `python3 scripts/management/dev_check.py` says what is broken\n")
    sys.exit(2)

app(prog_name="python -m src")
