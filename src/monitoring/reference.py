"""What a look at the model needs: closed bars, and the promotion it is held against."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from btc_signal.in_sample import honest_from
from src.bars.build import build_bars
from src.base import paths
from src.base.errors import DataError
from src.base.params import Features, Label
from src.features.feature_manager import FeatureManager
from src.gate.compare import vote
from src.monitoring.drift import columns_of
from src.policy import Policy
from src.release.history import Promoted, promotions
from src.repo.revision import Revision
from src.sources.exchange import fetch_bars
from src.sources.file import read_bars, read_file
from src.training.members import MEMBERS

# The label of the newest bars, and a stretch before them for what is usual.
SPARE_BARS = 50


class Reference(NamedTuple):
    """The promotion of the version that predicts: its record and its commit."""

    promoted: Promoted
    revision: Revision

    @property
    def label(self) -> Label:
        """What that model forecasts."""
        return Label.model_validate(self.revision.params["label"])

    @property
    def honest_from(self) -> datetime:
        """The first open whose label that model did not know in training."""
        return honest_from(self.promoted.metadata)

    @property
    def manager(self) -> FeatureManager:
        """What makes that model's features."""
        return FeatureManager(Features.model_validate(self.revision.params["features"]))

    def training_columns(self) -> pd.DataFrame:
        """Return what that model learned from, and its out-of-fold probability, as `columns_of` lays them out."""
        frames = {name: self.revision.read_frame(paths.out_of_fold(name)) for name in MEMBERS.values()}
        forecasts = vote(frames, self.revision.params["ensemble"])
        return columns_of(self.revision.read_frame(paths.FEATURES), forecasts["probability"])


def find_reference(version: str) -> Reference:
    """Find the promotion of a version; `DataError` if there is none."""
    known = {promoted.version: promoted for promoted in promotions()}
    if version not in known:
        msg = (
            f"the log is of version {version}, promoted were {', '.join(known) or 'none'}; `git pull`, or mend the log"
        )
        raise DataError(msg)
    return Reference(known[version], Revision(known[version].commit))


def newest_bars(file: Path | None, params: Policy, now: datetime) -> pd.DataFrame:
    """Return closed bars up to now: of a file, or of the source in params.yaml, whatever its window."""
    data = params.data
    if file is not None:
        return read_bars(file, data.timeframe)
    if data.source != "ccxt":
        return build_bars(read_file(data.file)[0], data.model_copy(update={"start": None, "end": None}), now)[0]
    n_bars = params.features.warm_up_bars + params.monitor.window_bars + SPARE_BARS
    end = now.replace(minute=0, second=0, microsecond=0)
    end -= (end - datetime(1970, 1, 1, tzinfo=end.tzinfo)) % data.step
    start = (end - n_bars * data.step).replace(hour=0)
    window = data.model_copy(update={"start": start, "end": max(end, start + timedelta(days=1))})
    return build_bars(fetch_bars(window, now), window, now)[0]
