"""The kinds of faults: each finds its places in a source and says what would stand there instead."""

import ast
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from tests.mutants.fault import Fault

Placed = ast.expr | ast.stmt | ast.keyword


@dataclass(frozen=True)
class Edit:
    """Bytes of a source and the text in their place."""

    start: int
    end: int
    after: str


class Source:
    """A source text with its tree; positions are counted in bytes, as `ast` does."""

    def __init__(self, text: str) -> None:
        self.content = text.encode()
        self.tree = ast.parse(text)
        self.line_starts = [0, *accumulate(len(line) for line in self.content.splitlines(keepends=True))]

    def start(self, node: Placed) -> int:
        """Return where a node begins."""
        return self.line_starts[node.lineno - 1] + node.col_offset

    def end(self, node: Placed) -> int:
        """Return where a node ends."""
        return self.line_starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def text(self, node: Placed) -> str:
        """Return what a node is written as."""
        return self.content[self.start(node) : self.end(node)].decode()

    def replace(self, node: Placed, after: str) -> Edit:
        """Return the edit that writes something else for a whole node."""
        return Edit(self.start(node), self.end(node), after)

    def nodes(self) -> Iterator[ast.AST]:
        """Walk over all but annotations, and f-strings, whose inner positions Python 3.11 does not tell."""
        waiting = deque[ast.AST]([self.tree])
        while waiting:
            yield (node := waiting.popleft())
            fields = [value for name, value in ast.iter_fields(node) if name not in {"annotation", "returns"}]
            children = [child for value in fields for child in (value if isinstance(value, list) else [value])]
            waiting.extend(c for c in children if isinstance(c, ast.AST) and not isinstance(c, ast.JoinedStr))

    def between(self, left: Placed, right: Placed, operator: str, after: str) -> Iterator[Edit]:
        """Yield the edit that writes another operator between two nodes."""
        start = self.end(left)
        gap = self.content[start : self.start(right)].decode()
        if found := re.search(operator, gap):
            bytes_before = len(gap[: found.start()].encode())
            yield Edit(start + bytes_before, start + bytes_before + len(found[0].encode()), after)


def constant(source: Source) -> Iterator[Edit]:
    """A number one higher or twice as large, the other truth value."""
    for node in source.nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield source.replace(node, str(not node.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield source.replace(node, str(node.value + 1))
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield source.replace(node, repr(node.value * 2 or 1.0))


COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: (r"\bin\b", "not in"),
    ast.NotIn: (r"\bnot\s+in\b", "in"),
    ast.Is: (r"\bis\b", "is not"),
    ast.IsNot: (r"\bis\s+not\b", "is"),
}


def comparison(source: Source) -> Iterator[Edit]:
    """With or without equality, the other way round, in or not in."""
    for node in source.nodes():
        if isinstance(node, ast.Compare):
            for (left, right), operator in zip(pairwise([node.left, *node.comparators]), node.ops, strict=True):
                yield from source.between(left, right, *COMPARISONS[type(operator)])


def condition(source: Source) -> Iterator[Edit]:
    """`and` for `or`, `or` for `and`, a `not` left out."""
    for node in source.nodes():
        if isinstance(node, ast.BoolOp):
            was, after = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in pairwise(node.values):
                yield from source.between(left, right, rf"\b{was}\b", after)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            word = re.compile(rb"not\s*").match(source.content, source.start(node))
            yield Edit(source.start(node), word.end() if word else source.start(node), "")


ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "/"),
    ast.Div: ("/", "*"),
}


def arithmetic(source: Source) -> Iterator[Edit]:
    """Plus for minus, times for divided by; not where a side is text, as of a path."""
    for node in source.nodes():
        if isinstance(node, ast.BinOp):
            left, right = node.left, node.right
        elif isinstance(node, ast.AugAssign):
            left, right = node.target, node.value
        else:
            continue
        if type(node.op) in ARITHMETIC and not any(_has_text(side) for side in (left, right)):
            yield from source.between(left, right, *ARITHMETIC[type(node.op)])


def _has_text(node: ast.AST) -> bool:
    """Tell whether it is a text, or the sum or path of one."""
    if isinstance(node, ast.BinOp):
        return _has_text(node.left) or _has_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def dropped_call(source: Source) -> Iterator[Edit]:
    """A call whose result nobody uses."""
    for node in source.nodes():
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield source.replace(node, "pass")


def swapped_arguments(source: Source) -> Iterator[Edit]:
    """The first two arguments of a call in the other order."""
    for node in source.nodes():
        given = node.args[:2] if isinstance(node, ast.Call) else []
        if len(given) == 2 and not any(isinstance(argument, ast.Starred) for argument in given):
            first, second = given
            gap = source.content[source.end(first) : source.start(second)].decode()
            swapped = source.text(second) + gap + source.text(first)
            if source.text(first) != source.text(second):
                yield Edit(source.start(first), source.end(second), swapped)


def removed_check(source: Source) -> Iterator[Edit]:
    """An `if` that only raises or returns early, and never does."""
    for node in source.nodes():
        if isinstance(node, ast.If):
            *steps, last = node.body
            if isinstance(last, ast.Raise | ast.Return) and all(isinstance(step, ast.Assign) for step in steps):
                yield source.replace(node.test, "False")


def lost_keyword(source: Source) -> Iterator[Edit]:
    """A keyword argument left out of a call."""
    for node in source.nodes():
        for keyword in node.keywords if isinstance(node, ast.Call) else []:
            if keyword.arg is not None:
                start, end = source.start(keyword), source.end(keyword)
                comma_after = re.match(rb"\s*,[ \t]*", source.content[end:])
                comma_before = re.search(rb",\s*$", source.content[:start])
                if comma_after:
                    end += comma_after.end()
                elif comma_before:
                    start = comma_before.start()
                yield Edit(start, end, "")


Kind = Callable[[Source], Iterator[Edit]]
KINDS: dict[str, Kind] = {
    kind.__name__.replace("_", " "): kind
    for kind in (
        constant,
        comparison,
        condition,
        arithmetic,
        dropped_call,
        swapped_arguments,
        removed_check,
        lost_keyword,
    )
}


def faults_of(file: str, source: Source, kind: str) -> list[Fault]:
    """Return what a kind finds in a source, from its start to its end."""
    edits = sorted(KINDS[kind](source), key=lambda edit: (edit.start, edit.end))
    return [_whole_lines(file, source, kind, edit) for edit in edits]


def _whole_lines(file: str, source: Source, kind: str, edit: Edit) -> Fault:
    content = source.content
    start = content.rfind(b"\n", 0, edit.start) + 1
    end = content.find(b"\n", edit.end)
    end = len(content) if end < 0 else end
    after = content[start : edit.start] + edit.after.encode() + content[edit.end : end]
    line = content.count(b"\n", 0, start) + 1
    return Fault(file, line, kind, content[start:end].decode(), after.decode())


def reads_otherwise(fault: Fault, source: Source) -> bool:
    """Tell whether a source with the fault compiles, and into another program."""
    planted = fault.planted(source.content.decode())
    if planted is None:
        return False
    try:
        compile(planted, fault.file, "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return ast.dump(ast.parse(planted)) != ast.dump(source.tree)
