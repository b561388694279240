"""Run one check by itself: ``python -m src.doctor NAME``; a JSON list for each line, as soon as it is known."""

import json
import os
import sys
from importlib import import_module

from src.doctor.runner import CHECKS, ROOT

if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:  # noqa: PLR2004 - the program and a name
    sys.stderr.write(f"error: expected one of {', '.join(CHECKS)}\n")
    sys.exit(2)
module, function = CHECKS[sys.argv[1]].split(":")
for line in getattr(import_module(module), function)(ROOT):
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()
# All is said: how a library takes its threads down is none of the findings.
os._exit(0)
