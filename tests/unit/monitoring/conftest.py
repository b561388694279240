"""A log, its bars and the limits, small enough to work out by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from src.policy import Monitor, Policy


@pytest.fixture(scope="session")
def limits(params: Policy) -> Monitor:
    """The limits as shipped."""
    return params.monitor


def logged(time: str, probability: float = 0.4, decision: int = 0, model_version: str | None = "1.0.0") -> dict:
    """One line of a log."""
    return {"time": time, "probability": probability, "decision": decision, "model_version": model_version}


@pytest.fixture
def write_log(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes lines as a log."""

    def write(*lines: dict | str, end: str = "\n") -> Path:
        file = tmp_path / "log.jsonl"
        file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + end)
        return file

    return write
