"""What the page shows, read from the files that the pipeline and the commands wrote."""

from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from btc_signal.bundle import sha256
from src.base import paths, storage
from src.base.params import Label, load_params
from src.release.metadata import libraries
from src.repo.dvc_lock import read_dvc_lock
from src.repo.git import git
from src.repo.outputs import check_reproduced

DRAWN = ("calibration", "equity", "feature_importance", "fold_auc", "regime_auc")
# The files whose names in dvc.lock stand for a result.
NAMED = (paths.BARS, paths.FEATURES, paths.GRAPH, paths.ENSEMBLE, paths.METRICS)

Record = dict[str, Any]


class Evidence(NamedTuple):
    """The content of the reports; None for one that nobody asked for yet.

    `plots` has the points by plot, a record a row; `candidate` is the sha256 of the pickled ensemble; `digests` are
    DVC's md5 by file; `n_changed` counts the files that differ from the commit.
    """

    label: Label
    metrics: Record
    quality: Record
    plots: dict[str, list[Record]]
    candidate: str
    commit: str
    n_changed: int
    digests: dict[str, str]
    libraries: dict[str, str]
    gate: Record | None
    monitor: Record | None
    metadata: Record | None


def read_evidence() -> Evidence:
    """Read it all.

    Raises
    ------
    ProjectError
        If an output of the pipeline is missing, or not what code and parameters make; it says `dvc repro`.
    """
    check_reproduced()
    outs = read_dvc_lock().outs
    return Evidence(
        label=load_params().label,
        metrics=storage.read_json(paths.METRICS),
        quality=storage.read_json(paths.DATA_QUALITY),
        plots={name: read_points(paths.plot(name)) for name in DRAWN},
        candidate=sha256(storage.read_bytes(paths.ENSEMBLE)),
        commit=git("rev-parse", "HEAD"),
        n_changed=len(git("status", "--porcelain").splitlines()),
        digests={name: outs[name].md5 for name in map(paths.relative, NAMED)},
        libraries=libraries(),
        gate=_read_if_there(paths.GATE),
        monitor=_read_look(),
        metadata=_read_if_there(paths.METADATA),
    )


def read_points(path: Path) -> list[Record]:
    """Read the points of a plot; an empty cell becomes None."""
    points = pd.read_csv(BytesIO(storage.read_bytes(path)))
    return points.astype(object).where(points.notna(), None).to_dict("records")


def _read_if_there(path: Path) -> Record | None:
    return storage.read_json(path) if path.exists() else None


def _read_look() -> Record | None:
    """Read the monitor's last look; None, too, if it does not tell training bars from live ones."""
    look = _read_if_there(paths.MONITOR)
    return look if look and "in_training" in look else None
