"""The evidence of the last commit, without what only a reproduced pipeline has."""

import pytest

from src.base import paths, storage
from src.base.params import load_params
from src.page.evidence import DRAWN, Evidence, read_points


@pytest.fixture
def evidence() -> Evidence:
    """What the page shows of the committed reports; nobody looked at the model at work yet."""
    gate = storage.read_json(paths.GATE)
    return Evidence(
        label=load_params().label,
        metrics=storage.read_json(paths.METRICS),
        quality=storage.read_json(paths.DATA_QUALITY),
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
