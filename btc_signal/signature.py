"""Signatures by an Ed25519 key that this machine never sees, of models and statements; asked for where a key is named.

The metadata name the sha256 of both files, so a signature of the metadata's very bytes holds for all three. Whoever may
write to git, the cache and the remote can change all three together, but not sign them.
"""

import os
from pathlib import Path

from btc_signal.exceptions import ModelError
from btc_signal.files import shown

# The path of the public key, PEM, as `openssl pkey -pubout` writes it.
PUBLIC_KEY = "MODEL_PUBLIC_KEY"
SIGNATURES = "signatures"


def signature_file(directory: Path, version: str) -> Path:
    """Return where the signature of a version lies beside its model; those of earlier versions stay for rollbacks."""
    return directory / SIGNATURES / f"{version}.sig"


def is_asked() -> bool:
    """Tell whether signatures are asked for."""
    return PUBLIC_KEY in os.environ


def check_signature(content: bytes, file: Path, kind: str, name: str) -> None:
    """Make sure, where `MODEL_PUBLIC_KEY` names a key, that its owner signed these bytes: metadata, or a statement.

    `file` is the signature, `kind` and `name` are for the messages. `ModelError` if there is no signature, it is of
    other bytes or by another key, or the key cannot be read.
    """
    key = os.environ.get(PUBLIC_KEY)
    if key is None:
        return
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - asked for by few, and slow to import
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415
    except ImportError as error:
        msg = f"{PUBLIC_KEY} asks for a signature, and the package cryptography is not installed; install it"
        raise ModelError(msg) from error
    try:
        public = load_pem_public_key(Path(key).read_bytes())
        signature = file.read_bytes()
    except (OSError, ValueError) as error:
        msg = f"{kind} {name} cannot be verified with {PUBLIC_KEY} {key!r}: {error}; docs/promote.md says how to sign"
        raise ModelError(msg) from error
    if not isinstance(public, Ed25519PublicKey):
        msg = f"{PUBLIC_KEY}: expected an Ed25519 key in {key}, got {type(public).__name__}"
        raise ModelError(msg)
    try:
        public.verify(signature, content)
    except InvalidSignature as error:
        msg = f"{shown(file)} does not sign this {kind} by the key in {key}; changed, or signed by another"
        raise ModelError(msg) from error
