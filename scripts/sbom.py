"""Write what users install: sbom.cdx.json, the bill of materials of serving, and docs/licences.md, who licenses what.

cyclonedx-py lists what a lock pins, but neither who requires whom nor licences. pip-licenses has the words of what is
installed here, but of several it lets any pass, and exempts a package whatever it says; pyproject.toml, section
`tool.licences`, says what words mean and which licences may be used.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from license_expression import ExpressionError, get_spdx_licensing
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
SBOM, LICENCES = ROOT / "sbom.cdx.json", ROOT / "docs" / "licences.md"
LOCKS = {"serve": "-serve", "model": "-model", "commands": ""}  # by column of the page
USERS = {title: f"requirements{suffix}.lock" for title, suffix in LOCKS.items()}
PROJECT = "btc-signal-pipeline"
SPDX = get_spdx_licensing()
PAGE = """\
# Licences of what is installed

Made by `make sbom` from the locks and the packages' own metadata. A wheel may carry code of others:
the licence files in it say whose.

| column | lock | distributions |
|---|---|---:|
{locks}

Allowed: {allowed}.
Any other licence stops `make sbom` and the tests, but for these:

{excepted}

| distribution | version | licence | {titles} |
|---|---|---|{marks}
{rows}
"""


def run(module: str, *options: str, text: str = "") -> Any:  # noqa: ANN401 - JSON
    """Return what a tool writes."""
    command = [sys.executable, "-W", "ignore", "-m", module, *options]
    done = subprocess.run(command, cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return json.loads(done.stdout)


def read_pins(lock: str) -> dict[str, str]:
    """Return the version of every distribution that a lock pins."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def read_words() -> dict[str, tuple[str, str]]:
    """Return the version of everything that is installed here, and what it says of its licence."""
    installed = run("piplicenses", "--from=mixed", "--with-system", "--format=json")
    return {canonicalize_name(part["Name"]): (part["Version"], part["License"]) for part in installed}


def licences(pins: dict[str, str], words: dict[str, tuple[str, str]], rules: dict[str, Any]) -> dict[str, str]:
    """Return every distribution's licence as SPDX names it; an error names all that nobody allows."""
    found = {}
    for name, pinned in pins.items():
        version, said = words.get(name, (pinned, "not installed"))
        if version != pinned:
            again = "run `make .venv/.requirements-dev`, then `make sbom`"
            sys.exit(f"error: expected {name} {pinned} as locked, {version} is installed; {again}")
        found[name] = rules["words"].get(said) or rules["read"].get(said, {}).get(name, said)
    excepted = [(rule["name"], rule["licence"]) for rule in rules["excepted"]]
    wrong = [
        pair for pair in sorted(found.items()) if pair not in excepted and not is_allowed(pair[1], rules["allowed"])
    ]
    if wrong:
        named = ", ".join(f"{name} ({licence})" for name, licence in wrong)
        sys.exit(f"error: expected licences that pyproject.toml, section tool.licences, allows or names, got {named}")
    return found


def is_allowed(licence: str, allowed: list[str]) -> bool:
    """Tell whether an SPDX expression can be kept with the allowed licences alone."""
    try:
        return SPDX.parse(licence).subs({SPDX.parse(name): SPDX.TRUE for name in allowed}, simplify=True) == SPDX.TRUE
    except ExpressionError:  # words that are none
        return False


def bill_of_materials(licence_of: dict[str, str]) -> str:
    """Return the CycloneDX document of serving; no clock, chance or tool is in it: equal locks give equal bytes."""
    lock = re.sub(r"^This_lock_is_for_.*\n", "", (ROOT / USERS["serve"]).read_text(), flags=re.MULTILINE)
    document = run(
        "cyclonedx_py", "requirements", "--pyproject=pyproject.toml", "--output-reproducible", "-", text=lock
    )
    document["metadata"] = {"component": document["metadata"]["component"] | {"bom-ref": PROJECT}}
    needs: dict[str, list[str]] = {PROJECT: []}
    for part in document["components"]:
        name, licence = part["name"], licence_of[part["name"]]
        part |= {"bom-ref": name, "hashes": part.pop("externalReferences")[0]["hashes"]}
        part["licenses"] = [{"expression": licence} if " " in licence else {"license": {"id": licence}}]
        del part["description"]  # its lines in the lock
        needs[name] = []
    for name, comment in re.findall(r"^([a-z0-9-]+)==.*((?:\n .*)*)", lock, re.MULTILINE):
        for parent in re.findall(r"^    # (?:  |via )([a-z0-9-]+)", comment, re.MULTILINE):
            needs[parent].append(name)
    document["dependencies"] = [{"ref": name, "dependsOn": needed} for name, needed in needs.items()]
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def page(sets: dict[str, dict[str, str]], licence_of: dict[str, str], rules: dict[str, Any]) -> str:
    """Return the page on licences."""
    rows = [
        [name, version, licence_of[name], *("x" if name in pins else "" for pins in sets.values())]
        for name, version in sorted({pair for pins in sets.values() for pair in pins.items()})
    ]
    return PAGE.format(
        locks="\n".join(f"| {title} | `{USERS[title]}` | {len(pins)} |" for title, pins in sets.items()),
        allowed=", ".join(rules["allowed"]),
        excepted="\n".join("- {name}, {licence}: {reason}.".format(**rule) for rule in rules["excepted"]),
        titles=" | ".join(sets),
        marks=":-:|" * len(sets),
        rows="\n".join(f"| {' | '.join(row)} |" for row in rows),
    )


def documents() -> dict[Path, str]:
    """Return both files as they should be."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["licences"]
    sets = {title: read_pins(lock) for title, lock in USERS.items()}
    licence_of = licences(
        {name: version for pins in sets.values() for name, version in pins.items()}, read_words(), rules
    )
    return {SBOM: bill_of_materials(licence_of), LICENCES: page(sets, licence_of, rules)}


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text)
