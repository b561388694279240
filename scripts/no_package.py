"""The build backend of pyproject.toml, which builds nothing: what it would install could not be imported.

It refuses as it is imported, whichever hook is asked for, and takes back the byte code that Python wrote of it.
"""

import contextlib
import sys
from importlib.util import cache_from_source
from pathlib import Path

with contextlib.suppress(OSError):
    compiled = Path(cache_from_source(__file__))
    compiled.unlink(missing_ok=True)
    compiled.parent.rmdir()  # others' byte code stays
sys.exit(
    "error: this repository is no package to install; for the pipeline clone it and run `make repro`, "
    "for a bot see docs/serve.md, section What to install"
)
