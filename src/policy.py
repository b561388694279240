"""The whole of params.yaml: how a model is made, and what is asked of it. No stage reads the latter."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from src.base import paths
from src.base.params import Count, Params, Share, Window
from src.base.sections import Section, read_sections


class Gate(Section):
    """What a candidate must reach to be promoted."""

    f1_score_min: Share
    brier_skill_min: Annotated[float, Field(ge=-1, le=1)]
    volatility_tolerance: Annotated[float, Field(ge=-1, le=1)]
    champion_tolerance: Share
    calibration_error_max: Share
    missing_share_max: Share
    newest_bar_age_max_h: Annotated[float, Field(gt=0)] | None
    model_size_max_mb: Annotated[float, Field(gt=0)]
    latency_ratio_min: Annotated[float, Field(gt=0)]
    memory_max_mib: Annotated[float, Field(gt=0)]


class Retrain(Section):
    """How the window of the bars moves from week to week."""

    window_days: Count | None


class Monitor(Section):
    """What the model at work is watched for, and what is done about it."""

    window_bars: Window
    rows_min: Window
    live_f1_min: Share
    live_brier_skill_min: Annotated[float, Field(ge=-1, le=1)]
    calibration_gap_max: Share
    psi_max: Annotated[float, Field(gt=0)]
    drift_share_max: Share
    recent_bars: Window
    recent_missing_max: Annotated[int, Field(ge=0)]
    spike_times_max: Annotated[float, Field(gt=1)]
    still_bars_max: Count
    late_bars_max: Count | None
    model_age_max_days: Annotated[float, Field(gt=0)]
    retrain_every_days: Annotated[float, Field(gt=0)]
    alert_again_after_h: Annotated[float, Field(gt=0)]
    recover_f1_min: Share | None
    recover_rows_min: Window


class Policy(Params):
    """The whole of params.yaml."""

    gate: Gate
    retrain: Retrain
    monitor: Monitor

    @field_validator("gate", "monitor")
    @classmethod
    def _a_live_source_has_an_age(cls, section: Gate | Monitor, info: ValidationInfo) -> Gate | Monitor:
        data = info.data.get("data")
        key = {"gate": "newest_bar_age_max_h", "monitor": "late_bars_max"}[str(info.field_name)]
        if data is not None and data.is_live and getattr(section, key) is None:
            msg = f"{info.field_name}.{key} must be a number if data.source is {data.source}, a live source; got null"
            raise ValueError(msg)
        return section


def load_policy(path: Path = paths.PARAMS) -> Policy:
    """Read and check all of params.yaml, as `read_sections` does."""
    return read_sections(path, Policy)
