"""Ask the advisory service about every pin of the locks. Exit status 1: something is known; 2: nobody could tell.

pip-audit asks. It exits with 1 for both, takes a service that knows nothing of anything for good news, and accepts an
advisory for ever. So a pin of which everybody knows advisories is asked about, too, and pyproject.toml, section
`tool.audit`, names what people accepted: id, until when, and why.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KNOWN = "django==1.8"
ASK = "pip_audit --requirement /dev/stdin --no-deps --disable-pip --strict --vulnerability-service osv"
QUIETLY = "--progress-spinner off --desc off --aliases on"
UNKNOWN = """\
error: expected an answer of the advisory service about {} pins, got {}; whether anything is known of them nobody can \
tell from here; run `make audit` again where the service can be reached"""
MEND = """\
error: expected no advisory that nobody accepts; to mend it: `make lock UPGRADE=name`, `make sbom`, `make repro`, and \
commit; to accept it: pyproject.toml, section tool.audit"""


def read_accepted() -> list[dict[str, Any]]:
    """Return what people accepted; an error if one of the three words is missing."""
    accepted = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["audit"]["accepted"]
    for rule in accepted:
        if set(rule) != {"id", "until", "reason"} or type(rule["until"]) is not date:
            stop(2, f"error: pyproject.toml, section tool.audit: expected id, until (a date) and reason, got {rule}")
    return accepted


def over(accepted: list[dict[str, Any]], today: date) -> dict[str, str]:
    """Return what to say of every acceptance whose last day was before today."""
    said = "error: {id} was accepted until {until}: {reason}; decide again, or drop it"
    return {rule["id"]: said.format(**rule) for rule in accepted if rule["until"] < today}


def stop(status: int, *lines: str) -> None:
    """Say what is wrong, and end."""
    sys.stderr.writelines(f"{line}\n" for line in lines)
    sys.exit(status)


def read_pins() -> dict[str, list[str]]:
    """Return which locks hold each pin; without its marker, since those of other systems count, too."""
    pins: dict[str, list[str]] = {}
    for lock in sorted(ROOT.glob("requirements*.lock")):
        for pin in re.findall(r"^[a-z0-9-]+==\S+", lock.read_text(), re.MULTILINE):
            pins.setdefault(pin, []).append(lock.name)
    return pins


def main() -> None:
    """Ask, and add to the table of pip-audit which locks hold what is known."""
    pins, accepted = read_pins(), read_accepted()
    ended = over(accepted, datetime.now(UTC).date())
    command = [sys.executable, "-m", *ASK.split(), *QUIETLY.split()]
    command += [f"--ignore-vuln={rule['id']}" for rule in accepted if rule["id"] not in ended]
    asked = "\n".join([*pins, KNOWN])
    # Else its answers of another day would lie in the home.
    with tempfile.TemporaryDirectory() as folder:
        command += [f"--cache-dir={folder}"]
        done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    head, *rows = done.stdout.splitlines() or [""]
    said = done.stderr.strip().splitlines() or ["silence"]
    if not any(row.split()[:2] == KNOWN.split("==") for row in rows):
        stop(2, UNKNOWN.format(len(pins), next((line for line in said[::-1] if "rror: " in line), said[-1])))
    known = [f"{row}  {', '.join(locks)}" for row in rows if (locks := pins.get("==".join(row.split()[:2])))]
    if known or ended:
        stop(1, f"{head}  Locks", *known, *ended.values(), MEND)
    ignored = re.search(r"ignored (\d+)", said[-1])
    sys.stdout.write(f"{len(pins)} pins, known advisories: {f'{ignored[1]}, accepted' if ignored else 0}\n")


if __name__ == "__main__":
    main()
