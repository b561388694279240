"""Keys and signatures, made as docs/promote.md says."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from btc_signal.bundle import sha256
from btc_signal.channel import Statement, statement_file, statement_signature
from btc_signal.signature import signature_file
from src.base import paths, storage


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


def version_of(directory: Path) -> dict[str, str]:
    """Return the version that lies there, as a statement names it."""
    content = (directory / paths.METADATA.name).read_bytes()
    return {json.loads(content)["version"]: sha256(content)}


def allow(folder: Path, secret: Path, versions: dict[str, str], **changes: object) -> Path:
    """Write a signed statement that allows versions, of production, serial 1, until next month; return its file."""
    now = datetime.now(UTC)
    usual = Statement("production", 1, versions, now, now + timedelta(days=30))
    return put_statement(folder, secret, usual._replace(**changes))


def put_statement(folder: Path, secret: Path, statement: Statement) -> Path:
    """Write a statement, signed; return its file."""
    file = statement_file(folder, statement.stage)
    storage.write_json(statement.to_plain(), file)
    sign_statement(file, secret)
    return file


def sign_statement(file: Path, secret: Path) -> Path:
    """Sign a statement as docs/promote.md says."""
    said = json.loads(file.read_text())
    signature = statement_signature(file.parent, said["stage"], said["serial"])
    openssl("pkeyutl", "-sign", "-rawin", "-inkey", secret, "-in", file, "-out", signature)
    return signature
