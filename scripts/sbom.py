"""Write what users install: sbom.cdx.json, the bill of materials of serving, and docs/licences.md, who licenses what.

Versions, hashes and who requires whom are those of the locks, licences those of the packages installed here. Where the
metadata of a package leave doubt, pyproject.toml, section `tool.licences`, says what people read.
"""

import json
import re
import sys
import tomllib
import uuid
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, NamedTuple

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from license_expression import get_spdx_licensing
from packageurl import PackageURL
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

ROOT = Path(__file__).resolve().parents[1]
SBOM, LICENCES = ROOT / "sbom.cdx.json", ROOT / "docs" / "licences.md"
SERVING = "requirements-serve.lock"
# What a column of the table is called, and which lock it shows.
USERS = {
    "serve": SERVING,
    "model": "requirements-model.lock",
    "commands": "requirements.lock",
}
PROJECT = "btc-signal-pipeline"
AGAIN = "run `make .venv/.requirements-dev`, then `make sbom`"
SPDX = get_spdx_licensing()
# Words that leave no doubt; "BSD License" does.
WORDS = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


class Pin(NamedTuple):
    """What a lock says of a distribution: version, sha256 of its files, and who requires it."""

    version: str
    hashes: list[str]
    parents: list[str]


def read_pins(lock: str) -> dict[str, Pin]:
    """Read what `uv pip compile` wrote."""
    text = (ROOT / lock).read_text()
    blocks = re.findall(r"^([a-z0-9-]+)==(\S+)(.*(?:\n .*)*)", text, re.MULTILINE)
    return {
        name: Pin(
            version,
            sorted(re.findall(r"--hash=sha256:(\w+)", rest)),
            sorted(re.findall(r"^    # (?:  |via )([a-z0-9][a-z0-9-]*)(?: \(.*\))?$", rest, re.MULTILINE)),
        )
        for name, version, rest in blocks
    }


def stated(name: str, version: str) -> str | None:
    """Return the licence that the metadata of an installed distribution state; None if they leave doubt."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return None
    if about["Version"] != version:
        sys.exit(f"error: expected {name} {version} as locked, {about['Version']} is installed; {AGAIN}")
    classifiers = [line.split(" :: ")[-1] for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    for words in (about.get_all("License-Expression", []), about.get_all("License", []), classifiers):
        meant = {_spdx(word) for word in words}
        if len(meant) == 1 and None not in meant:
            return meant.pop()
    return None


def _spdx(words: str) -> str | None:
    """Write a licence as SPDX does; None if it is not known there."""
    try:
        return canonicalize_license_expression(WORDS.get(words, words))
    except InvalidLicenseExpression:
        return None


def licences(pins: dict[str, Pin], rules: dict[str, Any]) -> dict[str, str]:
    """Return every distribution's licence; an error names all of which none is known, or which may not be used."""
    found = {name: stated(name, pin.version) or rules["read"].get(name) for name, pin in pins.items()}
    excepted = {(rule["name"], rule["licence"]) for rule in rules["excepted"]}
    wrong = {
        name: licence
        for name, licence in found.items()
        if licence is None or not (is_allowed(SPDX.parse(licence), rules["allowed"]) or (name, licence) in excepted)
    }
    if wrong:
        named = ", ".join(f"{name} ({licence or 'unknown'})" for name, licence in sorted(wrong.items()))
        sys.exit(f"error: expected licences that pyproject.toml, section tool.licences, allows or names, got {named}")
    return {name: licence for name, licence in found.items() if licence}


def is_allowed(expression: Any, allowed: list[str]) -> bool:  # noqa: ANN401 - license_expression has no types
    """Tell whether an SPDX expression can be kept with the allowed licences alone."""
    if isinstance(expression, SPDX.AND):
        return all(is_allowed(part, allowed) for part in expression.args)
    if isinstance(expression, SPDX.OR):
        return any(is_allowed(part, allowed) for part in expression.args)
    return str(expression) in allowed


def bill_of_materials(pins: dict[str, Pin], licence_of: dict[str, str], version: str) -> str:
    """Return the CycloneDX document of a lock: no clock and no chance in it, so that equal locks give equal bytes."""
    make = LicenseFactory().make_from_string
    project = Component(name=PROJECT, version=version, type=ComponentType.APPLICATION, bom_ref=PROJECT)
    parts = {PROJECT: project} | {
        name: Component(
            name=name,
            version=pin.version,
            type=ComponentType.LIBRARY,
            bom_ref=name,
            purl=PackageURL("pypi", name=name, version=pin.version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.hashes],
            licenses=[make(licence_of[name])],
        )
        for name, pin in pins.items()
    }
    serial = uuid.uuid5(uuid.NAMESPACE_OID, repr((version, pins, licence_of)))
    bom = Bom(components=[parts[name] for name in pins], serial_number=serial)
    bom.metadata.component = project
    for name, part in parts.items():
        bom.register_dependency(part, [parts[child] for child, pin in pins.items() if name in pin.parents])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def table(sets: dict[str, dict[str, Pin]], licence_of: dict[str, str], rules: dict[str, Any]) -> str:
    """Return the page on licences."""
    pins = {name: pin for members in sets.values() for name, pin in members.items()}
    rows = [
        [name, pin.version, licence_of[name], *("x" if name in members else "" for members in sets.values())]
        for name, pin in sorted(pins.items())
    ]
    lines = [
        "# Licences of what is installed",
        "",
        "Made by `make sbom` from the locks and the packages' own metadata. A wheel may carry code of others:",
        "the licence files in it say whose.",
        "",
        "| column | lock | distributions |",
        "|---|---|---:|",
        *(f"| {title} | `{USERS[title]}` | {len(members)} |" for title, members in sets.items()),
        "",
        f"Allowed: {', '.join(rules['allowed'])}.",
        "Any other licence stops `make sbom` and the tests, but for these:",
        "",
        *(f"- {rule['name']}, {rule['licence']}: {rule['reason']}." for rule in rules["excepted"]),
        "",
        "| " + " | ".join(["distribution", "version", "licence", *sets]) + " |",
        "|---|---|---|" + ":-:|" * len(sets),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def documents() -> dict[Path, str]:
    """Return both files as they should be."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    rules = pyproject["tool"]["licences"]
    sets = {title: read_pins(lock) for title, lock in USERS.items()}
    licence_of = licences({name: pin for pins in sets.values() for name, pin in pins.items()}, rules)
    return {
        SBOM: bill_of_materials(sets["serve"], licence_of, pyproject["project"]["version"]),
        LICENCES: table(sets, licence_of, rules),
    }


if __name__ == "__main__":
    for path, text in documents().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
