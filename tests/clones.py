"""Clones of a bare remote, between which commits and tags go."""

from pathlib import Path

from src.base import paths
from src.release.tags import Stage, tag
from tests.checkouts import Checkout


def clone_of(folder: Path, name: str) -> Checkout:
    """Clone the bare remote, as a colleague would."""
    Checkout(folder).run("git", "clone", "--quiet", f"file://{folder}/remote.git", name)
    return Checkout(folder / name)


def commit(checkout: Checkout, name: str) -> None:
    (checkout.root / name).touch()
    checkout.commit(name)


def promote(checkout: Checkout, version: str, stage: Stage = "production") -> None:
    """Commit metadata, and tag them."""
    paths.METADATA.parent.mkdir(parents=True, exist_ok=True)
    paths.METADATA.write_text(f'{{"version": "{version}"}}')
    tag(version, checkout.commit("promotion"), stage)


def head(checkout: Checkout) -> str:
    return checkout.run("git", "rev-parse", "HEAD").strip()
