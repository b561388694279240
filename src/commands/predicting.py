"""Ask the promoted model."""

import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from btc_signal.times import utc_text
from src.base import paths, storage
from src.base.errors import DataError, exit_on_error
from src.commands.shared import Json, print_json, say

if TYPE_CHECKING:
    from btc_signal.ensemble import ProductionEnsemble
    from btc_signal.predict import Prediction

N_SHOWN = 10


def predict(
    file: Annotated[
        Path | None, typer.Argument(help="Bars: .csv, .parquet, or JSON lines. Without it: JSON lines, standard input.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Answer each bar as it comes; a gap is an error.")] = False,
    log: Annotated[Path | None, typer.Option(help="Append every prediction to this file, as JSON lines.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the promoted model: probability, decision, and how far its members disagree, for every bar."""
    from btc_signal.ensemble import ProductionEnsemble
    from btc_signal.predict import predict_history, predict_live
    from btc_signal.stream import FeatureStream

    with exit_on_error():
        model = ProductionEnsemble.load(paths.PRODUCTION)
        stream = FeatureStream.of_model(model.metadata or {})
        bars = _read_bars(file, stream.timeframe)
        if follow:
            for number, prediction in enumerate(predict_live(bars, stream, model)):
                if number == 0:  # bars come oldest first: where the first is not a training bar, no later one is
                    _warn([prediction], model)
                _log([prediction], log)
                _show([prediction], as_json=as_json, with_header=number == 0)
            return
        predictions = predict_history(bars, stream, model)
        _warn(predictions, model)
        _log(predictions, log)
        _show(predictions if as_json else predictions[-N_SHOWN:], as_json=as_json)
        if not as_json and len(predictions) > N_SHOWN:
            say(f"the last {N_SHOWN} of {len(predictions):,}; --json prints all")


def _read_bars(file: Path | None, timeframe: str) -> Iterable[dict[str, Any]]:
    """Read bars from a table, from lines in a file, or from standard input."""
    from src.sources.json_lines import read_lines

    if file is None:
        if sys.stdin.isatty():
            say("reading bars from here, one JSON object a line; Ctrl-D ends", on_error=True)
        return read_lines(sys.stdin.buffer)
    if file.suffix.lower() in {".csv", ".parquet"}:
        return _read_table(file, timeframe)
    return read_lines(io.BytesIO(storage.read_bytes(file)))


def _read_table(file: Path, timeframe: str) -> list[dict[str, Any]]:
    """Read bars from a table; a bot whose bars are JSON lines does without what reads them."""
    try:
        from src.sources.file import read_bars
    except ModuleNotFoundError as error:
        msg = (
            f"{file}: a table is read with {error.name}, which is not installed here; "
            "install requirements.lock, or give the bars as JSON lines"
        )
        raise DataError(msg) from error
    return read_bars(file, timeframe).reset_index().to_dict("records")


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
        storage.append_lines((json.dumps(prediction.to_plain()) for prediction in predictions), log)


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
