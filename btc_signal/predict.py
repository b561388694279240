"""From bars to predictions: what the promoted model says of each."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from btc_signal.ensemble import ProductionEnsemble
from btc_signal.exceptions import DataError
from btc_signal.stream import FeatureStream
from btc_signal.times import utc_text


class Prediction(NamedTuple):
    """What a model says after the bar that opened at `time` has closed.

    `decision` is 1 for buy, 0 for stay out; `disagreement` the largest less the smallest of the members' probabilities.
    """

    time: datetime
    probability: float
    decision: int
    members: dict[str, float]
    disagreement: float
    model_version: str | None

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return self._asdict() | {"time": utc_text(self.time)}


def predict_history(
    bars: Iterable[Mapping[str, Any]], stream: FeatureStream, model: ProductionEnsemble
) -> list[Prediction]:
    """Predict for every bar whose warm-up is complete; a gap starts the warm-up anew.

    `DataError` if a bar is invalid, or none has its warm-up.
    """
    times, rows, n_bars = list[datetime](), list[np.ndarray](), 0
    for bar in bars:
        n_bars += 1
        row = stream.warm_up([bar])
        if row is not None and stream.last_time:
            times.append(stream.last_time)
            rows.append(row)
    if not rows:
        msg = f"got {n_bars} bars, none has its warm-up; {stream.missing_bars} more without a gap are needed"
        raise DataError(msg)
    return _predictions(times, np.array(rows), model)


def predict_live(
    bars: Iterable[Mapping[str, Any]], stream: FeatureStream, model: ProductionEnsemble
) -> Iterator[Prediction]:
    """Predict for each bar as it comes, once the warm-up is complete; a gap is an error."""
    for bar in bars:
        row = stream.update(bar)
        if row is not None and stream.last_time:
            yield from _predictions([stream.last_time], row.reshape(1, -1), model)


def _predictions(times: list[datetime], rows: np.ndarray, model: ProductionEnsemble) -> list[Prediction]:
    """Ask the model about rows of features."""
    members = model.predict_members(rows)
    probabilities = model.vote(members)
    version = model.metadata["version"] if model.metadata else None
    return [
        Prediction(
            time,
            probability,
            int(probability > model.decision_threshold),
            dict(zip(model.members, votes, strict=True)),
            max(votes) - min(votes),
            version,
        )
        for time, probability, votes in zip(times, probabilities.tolist(), members.tolist(), strict=True)
    ]
