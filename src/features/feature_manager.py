"""The twelve features, made in one place for training and for serving."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from btc_signal.bar import COLUMNS, EPOCH_UNITS, LATEST, TIME_NAMES, read_time
from btc_signal.catalog import FEATURE_MANAGER_VERSION, FEATURE_NAMES, FEATURES, TARGET
from src.bars.schema import check_bars, check_times, segments
from src.base import paths
from src.base.errors import DataError
from src.base.params import Features, Label
from src.features.indicators import compute
from src.features.labels import make_labels
from src.features.promoted import promoted


class FeatureManager:
    """Makes the twelve features, the same for training and for serving.

    Parameters
    ----------
    settings : Features, optional
        Windows and warm-up in bars. Without it, those of the promoted model, which must be there: what serves is what
        trained. For a candidate, pass ``load_params().features``.
    timeframe : str, optional
        Length of a bar, such as 1h. Without it that of the promoted model, or, if settings are given, the shortest step
        of the bars.

    Examples
    --------
    >>> FeatureManager().get_feature_names()[:3]
    ['close', 'volume', 'returns_1']
    """

    def __init__(self, settings: Features | None = None, timeframe: str | None = None) -> None:
        self.settings = settings or _promoted_settings()
        is_known = timeframe is not None or settings is not None
        self.timeframe = timeframe if is_known else str(promoted("training_info", "data", "timeframe"))

    def get_feature_names(self) -> list[str]:
        """Return the twelve names, in the order of the columns."""
        return list(FEATURE_NAMES)

    def get_feature_count(self) -> int:
        """Return how many features there are."""
        return len(FEATURE_NAMES)

    def get_feature_categories(self) -> dict[str, list[str]]:
        """Return the names by category."""
        categories: dict[str, list[str]] = {}
        for feature in FEATURES:
            categories.setdefault(feature.category, []).append(feature.name)
        return categories

    def get_feature_info(self) -> dict[str, Any]:
        """Return version, count, names, categories, settings, and unit and description of each feature."""
        return {
            "version": FEATURE_MANAGER_VERSION,
            "total_features": self.get_feature_count(),
            "feature_names": self.get_feature_names(),
            "feature_categories": self.get_feature_categories(),
            "settings": self.settings.model_dump(),
            "features": {f.name: {"unit": f.unit, "description": f.description} for f in FEATURES},
        }

    def generate_features(self, market_data: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame:
        """Compute the twelve features of every bar whose warm-up is complete.

        `DataError` if a column is missing, a value is invalid, or no bar has its warm-up; if times are not increasing,
        have no zone, are off the grid of the timeframe or of another one, or a bar is not closed yet.

        Parameters
        ----------
        market_data
            Closed bars, oldest first: a DataFrame or a dict of equally long columns, with `open high low close
            volume` and what else there may be. A time index, or a column of `TIME_NAMES`, shows the gaps; each gap
            starts the warm-up anew. Without times the bars count as unbroken.

        Returns
        -------
        DataFrame of shape (n_rows, 12)
            float64, never NaN or infinite, indexed like the bars. Row t uses bars up to t only. The first
            ``warm_up_bars - 1`` bars of every stretch without a gap have no row.

        """
        bars = _as_bars(market_data, self.timeframe)
        ends = [*np.flatnonzero(np.diff(segments(bars.index))) + 1, len(bars)]
        stretches = [bars.iloc[start:end] for start, end in pairwise([0, *ends])]
        warm = [self._one_stretch(stretch) for stretch in stretches if len(stretch) >= self.settings.warm_up_bars]
        if not warm:
            longest = max(len(stretch) for stretch in stretches)
            msg = (
                f"got {len(bars)} bars, the longest stretch without a gap has {longest}; expected at least "
                f"{self.settings.warm_up_bars}, the warm-up of the features: give more bars"
            )
            raise DataError(msg)
        features = warm[0] if len(warm) == 1 else pd.concat(warm)
        self.validate_features(features)
        return features

    def latest(self, market_data: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame:
        """Compute the features of the newest bar, shape (1, 12); `market_data` as `generate_features` takes it.

        `DataError` if that bar has none: after a gap the last row of `generate_features` is that of an older bar.
        """
        bars = _as_bars(market_data, self.timeframe)
        stretch = segments(bars.index)
        n_bars = int((stretch == stretch[-1]).sum())
        lacking = self.settings.warm_up_bars - n_bars
        if lacking > 0:
            since = f"since the gap before {bars.index[-n_bars]}" if n_bars < len(bars) else "in all"
            msg = (
                f"the newest bar, {bars.index[-1]}, has no features: {n_bars} bars without a gap {since}, expected "
                f"{self.settings.warm_up_bars}, the warm-up; {lacking} more bars are needed, or the missing ones"
            )
            raise DataError(msg)
        features = self._one_stretch(bars.iloc[-n_bars:]).iloc[[-1]]
        self.validate_features(features)
        return features

    def validate_features(self, features: pd.DataFrame) -> bool:
        """Check names, order and values of a feature table; True, or a `DataError`, which cannot be overlooked."""
        if list(features.columns) != list(FEATURE_NAMES):
            msg = f"expected the columns {', '.join(FEATURE_NAMES)} in this order, got {', '.join(map(str, features))}"
            raise DataError(msg)
        is_finite = np.isfinite(features.to_numpy(dtype=float))
        if not is_finite.all():
            rows, columns = np.nonzero(~is_finite)
            name, value = FEATURE_NAMES[columns[0]], features.iloc[rows[0], columns[0]]
            msg = f"row {features.index[rows[0]]}: {name} is {value}, expected a finite number"
            raise DataError(msg)
        return True

    def _one_stretch(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Compute one stretch without a gap and drop its warm-up."""
        columns = {name: np.ascontiguousarray(bars[name]) for name in COLUMNS}
        computed, first = compute(columns, self.settings), self.settings.warm_up_bars - 1
        table = np.stack([computed[name] for name in FEATURE_NAMES])[:, first:]
        return pd.DataFrame(table.T, index=bars.index[first:], columns=list(FEATURE_NAMES), copy=False)


