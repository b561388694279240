"""Run one check by itself: ``python -m src.doctor NAME``; a JSON list for each finding, as soon as it is known."""

import json
import os
import sys

from src.doctor.runner import CHECKS, ROOT

asked = [check for check in CHECKS if sys.argv[1:] == [check.name]]
if not asked:
    titles = "".join(f"  {check.name:<16}{check.__doc__}\n" for check in CHECKS)
    sys.stderr.write(f"error: expected the name of one check:\n{titles}")
    sys.exit(2)
for finding in asked[0](ROOT).findings():
    sys.stdout.write(f"{json.dumps([*finding.kept().values(), finding.command])}\n")
    sys.stdout.flush()
# All is said: how a library takes its threads down is none of the findings.
os._exit(0)
