"""Ask the promoted model."""

import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from btc_signal.bar import read_bar
from btc_signal.times import utc_text
from src.base import paths, storage
from src.base.errors import DataError, exit_on_error, warn
from src.base.line_log import append_lines
from src.commands.shared import Json, print_json, say

if TYPE_CHECKING:
    from btc_signal.ensemble import ProductionEnsemble
    from btc_signal.predict import Prediction
    from btc_signal.stream import FeatureStream

# What of a feed can be refused by itself: a bar, or a line with at most one.
Part = Iterable[Mapping[str, Any]]
N_SHOWN = 10
# Files of JSON lines, which a bot reads without pandas.
LINES = (".jsonl", ".ndjson")


def predict(
    file: Annotated[
        Path | None,
        typer.Argument(help="Bars: a table, or JSON lines as .jsonl. Without it: JSON lines, standard input."),
    ] = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Answer each bar as it comes; one that is refused is named, and left out.")
    ] = False,
    log: Annotated[Path | None, typer.Option(help="Append every prediction to this file, as JSON lines.")] = None,
    state: Annotated[
        Path | None, typer.Option(help="With --follow: save here after each bar, and go on from it after a restart.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask the promoted model: probability, decision, and how far its members disagree, for every bar."""
    from btc_signal.ensemble import ProductionEnsemble
    from btc_signal.predict import predict_history
    from btc_signal.stream import FeatureStream
    from src.commands.following import read_serial

    with exit_on_error():
        serial = read_serial(state)
        model = ProductionEnsemble.load(paths.PRODUCTION, serial_min=serial)
        stream = FeatureStream.of_model(model.metadata or {})
        parts = _read_parts(file, stream.timeframe)
        if follow:
            _follow(parts, stream, model, log, state, serial, as_json=as_json)
            return
        if state is not None:
            msg = "--state saves where a feed was left, expected with --follow; leave it out, or add --follow"
            raise DataError(msg)
        predictions = predict_history(chain.from_iterable(parts), stream, model)
        _warn(predictions, model)
        _log(predictions, log)
        _show(predictions if as_json else predictions[-N_SHOWN:], as_json=as_json)
        if not as_json and len(predictions) > N_SHOWN:
            say(f"the last {N_SHOWN} of {len(predictions):,}; --json prints all")


def _follow(
    parts: Iterable[Part],
    stream: "FeatureStream",
    model: "ProductionEnsemble",
    log: Path | None,
    state: Path | None,
    serial: int,
    *,
    as_json: bool,
) -> None:
    """Answer a feed to its end; exit status 2 if there was an error on the way."""
    from src.base.loops import keep_going
    from src.commands.following import Follower, resumed

    shown = count()

    def show(prediction: "Prediction") -> None:
        is_first = next(shown) == 0
        if is_first:  # bars come oldest first: where the first is not a training bar, no later one is
            _warn([prediction], model)
        _show([prediction], as_json=as_json, with_header=is_first)

    # Of a link, what it names is replaced, and not the link.
    log, state = (file and file.resolve() for file in (log, state))
    if state is not None and state == log:
        msg = f"{paths.relative(state)}: a log has a line for each bar, a state the last one only; name two files"
        raise DataError(msg)
    with nullcontext(stream) if state is None else resumed(stream, state) as going_on:
        follower = Follower(going_on, model, show, log=log, state=state, serial=serial)
        begin = [follower.write_log, follower.save] if model.channel else [follower.write_log]
        rounds = (partial(follower.answer, part) for part in parts)
        keep_going(chain(begin, rounds, [follower.write_log]), follower.count, pause_s=0.0)
    if follower.n_errors:
        raise typer.Exit(DataError.exit_status)


def _read_parts(file: Path | None, timeframe: str) -> Iterator[Part]:
    """Read bars from a table, from lines in a file, or from standard input; a part that is refused costs no other."""
    if file is None:
        if sys.stdin is None:
            msg = "expected bars on standard input, which is closed; give it a feed, or name a file of bars"
            raise DataError(msg)
        if sys.stdin.isatty():
            say("reading bars from here, one JSON object a line; Ctrl-D ends", on_error=True)
        return _read_lines(sys.stdin.buffer)
    if not file.name.lower().endswith(LINES):
        return ([bar] for bar in _read_table(file, timeframe))
    return _read_lines(io.BytesIO(storage.read_bytes(file)), str(file))


def _read_lines(feed: BinaryIO, name: str = "") -> Iterator[Part]:
    """Yield the lines of a feed as they come, unread; of one that is too long, the beginning."""
    from src.sources.json_lines import LONGEST_LINE, read_lines

    for number in count(1):
        line = rest = feed.readline(LONGEST_LINE + 1)
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = feed.readline(LONGEST_LINE + 1)
        if not line:
            return
        part = read_lines(io.BytesIO(line), number, name)
        yield _bars_of(part, f"{name}, line {number}") if name else part


def _bars_of(part: Part, where: str) -> Iterator[Mapping[str, Any]]:
    """Yield the bars of a line; `DataError` says where one is that is none."""
    for fields in part:
        try:
            read_bar(fields)
        except DataError as error:
            msg = f"{where}: {error}"
            raise DataError(msg) from error
        yield fields


def _read_table(file: Path, timeframe: str) -> list[dict[str, Any]]:
    """Read bars from a table; a bot whose bars are JSON lines does without what reads them."""
    try:
        from src.base.params import load_params
        from src.sources.file import read_bars
    except ModuleNotFoundError as error:
        msg = (
            f"{file}: a table is read with {error.name}, which is not installed here; "
            "install requirements.lock, or give the bars as JSON lines"
        )
        raise DataError(msg) from error
    data = load_params().data.model_copy(update={"timeframe": timeframe})
    return read_bars(file, data, as_they_are=True).reset_index().to_dict("records")


def _warn(predictions: "Sequence[Prediction]", model: "ProductionEnsemble") -> None:
    """Say on standard error how many of the bars the model was fitted on, if any."""
    from btc_signal.in_sample import honest_from, warning

    if model.metadata and (
        words := warning([prediction.time for prediction in predictions], honest_from(model.metadata))
    ):
        say(words, on_error=True)


def _log(predictions: "Iterable[Prediction]", log: Path | None) -> None:
    """Append predictions to the log, if there is one."""
    if log is not None:
        mended = append_lines((json.dumps(prediction.to_plain()) for prediction in predictions), log)
        if mended:
            warn(mended)


def _show(predictions: "list[Prediction]", *, as_json: bool, with_header: bool = True) -> None:
    """Print predictions, a line each, in columns or as JSON."""
    if as_json:
        for prediction in predictions:
            print_json(prediction.to_plain(), indent=None)
    else:
        if with_header:
            say("  ".join([f"{'bar opened':20}", "probability", "decision", *predictions[0].members, "disagreement"]))
        for prediction in predictions:
            votes = [f"{vote:>{len(name)}.3f}" for name, vote in prediction.members.items()]
            decision = "buy" if prediction.decision else "stay out"
            cells = [utc_text(prediction.time), f"{prediction.probability:>11.3f}", f"{decision:8}", *votes]
            say("  ".join([*cells, f"{prediction.disagreement:>12.3f}"]))
    sys.stdout.flush()