def build_dataset(bars: pd.DataFrame, settings: Features, label: Label) -> pd.DataFrame:
    """Return the features and `target` (int8, 0 or 1), shape (n_rows, 13), by open time, of every bar that has both."""
    features = FeatureManager(settings).generate_features(bars)
    target = make_labels(bars["close"], label).reindex(features.index)
    dataset = features.assign(**{TARGET: target})[target.notna()]
    if dataset.empty:
        msg = f"no bar has both its warm-up and a close {label.horizon_bars} bars later; give more bars"
        raise DataError(msg)
    return dataset.astype({TARGET: "int8"})


def _promoted_settings() -> Features:
    """Read what the promoted model was trained with."""
    try:
        return Features.model_validate(promoted("feature_settings"))
    except ValidationError as error:
        msg = f"{paths.relative(paths.METADATA)}: no valid feature_settings ({error}); restore it with `git checkout`"
        raise DataError(msg) from error


def _indexed_by_time(table: pd.DataFrame) -> pd.DataFrame:
    """Index by the column that holds the times, if there is one: moments and epochs as they are, ISO 8601 text read."""
    name = next((name for name in TIME_NAMES if name in table), None)
    if name is None:
        return table
    times = table[name]
    if not (pd.api.types.is_numeric_dtype(times) or pd.api.types.is_datetime64_any_dtype(times)):
        try:
            read = [read_time(time) for time in times]
        except DataError as error:
            msg = f"column {name}: {error}"
            raise DataError(msg) from error
        times = pd.Series(pd.DatetimeIndex(read), index=times.index)
    return table.set_index(pd.Index(times, name=name))


def _as_bars(market_data: pd.DataFrame | Mapping[str, Any], timeframe: str | None) -> pd.DataFrame:
    """Return the five columns as float64 on an increasing index, checked; its times, too, if it has them."""
    try:
        table = pd.DataFrame(market_data)
    except ValueError as error:
        msg = f"expected a DataFrame, or equally long columns by name: {error}"
        raise DataError(msg) from error
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        msg = f"expected the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}"
        raise DataError(msg)
    table = _indexed_by_time(table)
    if table.index.hasnans:
        msg = f"row {int(np.argmax(table.index.isna())) + 1}: the time is missing"
        raise DataError(msg)
    if not table.index.is_monotonic_increasing or not table.index.is_unique:
        later = int(np.argmax(table.index[1:] <= table.index[:-1])) + 1
        msg = f"bars must be oldest first, each time once; {table.index[later]} follows {table.index[later - 1]}"
        raise DataError(msg)
    try:
        bars = table[COLUMNS].astype(float)
    except (TypeError, ValueError) as error:
        msg = f"expected numbers in {', '.join(COLUMNS)}: {error}"
        raise DataError(msg) from error
    check_bars(bars)
    if (moments := _moments(bars.index)) is not None:
        check_times(moments, timeframe, datetime.now(UTC))
    return bars


def _moments(index: pd.Index) -> pd.DatetimeIndex | None:
    """Return an index of moments or epochs as moments; None where it has no times."""
    if isinstance(index, pd.DatetimeIndex) or index.name not in TIME_NAMES or not len(index):
        return index if isinstance(index, pd.DatetimeIndex) else None
    first = read_time(index[0])
    unit = next(unit for unit, per_second in EPOCH_UNITS.items() if index[0] / per_second < LATEST.timestamp())
    return pd.DatetimeIndex(pd.Timestamp(first) + pd.to_timedelta(index.to_numpy() - index[0], unit=unit))
