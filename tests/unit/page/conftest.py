"""The evidence of the last commit, without what only a reproduced pipeline has."""

import pytest

from src.base import paths, storage
from src.base.params import load_params
from src.page.evidence import DRAWN, Evidence, read_points

NOTHING_DOUBTFUL = {
    "resampled_bars_with_absent_parts": 0,
    "absent_parts": 0,
    "off_grid_rows": 0,
    "dropped_last": False,
    "doubts": {
        "zero_volume": 0,
        "deep_lows": 0,
        "stale_bars": 0,
        "longest_stale_run": 0,
        "volume_jump": 1.0,
        "volume_jump_at": None,
        "last_is_a_stump": False,
        "first_deep_low": None,
        "first_stale": None,
    },
}


@pytest.fixture
def evidence() -> Evidence:
    """What the page shows of the committed reports; nobody looked at the model at work yet."""
    gate = storage.read_json(paths.GATE)
    return Evidence(
        label=load_params().label,
        metrics=storage.read_json(paths.METRICS),
        quality=NOTHING_DOUBTFUL | storage.read_json(paths.DATA_QUALITY),
        plots={name: read_points(paths.plot(name)) for name in DRAWN},
        candidate=gate["candidate"],
        commit=40 * "c",
        n_changed=0,
        digests={"data/raw/bars.parquet": 32 * "0"},
        libraries={"python": "3.11.7"},
        gate=gate,
        monitor=None,
        metadata=storage.read_json(paths.METADATA),
    )
