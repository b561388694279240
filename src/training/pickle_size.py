"""How large a pickle becomes: few bytes can ask for gigabytes, for hours of hashing, or for a stack without end.

Python makes room for the memo's highest place, and hashes a tuple that is a key with all that it holds, each time that
it stands there and however deep. So the op codes are walked through before they are carried out.
"""

import pickle
from pickletools import genops, markobject
from typing import Any, NamedTuple

# Of tuples in tuples; those of a member are three deep.
DEEPEST = 50
MEMOIZING = {"MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"}
RECALLING = {"GET", "BINGET", "LONG_BINGET"}


class _Size(NamedTuple):
    """How many things one thing holds, each as often as it stands there; how deep tuples stand in it."""

    things: int
    depth: int


def check_size(content: bytes) -> None:
    """Refuse a pickle that makes more things than it has bytes, or tuples too deep.

    `pickle.UnpicklingError`, or what else a pickle that is damaged raises.
    """
    stack, marks, memo = list[_Size](), list[int](), dict[Any, _Size]()
    for opcode, argument, _ in genops(content):
        if opcode.name == "MARK":
            marks.append(len(stack))
        elif opcode.name in MEMOIZING:
            place = len(memo) if argument is None else argument
            _check(place < len(content))
            memo[place] = stack[-1]
        elif opcode.name in RECALLING:
            stack.append(memo[argument])
        else:
            made = _made_of(_taken(opcode, stack, marks), is_tuple=opcode.name.startswith("TUPLE"))
            _check(made.things <= len(content) and made.depth <= DEEPEST)
            stack += [made] * len(opcode.stack_after)


def _taken(opcode: Any, stack: list[_Size], marks: list[int]) -> list[_Size]:  # noqa: ANN401 - of pickletools
    """Take from the stack what an op code takes: so many, or all from the last mark on and so many before it."""
    needs = opcode.stack_before
    start = marks.pop() - needs.index(markobject) if markobject in needs else len(stack) - len(needs)
    _check(start >= (marks[-1] if marks else 0))  # or it would take a mark itself
    taken = stack[start:]
    del stack[start:]
    return taken


def _made_of(taken: list[_Size], *, is_tuple: bool) -> _Size:
    return _Size(1 + sum(one.things for one in taken), max((one.depth for one in taken), default=0) + is_tuple)


def _check(is_bounded: object) -> None:
    if not is_bounded:
        msg = "it makes more than its bytes hold"
        raise pickle.UnpicklingError(msg)
