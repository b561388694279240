"""Keys and signatures, made as docs/promote.md says."""

import json
import subprocess
from pathlib import Path

from btc_signal.signature import signature_file
from src.base import paths


def openssl(*arguments: object) -> None:
    """Run openssl."""
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_keys(folder: Path, name: str, algorithm: str = "ed25519") -> tuple[Path, Path]:
    """Make a pair as docs/promote.md says; the secret one would be made, and stay, on another machine."""
    secret, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    openssl("genpkey", "-algorithm", algorithm, "-out", secret)
    openssl("pkey", "-in", secret, "-pubout", "-out", public)
    return secret, public


def sign(directory: Path, secret: Path) -> Path:
    """Sign what lies there as docs/promote.md says."""
    metadata = directory / paths.METADATA.name
    file = signature_file(directory, json.loads(metadata.read_text())["version"])
    file.parent.mkdir(exist_ok=True)
    openssl("pkeyutl", "-sign", "-rawin", "-inkey", secret, "-in", metadata, "-out", file)
    return file
