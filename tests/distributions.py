"""Distributions of the package `other`: a wheel, and a source distribution whose build leaves a mark."""

import io
import tarfile
import zipfile
from pathlib import Path

WHEEL, SOURCE = "other-1.0-py3-none-any.whl", "other-1.0.tar.gz"
METADATA = "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n"
# Whatever a client wants of it, it leaves the mark first; then it stops.
BACKEND = """import pathlib, sys
pathlib.Path({mark!r}).write_text("ran")
sys.exit("the build backend ran")
"""
PYPROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def write_wheel(folder: Path) -> None:
    """Write a wheel with nothing in it."""
    files = {
        "METADATA": METADATA,
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(f"other-1.0.dist-info/{name}", text)


def write_source(folder: Path, mark: Path) -> None:
    """Write a source distribution that writes `mark` when something of it runs."""
    backend = BACKEND.format(mark=str(mark))
    files = {"PKG-INFO": METADATA, "pyproject.toml": PYPROJECT, "backend.py": backend, "setup.py": backend}
    with tarfile.open(folder / SOURCE, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"other-1.0/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
