"""Run one stage and print as JSON what it really read: files, modules packages and sections of params.yaml.

python tests/contracts/trace_stage.py MODULE [ARGUMENT]
"""

import json
import runpy
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path.cwd()
# Where the environment was copied, its byte code is renewed; that is nothing the stage writes.
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT))

from pydantic import BaseModel  # noqa: E402 - the root comes first

import src.base.params  # noqa: E402 - as above
import src.base.sections  # noqa: E402 - as above

opened: dict[str, set[str]] = {"read": set(), "written": set()}
sections: set[str] = set()
# What was loaded stays, so that nothing else is taken for it by its id.
loaded: list[object] = []


def note_file(event: str, arguments: tuple) -> None:
    """Record every file of the repository that is opened or moved into place."""
    if event == "open" and isinstance(arguments[0], str | Path):
        path, flags = Path(arguments[0]), arguments[2]
        if path.is_relative_to(ROOT) and not flags & 3:
            opened["read"].add(path.relative_to(ROOT).as_posix())
    if event == "os.rename":
        opened["written"].add(Path(arguments[1]).relative_to(ROOT).as_posix())


def note_sections(load: object) -> object:
    """Record which keys of the two upper levels are looked at once the parameters are loaded."""

    def load_and_watch() -> src.base.params.Params:
        params = load()
        loaded.append(params)
        names = {id(params): "", id(params.train): "train."}
        plain = BaseModel.__getattribute__

        def watched(self: BaseModel, name: str) -> object:
            prefix = names.get(id(self))
            if prefix is not None and name in type(self).model_fields and f"{prefix}{name}." not in names.values():
                sections.add(f"{prefix}{name}")
            return plain(self, name)

        src.base.sections.Section.__getattribute__ = watched
        return params

    return load_and_watch


sys.addaudithook(note_file)
src.base.params.load_params = note_sections(src.base.params.load_params)
module, sys.argv = sys.argv[1], sys.argv[1:]
runpy.run_module(module, run_name="__main__")

modules = {
    Path(m.__file__).relative_to(ROOT).as_posix()
    for n, m in sys.modules.items()
    if n.startswith(("btc_signal.", "src."))
}
modules.add(f"{module.replace('.', '/')}.py")
code = {name for name in modules if not name.endswith("__init__.py")}
files = {name for name in opened["read"] if name.startswith(("data/", "models/", "reports/"))}
outs = {name for name in opened["written"] if "__pycache__" not in name}
known = packages_distributions()
packages = {name for imported in sys.modules for name in known.get(imported.partition(".")[0], ())}
report = {"code": code, "files": files, "outs": outs, "packages": packages, "params": sections}
sys.stdout.write("\n" + json.dumps({name: sorted(found) for name, found in report.items()}))
