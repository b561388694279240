"""Every threshold of gate and monitor has bounds, and a value at each end of them."""

import re

import pytest
import yaml

from src.base import paths
from src.base.errors import ParamsError

SHIPPED = paths.PARAMS.read_text(encoding="utf-8")
CONTENT = yaml.safe_load(SHIPPED)
GATE = {
    "f1_score_min": (["-0.1", "1.1"], ["0", "1"]),
    "brier_skill_min": (["-1.1", "1.1"], ["-1", "1"]),
    "volatility_tolerance": (["-1.1", "1.1"], ["-1", "1"]),
    "champion_tolerance": (["-0.1", "1.1"], ["0", "1"]),
    "calibration_error_max": (["-0.1", "1.1"], ["0", "1"]),
    "missing_share_max": (["-0.1", "1.1"], ["0", "1"]),
    "newest_bar_age_max_h": (["0", "-1", ".nan", ".inf", "true", "'2'", "never"], ["null", "0.1", "2", "100000"]),
    "model_size_max_mb": (["0", "-1", ".inf", "null"], ["0.1", "100000"]),
    "latency_ratio_min": (["0", "-1", ".inf", "null"], ["0.1", "100000"]),
    "memory_max_mib": (["0", "-1", ".inf", "null"], ["0.1", "100000"]),
}


MONITOR = {
    "window_bars": (["1", "720.5", "null"], ["2", "100000"]),
    "rows_min": (["1", "null"], ["2", "100000"]),
    "live_f1_min": (["-0.1", "1.1", "null"], ["0", "1"]),
    "live_brier_skill_min": (["-1.1", "1.1"], ["-1", "1"]),
    "calibration_gap_max": (["-0.1", "1.1"], ["0", "1"]),
    "psi_max": (["0", "-1", ".inf"], ["0.01", "10"]),
    "drift_share_max": (["-0.1", "1.1"], ["0", "1"]),
    "recent_bars": (["1", "null"], ["2", "100000"]),
    "recent_missing_max": (["-1", "0.5"], ["0", "10"]),
    "spike_times_max": (["1", "0", ".nan"], ["1.1", "100000"]),
    "still_bars_max": (["0", "2.5"], ["1", "100"]),
    "late_bars_max": (["0", "2.5", "never"], ["null", "1", "100"]),
    "model_age_max_days": (["0", "null"], ["0.5", "1000"]),
    "retrain_every_days": (["0", "null"], ["0.5", "1000"]),
    "alert_again_after_h": (["0", "null"], ["0.5", "1000"]),
    "recover_f1_min": (["-0.1", "1.1", "never"], ["null", "0", "1"]),
    "recover_rows_min": (["1", "null"], ["2", "100000"]),
}
POLICY = {"gate": GATE, "monitor": MONITOR}
BOUNDS = [(section, key, *bounds) for section, keys in POLICY.items() for key, bounds in keys.items()]


def test_every_key_of_gate_and_monitor_has_bounds():
    """The tables above leave none out."""
    assert {section: set(keys) for section, keys in POLICY.items()} == {key: set(CONTENT[key]) for key in POLICY}


@pytest.mark.parametrize(("section", "key", "value"), [(*at, value) for *at, refused, _ in BOUNDS for value in refused])
def test_a_threshold_that_cannot_be_is_refused(section, key, value, load):
    """It would let everything pass, or nothing."""
    (shown,) = re.findall(rf"  {key}: [^ ]+", SHIPPED)
    with pytest.raises(ParamsError, match=rf"^params\.yaml line \d+: {section}\.{key}: .*, got "):
        load((shown, f"  {key}: {value}"))


@pytest.mark.parametrize(("section", "key", "value"), [(*at, value) for *at, _, taken in BOUNDS for value in taken])
def test_a_threshold_at_its_bound_is_accepted(section, key, value, load):
    """And is what the gate or the monitor gets."""
    (shown,) = re.findall(rf"  {key}: [^ ]+", SHIPPED)
    assert getattr(getattr(load((shown, f"  {key}: {value}")), section), key) == yaml.safe_load(value)
