"""What the doctor says of the statement which versions may be served, where a public key is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from btc_signal.bundle import read_metadata
from btc_signal.signature import PUBLIC_KEY
from src.base import paths
from src.doctor.pipeline_outputs import Models
from tests.signing import allow, make_keys, sign, version_of


def test_a_statement_that_is_missing_is_named(
    promote: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that makes one; with it the model is right, and without a key nobody asks."""
    promote("1.0.0")
    model = tmp_path / "models" / "production"
    model.parent.mkdir()
    (tmp_path / "promoted").rename(model)
    secret, public = make_keys(tmp_path, "owner")
    sign(model, secret)
    metadata = read_metadata(model / paths.METADATA.name)
    assert Models(tmp_path)._bundle(metadata).name == "model"
    monkeypatch.setenv(PUBLIC_KEY, str(public))
    found = Models(tmp_path)._bundle(metadata)
    assert (found.verdict, found.name, found.command) == ("failed", "statement", "python -m src channel")
    allow(model.parent, secret, version_of(model))
    assert Models(tmp_path)._bundle(metadata).verdict == "passed"
