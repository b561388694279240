"""Ask the advisory service about every pin of the locks. Exit status 1: something is known; 2: nobody could tell.

pyproject.toml, section `tool.audit`, names the advisories that people accepted: id, until when, and why.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
# Everybody knows advisories for it. A service that does not knows nothing, so its silence is no good news.
KNOWN = "django==1.8"
MEND = (
    "to mend it: `make lock UPGRADE=name`, `make sbom`, `make repro`, and commit; "
    "to accept it: pyproject.toml, section tool.audit\n"
)
QUIETLY = ("--progress-spinner", "off", "--desc", "off", "--aliases", "on", "--format", "json")


class Advisory(NamedTuple):
    """What is known of a pin: the ids under which it is known, and the versions that mend it."""

    pin: str
    ids: list[str]
    mended_in: list[str]


def read_pins() -> dict[str, list[str]]:
    """Return which locks hold each pin; those of other systems count, too."""
    pins: dict[str, list[str]] = {}
    for lock in sorted(ROOT.glob("requirements*.lock")):
        for pin in re.findall(r"^[a-z0-9-]+==\S+", lock.read_text(), re.MULTILINE):
            pins.setdefault(pin, []).append(lock.name)
    return pins


def read_accepted() -> list[dict[str, Any]]:
    """Return what people accepted; an error if one of the three words is missing."""
    accepted = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["audit"]["accepted"]
    for rule in accepted:
        if set(rule) != {"id", "until", "reason"} or type(rule["until"]) is not date:
            stop(f"pyproject.toml, section tool.audit: expected id, until (a date) and reason, got {rule}")
    return accepted


def stop(message: str) -> None:
    """End as one who cannot tell."""
    sys.stderr.write(f"error: {message}\n")
    sys.exit(2)


def ask(pins: list[str]) -> list[Advisory]:
    """Return what the service knows, or end if it does not answer."""
    with tempfile.TemporaryDirectory() as folder:
        file, answer = Path(folder) / "pins.txt", Path(folder) / "answer.json"
        file.write_text("\n".join([*pins, KNOWN]))
        command = [
            sys.executable,
            "-m",
            "pip_audit",
            "--requirement",
            str(file),
            "--no-deps",
            "--disable-pip",
            "--strict",
        ]
        command += ["--vulnerability-service", "osv", "--cache-dir", folder, *QUIETLY, "--output", str(answer)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours, no shell
        found = json.loads(answer.read_text())["dependencies"] if answer.exists() else []
    advisories = [
        Advisory(f"{part['name']}=={part['version']}", [known["id"], *known["aliases"]], known["fix_versions"])
        for part in found
        for known in part["vulns"]
    ]
    said = done.stderr.strip().splitlines()
    if not any(advisory.pin == KNOWN for advisory in advisories):
        reason = [line for line in said if "rror: " in line] or said or ["silence"]
        stop(
            f"expected an answer of the advisory service about {len(pins)} pins, got {reason[-1]}; whether anything is "
            "known of them nobody can tell from here; run `make audit` again where the service can be reached"
        )
    return [advisory for advisory in advisories if advisory.pin != KNOWN]


def judge(
    advisories: list[Advisory], pins: dict[str, list[str]], accepted: list[dict[str, Any]], today: date
) -> list[str]:
    """Return a line for every advisory that is not accepted, and for every acceptance that is over."""
    valid = {rule["id"] for rule in accepted if today <= rule["until"]}
    unmended = [
        f"{known.pin} in {', '.join(pins[known.pin])}: {' '.join(known.ids)}, "
        f"mended in {', '.join(known.mended_in) or 'no version yet'}"
        for known in advisories
        if not valid & set(known.ids)
    ]
    over = [
        f"{rule['id']} was accepted until {rule['until']}: {rule['reason']}; decide again, or drop it"
        for rule in accepted
        if rule["id"] not in valid
    ]
    return unmended + over


def main() -> None:
    """Ask, judge, say."""
    accepted, pins = read_accepted(), read_pins()
    advisories = ask(sorted(pins))
    wrong = judge(advisories, pins, accepted, datetime.now(UTC).date())
    if wrong:
        sys.stderr.writelines(f"error: {line}\n" for line in wrong)
        sys.stderr.write(MEND)
        sys.exit(1)
    sys.stdout.write(f"{len(pins)} pins, known advisories: {len(advisories)}{', accepted' if advisories else ''}\n")


if __name__ == "__main__":
    main()
