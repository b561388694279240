"""Run the command line: ``python -m src COMMAND``."""

from src.cli import app

app(prog_name="python -m src")
