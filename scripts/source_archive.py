"""Take a source distribution from the package index as the file it is.

`pip download` runs the build backend of a source distribution to learn what it requires, and code of others with it.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.request
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
TIMEOUT_S = 60


class Archive(NamedTuple):
    """A file of a distribution, and the sha256 it must have."""

    distribution: str
    name: str
    sha256: str


def index_url() -> str:
    """Return the index that pip asks; pip's help shows it, whether it is set or pip's own."""
    command = [sys.executable, "-m", "pip", "download", "--help"]
    environment = os.environ | {"COLUMNS": "1000"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    found = re.search(r"--index-url <url>.*?\(default\s+(\S+?)\)", said.stdout, re.DOTALL)
    if not found or "****" in found[1]:
        sys.exit(f"error: expected an index without a password, pip names {found[1] if found else said.stderr.strip()}")
    return found[1].rstrip("/") + "/"


def download(archive: Archive) -> bytes:
    """Return the archive as it is, with that hash or not at all; nothing of it is run."""
    page = urljoin(index_url(), f"{archive.distribution}/")
    files = json.loads(_get(page, SIMPLE_JSON))["files"]
    urls = [urljoin(page, file["url"]) for file in files if file["filename"] == archive.name]
    if not urls:
        sys.exit(f"error: expected {archive.name} at {page}, found {', '.join(file['filename'] for file in files)}")
    content = _get(urls[0], "*/*")
    found = hashlib.sha256(content).hexdigest()
    if found != archive.sha256:
        sys.exit(f"error: {urls[0]} has sha256 {found}, expected {archive.sha256}")
    return content


def _get(url: str, accept: str) -> bytes:
    """Return what the index answers."""
    if urlsplit(url).scheme not in {"http", "https"}:
        sys.exit(f"error: expected an address that starts with http or https, got {url}")
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310 - the scheme was looked at
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
            return answer.read()
    except OSError as error:
        sys.exit(f"error: {url} does not answer: {error}")
