"""What a look at the model needs: closed bars, and the promotion it is compared with."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from btc_signal.in_sample import honest_from
from src.base import paths
from src.base.errors import DataError
from src.base.params import Features, Label
from src.gate.compare import vote
from src.monitoring.drift import columns_of
from src.policy import Policy
from src.release.history import Promoted, promotions
from src.repo.revision import Revision
from src.sources.file import read_bars
from src.sources.source import bars_of

# The label of the newest bars, and a stretch before them for what is usual.
SPARE_BARS = 50


class Reference(NamedTuple):
    """The promotion of the version that predicts: its record and its commit."""

    promoted: Promoted
    revision: Revision

    @property
    def honest_from(self) -> datetime:
        """The first open whose label that model did not know in training."""
        return honest_from(self.promoted.metadata)

    def applied_to(self, params: Policy) -> Policy:
        """Return the parameters with that model's label, features and timeframe, whatever they are today."""
        made = self.revision.params
        try:
            data = params.data.model_copy(update={"timeframe": made["data"]["timeframe"]})
            label, features = Label.model_validate(made["label"]), Features.model_validate(made["features"])
        except (KeyError, ValueError) as error:
            msg = f"params.yaml of version {self.promoted.version} is damaged in its commit ({error}); promote another"
            raise DataError(msg) from error
        return params.model_copy(update={"data": data, "label": label, "features": features})

    def training_columns(self) -> pd.DataFrame:
        """Return what that model learned from, and its out-of-fold probability, as `columns_of` lays them out."""
        ensemble = self.revision.params["ensemble"]
        forecasts = vote({n: self.revision.read_frame(paths.out_of_fold(n)) for n in ensemble["weights"]}, ensemble)
        return columns_of(self.revision.read_frame(paths.FEATURES), forecasts["probability"])


def find_reference(version: str) -> Reference:
    """Find the promotion of a version; `DataError` if there is none."""
    known = {promoted.version: promoted for promoted in promotions()}
    if version not in known:
        names = ", ".join(known) or "none"
        msg = f"the log is of version {version}, promoted were {names}; `git pull`, or mend the log"
        raise DataError(msg)
    return Reference(known[version], Revision(known[version].commit))


def newest_bars(file: Path | None, params: Policy, now: datetime) -> pd.DataFrame:
    """Return closed bars up to now: of a file, or of the source in params.yaml, whatever its window."""
    data = params.data
    if file is not None:
        return read_bars(file, data)
    window = data.model_copy(update=_newest_window(params, now) if data.is_live else {"start": None, "end": None})
    return bars_of(window, now)


def _newest_window(params: Policy, now: datetime) -> dict[str, datetime]:
    """Return whole days that end with the newest closed bar, as many as a look needs."""
    n_bars = params.features.warm_up_bars + params.monitor.window_bars + SPARE_BARS
    end = now.replace(minute=0, second=0, microsecond=0)
    end -= (end - datetime(1970, 1, 1, tzinfo=end.tzinfo)) % params.data.step
    start = (end - n_bars * params.data.step).replace(hour=0)
    return {"start": start, "end": max(end, start + timedelta(days=1))}
