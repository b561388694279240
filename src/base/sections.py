"""A params.yaml as typed sections: read, checked, and all that is wrong with it told at once."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from src.base.errors import ParamsError, truncate
from src.base.yaml_lines import Location, read_yaml

UPGRADE = "docs/upgrade.md"


class Section(BaseModel):
    """What all sections share: unknown keys, NaN and silent conversions are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


AnySection = TypeVar("AnySection", bound=Section)


def read_sections(path: Path, kind: type[AnySection], *, leave_out: Collection[str] = ()) -> AnySection:
    """Read a params.yaml as the sections of `kind`.

    `ParamsError` names the file, the line, the key, what was expected and what came: for every wrong key at once, and
    for a section that is missing, its keys.
    """
    content, lines = read_yaml(path)
    if isinstance(content, dict):
        content = {key: value for key, value in content.items() if key not in leave_out}
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        found = error.errors()
        problems = [_in_words(problem, lines, path.name, kind) for problem in found]
        if any(problem["type"] == "missing" for problem in found):
            problems.append(f"after an upgrade: {UPGRADE} has the keys that came, with their values")
        raise ParamsError("\n       ".join(problems)) from error


def _in_words(problem: Any, lines: dict[Location, int], name: str, kind: type[Section]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    """Say in one line which key is wrong, where, and how."""
    location = tuple(map(str, problem["loc"]))
    known = next((location[:n] for n in range(len(location), 0, -1) if location[:n] in lines), ())
    where = f"{name} line {lines[known]}" if known else name
    key = ".".join(location) or "the whole file"
    if problem["type"] == "missing":
        keys = _keys_of(kind, location)
        return f"{where}: {key}: missing, add it{' with ' if keys else ''}{', '.join(keys)}"
    if problem["type"] == "extra_forbidden":
        return f"{where}: {key}: unknown key, remove it or mend its name"
    if problem["type"] == "model_type":
        return f"{where}: {key}: expected keys with values, got {truncate(repr(problem['input']))}"
    words = problem["msg"].removeprefix("Value error, ")
    came = f", got {truncate(repr(problem['input']))}" if not isinstance(problem["input"], dict | BaseModel) else ""
    return f"{where}: {key}: {words[0].lower()}{words[1:]}{came}"


def _keys_of(kind: type[Section], location: Location) -> list[str]:
    """Return the place of each key within the section that lies there; none if it is not a section."""
    part: Any = kind
    for name in location:
        part = part.model_fields[name].annotation
    if not (isinstance(part, type) and issubclass(part, Section)):
        return []
    inner = {name: _keys_of(part, (name,)) for name in part.model_fields}
    return [".".join(filter(None, (name, key))) for name, keys in inner.items() for key in keys or [""]]
