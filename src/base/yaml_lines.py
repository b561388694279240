"""Read a YAML file together with the place of every key and value in it, and change values where they stand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from src.base.errors import ParamsError

Location = tuple[str, ...]
LARGEST_BYTES = 1_000_000


class _PlainLoader(yaml.SafeLoader):
    """Plain data, and what a file says stands in it: ten lines of aliases can stand for more than any memory holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse what repeats a section by name."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(problem="an alias (*) repeats a section; write it out", problem_mark=mark)
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> tuple[Any, dict[Location, int]]:
    """Read one YAML document, safely: it can hold plain data only.

    Returns what it holds, None if it is empty; and the line of every key, counted from 1, by the keys that lead to it.
    `ParamsError` if the file is absent, is no YAML, or gives a key twice.
    """
    text = _read_text(path)
    with _valid_yaml(path.name):
        loader = _PlainLoader(text)
        root = loader.get_single_node()
        return (loader.construct_document(root), dict(_key_lines(root, ()))) if root else (None, {})


def read_scalars(text: str, name: str) -> dict[Location, str]:
    """Return every value of a YAML text that is no section, as it is written, by the keys that lead to it."""
    return {location: text[start:end] for location, (start, end) in _spans(text, name).items()}


def replace_scalars(text: str, name: str, values: Mapping[Location, str]) -> str:
    """Write other values into a YAML text; comments stay, and so does what has no such key."""
    known = {span: values[location] for location, span in _spans(text, name).items() if location in values}
    for (start, end), value in sorted(known.items(), reverse=True):
        text = f"{text[:start]}{' ' if start == end else ''}{value}{text[end:]}"
    return text


def _spans(text: str, name: str) -> dict[Location, tuple[int, int]]:
    """Return where every value that is no section begins and ends."""
    with _valid_yaml(name):
        return dict(_scalar_spans(yaml.compose(text, _PlainLoader), ()))


def _scalar_spans(node: yaml.Node | None, location: Location) -> Iterator[tuple[Location, tuple[int, int]]]:
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            yield from _scalar_spans(child, (*location, str(key.value)))
    elif isinstance(node, yaml.ScalarNode):
        yield location, (node.start_mark.index, node.end_mark.index)


def _read_text(path: Path) -> str:
    """Return the file's text."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        if len(content) > LARGEST_BYTES:
            msg = f"{path.name}: expected at most {LARGEST_BYTES:,} bytes; restore it with `git checkout {path.name}`"
            raise ParamsError(msg)
        return content.decode()
    except OSError as error:
        msg = f"{path.name}: cannot be read ({error.strerror}); restore it with `git checkout {path.name}`"
        raise ParamsError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path.name}: not UTF-8 text ({error.reason} at byte {error.start})"
        raise ParamsError(msg) from error


@contextmanager
def _valid_yaml(name: str) -> Iterator[None]:
    """Turn what the parser raises into a `ParamsError` that names the file."""
    try:
        yield
    except (yaml.YAMLError, ValueError) as error:
        msg = f"{name}: not valid YAML: {' '.join(str(error).split())}"
        raise ParamsError(msg) from error
    except RecursionError as error:
        msg = f"{name}: not valid YAML: a section of the data holds itself, or sections are nested without end"
        raise ParamsError(msg) from error


def _key_lines(node: yaml.Node, location: Location) -> Iterator[tuple[Location, int]]:
    """Yield every key with its line, counted from 1; a key given twice is an error."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for key, child in node.value:
        name = str(key.value)
        if name in seen:
            raise yaml.constructor.ConstructorError(problem=f"key {name!r} given twice", problem_mark=key.start_mark)
        seen.add(name)
        yield (*location, name), key.start_mark.line + 1
        yield from _key_lines(child, (*location, name))
