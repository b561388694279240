"""Which faults to plant: from a seed, the same number in each room, of each kind in turn."""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from pathlib import Path

from tests.mutants.fault import Fault
from tests.mutants.kinds import KINDS, Source, faults_of, reads_otherwise

COUNT = 140


def room_of(file: str) -> str:
    """Name the room of a file: a folder of src, a module right below it, the bot's package, or the scripts."""
    top, *below = file.split("/")
    if top != "src":
        return top
    return below[0] if len(below) > 1 else "policy" if below[0] == "policy.py" else "cli"


def rooms(root: Path) -> dict[str, list[str]]:
    """Return the files of each room."""
    names = sorted(
        path.relative_to(root).as_posix()
        for top in ("btc_signal", "scripts", "src")
        for path in (root / top).rglob("*.py")
    )
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(room_of(name), []).append(name)
    return found


def choose(root: Path, seed: int, count: int = COUNT) -> list[Fault]:
    """Draw `count` faults, one from each room in turn; a room that has no more is passed over."""
    drawn = [
        _draw(root, files, f"{seed} {room}", first_kind)
        for first_kind, (room, files) in enumerate(sorted(rooms(root).items()))
    ]
    chosen = list(islice(_in_turn(drawn), count))
    return sorted(chosen, key=lambda fault: (room_of(fault.file), fault.file, fault.line, fault.kind, fault.after))


def _draw(root: Path, files: Sequence[str], seed: str, first_kind: int) -> Iterator[Fault]:
    """Yield the faults of a room, of each kind in turn; rooms begin with different kinds, so that all come up alike."""
    sources = {file: Source((root / file).read_text()) for file in files}
    names = [*KINDS][first_kind % len(KINDS) :] + [*KINDS][: first_kind % len(KINDS)]
    return _in_turn([_shuffled(sources, kind, f"{seed} {kind}") for kind in names])


def _shuffled(sources: Mapping[str, Source], kind: str, seed: str) -> Iterator[Fault]:
    faults = [fault for file, source in sources.items() for fault in faults_of(file, source, kind)]
    random.Random(seed).shuffle(faults)  # noqa: S311 - a draw that can be repeated, no secret
    return (fault for fault in faults if reads_otherwise(fault, sources[fault.file]))


def _in_turn(sequences: Sequence[Iterator[Fault]]) -> Iterator[Fault]:
    """Yield the first of each, the second of each, and so on."""
    return (fault for turn in zip_longest(*sequences) for fault in turn if fault is not None)
