"""One small change of the source, kept as whole lines, so that it is found again where lines moved."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What stands there, and what would stand there by mistake.

    Parameters
    ----------
    file
        Path from the root of the repository.
    line
        Line at which `before` began when the fault was chosen, from 1.
    kind
        Name in `tests.mutants.kinds.KINDS`.
    before, after
        Whole lines, without the last line feed.
    """

    file: str
    line: int
    kind: str
    before: str
    after: str

    def place(self, text: str) -> int | None:
        """Return the line of `text` where `before` stands, the one nearest to where it was; None if it is gone."""
        lines, wanted = text.split("\n"), self.before.split("\n")
        starts = [i + 1 for i in range(len(lines)) if lines[i : i + len(wanted)] == wanted]
        return min(starts, key=lambda start: abs(start - self.line), default=None)

    def planted(self, text: str) -> str | None:
        """Return `text` with the fault in it; None if its lines are gone."""
        if (line := self.place(text)) is None:
            return None
        lines = text.split("\n")
        lines[line - 1 : line - 1 + self.before.count("\n") + 1] = self.after.split("\n")
        return "\n".join(lines)

    def told(self) -> str:
        """Name place and change in one line, the lines that both share left out."""
        pairs = zip(self.before.split("\n"), self.after.split("\n"), strict=False)
        before, after = next((pair for pair in pairs if pair[0] != pair[1]), (self.before, self.after))
        return f"{self.file}:{self.line} {self.kind}: {before.strip()} -> {after.strip() or 'nothing'}"
