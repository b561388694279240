"""Diagnose this repository: ``python3 scripts/management/dev_check.py [ml-models|data-check|full-check|status]``.

Any Python from 3.8 on starts it, from any folder, and without the environment; what needs the environment is run by it.
``python -m src doctor`` is the same from within.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
sys.dont_write_bytecode = True
CODE_IS_BROKEN = """\
fail  code  {}
      $ cd {} && git stash push --quiet -- btc_signal src
1 fail; mend it, then check again
"""

try:
    from src.doctor.check import SUBSETS, as_json, as_text, exit_status
    from src.doctor.runner import diagnose
except (ImportError, SyntaxError) as error:
    sys.stdout.write(CODE_IS_BROKEN.format(error, ROOT))
    sys.exit(1)


def main() -> int:
    """Read the command line, look, print; 0 nothing is broken, 1 something is, 2 wrong usage."""
    parser = argparse.ArgumentParser(description="Look for what is broken, and print the command that repairs it.")
    parser.add_argument("subset", nargs="?", default="full-check", choices=SUBSETS, help="what to look at")
    parser.add_argument("--json", action="store_true", help="print JSON for a machine instead of text")
    asked = parser.parse_args()
    lines = diagnose(asked.subset)
    sys.stdout.write(f"{as_json(lines) if asked.json else as_text(lines)}\n")
    return exit_status(lines)


if __name__ == "__main__":
    sys.exit(main())
