"""What the stages read of params.yaml, as frozen, typed sections. No key has a default.

What is asked of a model, rather than how it is made, stands in `src.policy`: no stage reads it.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from btc_signal.times import read_timeframe, read_utc
from src.base import paths
from src.base.sections import Section, read_sections

Window = Annotated[int, Field(ge=2)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
Moment = Annotated[datetime | None, BeforeValidator(read_utc)]
# The sections of `src.policy`.
POLICY = ("gate", "retrain", "monitor")
# What a column of a file may be taken for.
ColumnName = Literal["time", "open", "high", "low", "close", "volume"]
# The names that `src.sources.source` knows, and those of live sources, whose bars go on.
SourceName = Literal["sample", "file", "ccxt"]
LIVE: tuple[SourceName, ...] = ("ccxt",)


class Limits(Section):
    """Shares of the source's bars beyond which it is refused; null: counted and told, never refused."""

    off_grid_share_max: Share = 0.0
    zero_volume_share_max: Share | None = None
    deep_low_share_max: Share | None = None
    stale_share_max: Share | None = None
    volume_jump_max: Annotated[float, Field(gt=1)] | None = None


class Data(Section):
    """Where the bars come from, and which of them; what answers the questions of a file has a default, no question."""

    source: SourceName
    path: str
    exchange: str = ""
    symbol: str
    timeframe: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}(m|h|d)$")]
    start: Moment
    end: Moment
    columns: list[str] | dict[ColumnName, str] | None = None
    time_zone: str | None = None
    thousands: Literal[",", ".", " ", "'"] | None = None
    drop_last: bool = False
    parts_min_share: Rate = 0.9
    limits: Limits = Limits()

    @field_validator("time_zone")
    @classmethod
    def _zone_is_known(cls, zone: str | None) -> str | None:
        try:
            _ = ZoneInfo(zone) if zone is not None else None
        except (ZoneInfoNotFoundError, ValueError) as error:
            msg = f"expected a time zone such as UTC, Asia/Tokyo or America/New_York, got {zone!r}"
            raise ValueError(msg) from error
        return zone

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        if not (Path(path).is_absolute() or (paths.ROOT / path).resolve().is_relative_to(paths.ROOT)):
            msg = "leads outside the repository; give it as an absolute path if you mean it"
            raise ValueError(msg)
        return path

    @field_validator("start", "end")
    @classmethod
    def _is_closed_if_live(cls, moment: datetime | None, info: ValidationInfo) -> datetime | None:
        source = info.data.get("source")
        if source in LIVE and (moment is None or moment.timestamp() % 3600):
            msg = f"must be a whole hour if source is {source}, and not null: an open window gives each run other bars"
            raise ValueError(msg)
        return moment

    @field_validator("end")
    @classmethod
    def _window_is_not_empty(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start")
        if start is not None and end is not None and start >= end:
            msg = f"must lie after start, {start:%Y-%m-%dT%H:%M}Z"
            raise ValueError(msg)
        return end

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.is_live and not self.exchange:
            msg = f"exchange must name one if source is {self.source}"
            raise ValueError(msg)
        return self

    @property
    def is_live(self) -> bool:
        """Whether new bars keep coming, so that a window must be closed and has an age."""
        return self.source in LIVE

    @property
    def step(self) -> timedelta:
        """The timeframe as a length of time."""
        return read_timeframe(self.timeframe)


class Features(Section):
    """Windows that no feature's name fixes, in bars, and the warm-up."""

    macd_fast: Window
    macd_slow: Window
    macd_signal: Window
    bollinger_window: Window
    bollinger_width: Annotated[float, Field(gt=0)]
    zscore_window: Window
    volume_ratio_window: Window
    warm_up_bars: Window

    @field_validator("macd_slow")
    @classmethod
    def _macd_is_in_order(cls, slow: int, info: ValidationInfo) -> int:
        if slow <= info.data.get("macd_fast", 0):
            msg = f"must be greater than macd_fast, {info.data['macd_fast']}"
            raise ValueError(msg)
        return slow

    @field_validator("warm_up_bars")
    @classmethod
    def _covers_every_window(cls, warm_up_bars: int, info: ValidationInfo) -> int:
        windows = {name: info.data.get(name, 0) for name in cls.model_fields if name.endswith(("window", "slow"))}
        # ema_50 is fixed; the signal of macd starts once the slow average has.
        longest = max(50, *windows.values(), windows["macd_slow"] + info.data.get("macd_signal", 1) - 1)
        if warm_up_bars <= longest:
            msg = f"must be greater than {longest}, the longest window"
            raise ValueError(msg)
        return warm_up_bars


class Label(Section):
    """What counts as a rise."""

    horizon_bars: Count
    threshold: Annotated[float, Field(gt=-1, lt=1)]


class Split(Section):
    """Walk-forward folds."""

    n_splits: Window
    gap: Count


class Lgbm(Section):
    """LightGBM's settings, by LightGBM's own names."""

    n_estimators: Count
    learning_rate: Rate
    num_leaves: Window
    min_child_samples: Count
    subsample: Rate


class Xgb(Section):
    """XGBoost's settings, by XGBoost's own names."""

    n_estimators: Count
    learning_rate: Rate
    max_depth: Count
    min_child_weight: Annotated[float, Field(ge=0)]
    subsample: Rate


class Rf(Section):
    """RandomForestClassifier's settings, by scikit-learn's own names."""

    n_estimators: Count
    max_depth: Count
    min_samples_leaf: Count
    max_features: Rate


class Train(Section):
    """The three members, and how fast the past fades for all of them."""

    half_life_rows: Annotated[float, Field(gt=0)] | None
    lgbm: Lgbm
    xgb: Xgb
    rf: Rf


class Weights(Section):
    """Each member's share of the vote."""

    lightgbm: Share
    xgboost: Share
    random_forest: Share

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = sum(self.model_dump().values())
        if abs(total - 1) > 1e-9:  # noqa: PLR2004 - far above rounding, far below a typing error
            msg = f"weights must sum to 1, these sum to {total:.10g}"
            raise ValueError(msg)
        return self


class Ensemble(Section):
    """How the members' probabilities become one decision."""

    weights: Weights
    decision_threshold: Share


class Backtest(Section):
    """What trading costs, in basis points of the stake for every change of the position."""

    fee_bps: Annotated[float, Field(ge=0, lt=10_000)]
    slippage_bps: Annotated[float, Field(ge=0, lt=10_000)]


class Params(Section):
    """How a model is made."""

    data: Data
    features: Features
    label: Label
    split: Split
    train: Train
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    n_jobs: Count
    ensemble: Ensemble
    backtest: Backtest

    @field_validator("split")
    @classmethod
    def _gap_covers_the_horizon(cls, split: Split, info: ValidationInfo) -> Split:
        label = info.data.get("label")
        if label is not None and split.gap < label.horizon_bars:
            came = f"got {split.gap} and {label.horizon_bars}"
            msg = f"split.gap must be at least label.horizon_bars, or training labels reach into the test rows; {came}"
            raise ValueError(msg)
        return split


def load_params(path: Path = paths.PARAMS) -> Params:
    """Read and check what the stages read of params.yaml, as `read_sections` does."""
    return read_sections(path, Params, leave_out=POLICY)
