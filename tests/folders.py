"""What lies in a folder of releases."""

from pathlib import Path

from src.ml.ensemble import ProductionEnsemble

# What a deployment writes by the way.
BOOKS = {".lock", "releases.json"}


def served(folder: Path, link: str = "production") -> str:
    """Return the version that a bot reads there."""
    return str(ProductionEnsemble.load(folder / link).get_model_info()["version"])


def names(folder: Path) -> list[str]:
    """Return the names of what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def held(folder: Path) -> dict[str, object]:
    """Return every path in a folder with what it holds, the books of `deploy` left out."""
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.name not in BOOKS
    }
