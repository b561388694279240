"""Follow a feed: answer each bar as it comes, and keep the answers and the state, whatever else comes."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from btc_signal.bar import read_bar
from btc_signal.channel import SERIAL_MAX
from btc_signal.ensemble import ProductionEnsemble
from btc_signal.exceptions import DataError, GapError
from btc_signal.predict import Prediction, predict_live
from btc_signal.signature import is_asked
from btc_signal.stream import FeatureStream
from btc_signal.times import utc_text
from src.base import storage
from src.base.errors import warn
from src.base.line_log import append_lines, is_kept, rejected
from src.base.paths import relative

# Answers that wait for a disk that takes them again; the oldest go first.
UNLOGGED_MAX = 10_000
# Of a state: the highest serial of a statement that was accepted. Also where the rest of it is damaged.
SERIAL = "serial"
WRITTEN_SERIAL = re.compile(rb'"serial": ([0-9]{1,16})[,\s}]')
WARN_AGAIN_AFTER = timedelta(days=1)


def _now() -> datetime:
    return datetime.now(UTC)


class Follower:
    """Answers bar after bar: logs, shows, then saves the state, so that a kill in between repeats a bar and loses none.

    Parameters
    ----------
    log, state : Path or None
        A line for each answer; what `FeatureStream.from_state` needs to go on.
    show : callable
        Shows one answer.
    serial : int
        The highest serial of a statement that was accepted; 0 for none. The state keeps it.
    now : callable
        Tells the time, UTC.
    """

    def __init__(
        self,
        stream: FeatureStream,
        model: ProductionEnsemble,
        show: Callable[[Prediction], object],
        *,
        log: Path | None,
        state: Path | None,
        serial: int = 0,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.stream, self.model, self.show, self.log, self.state = stream, model, show, log, state
        self.n_errors = 0
        self._now, self._warned_at = now, datetime.min.replace(tzinfo=UTC)
        self._serial = max(serial, model.channel.serial if model.channel else 0)
        self._unlogged = deque[str](maxlen=UNLOGGED_MAX)
        self._is_behind = False

    def answer(self, part: Iterable[Mapping[str, Any]]) -> None:
        """Answer the bars of a part of the feed; `DataError` names one that is refused, or bars missing before it.

        After such a gap the warm-up starts anew. `OSError` if the disk takes no line or no state: the next bar tries
        again.
        """
        self._warn_of_the_end()
        for fields in filter(self._is_new, part):
            try:
                self._keep(list(predict_live([fields], self.stream, self.model)))
            except GapError as error:
                self.stream.warm_up([fields])
                missing, n_bars = str(error).partition(";")[0], self.stream.missing_bars
                msg = f"{missing}; the warm-up starts anew, {n_bars} more bars without a gap are needed"
                raise DataError(msg) from error

    def count(self, _: Exception) -> None:
        """Count an error, for the exit status."""
        self.n_errors += 1

    def write_log(self) -> None:
        """Append the answers that the log lacks; mend its end, where a killed writer left half a line."""
        if self.log is not None and (self._unlogged or self.log.exists()):
            if mended := append_lines(self._unlogged, self.log):
                warn(mended)
            self._unlogged.clear()

    def save(self) -> None:
        """Save the state, if it has a file: the stream's, and with it the serial, which is never lowered."""
        if self.state is not None:
            storage.write_json(({SERIAL: self._serial} if self._serial else {}) | self.stream.state(), self.state)

    def _warn_of_the_end(self) -> None:
        """Warn, once a day at most, of a statement that ends soon: the model answers on, and no restart will."""
        statement, now = self.model.channel, self._now()
        if statement and now - self._warned_at >= WARN_AGAIN_AFTER and (words := statement.ending(now)):
            warn(words)
            self._warned_at = now

    def _is_new(self, fields: Mapping[str, Any]) -> bool:
        """Tell whether a bar is later than the last one; of those that are not, the first in a row is named."""
        bar, last = read_bar(fields), self.stream.last_time
        was_behind, self._is_behind = self._is_behind, last is not None and bar.time <= last
        if last and self._is_behind and not was_behind:
            words = "duplicate bar" if bar.time == last else "late bar"
            warn(f"{bar.name}: {words}, skipped, as is each that comes up to that of {utc_text(last)}")
        return not self._is_behind

    def _keep(self, answers: list[Prediction]) -> None:
        if self.log is not None:
            self._unlogged.extend(json.dumps(answer.to_plain()) for answer in answers)
        try:
            if answers:
                self.write_log()
        finally:
            for answer in answers:
                self.show(answer)
        self.save()


def read_serial(state: Path | None) -> int:
    """Return the serial in a state that was saved; 0, after a warning where it matters, if it cannot be read."""
    if state is None or not state.exists():
        return 0
    content = state.read_bytes()
    try:
        serial = storage.parse_json(content, state.name).get(SERIAL, 0)
        is_right = type(serial) is int and 0 <= serial <= SERIAL_MAX
    except DataError:
        found = WRITTEN_SERIAL.search(content)
        serial, is_right = (int(found[1]), int(found[1]) <= SERIAL_MAX) if found else (0, not content)
    if is_right:
        return serial
    if is_asked():
        warn(f"{relative(state)}: its serial cannot be read and starts as new: any statement is taken that holds today")
    return 0


@contextmanager
def resumed(stream: FeatureStream, state: Path) -> Iterator[FeatureStream]:
    """Hold a state, and yield the stream that goes on where it was saved, if it was.

    One that is of no use is kept aside; `DataError` if it cannot be kept, or is of a bar to come: a wrong clock should
    not cost a warm-up. `DataError`, too, if another process holds it: each would undo what the other saves.
    """
    state.parent.mkdir(parents=True, exist_ok=True)
    with state.with_name(f"{state.name}.lock").open("a") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            msg = f"{relative(state)}: another `predict --follow` saves there; end it, or name another file"
            raise DataError(msg) from error
        yield _resume(stream, state)


def _resume(stream: FeatureStream, state: Path) -> FeatureStream:
    if not state.exists() or not state.stat().st_size:
        return stream
    try:
        found = type(stream).from_state(storage.read_json(state), stream.settings, stream.timeframe)
    except DataError as error:
        why = str(error).partition(";")[0]
        if not is_kept(state, state.read_bytes().strip(b"\n")):
            msg = f"{relative(state)}: expected the state of a stream ({why}); move it away, or name another file"
            raise DataError(msg) from error
        warn(f"{relative(state)}: {why}; the warm-up starts anew, and {rejected(state).name} has what it was")
        return stream
    if found.last_time and found.last_time > datetime.now(UTC):
        msg = f"{relative(state)}: is of {utc_text(found.last_time)}, a bar to come; set the clock, or delete the file"
        raise DataError(msg)
    return found
