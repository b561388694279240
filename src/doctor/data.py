"""The bars and the features: readable, valid, as many and as new as asked."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from src.base import paths
from src.doctor.check import Check, fail, ok, restoring, warn
from src.doctor.pipeline_outputs import ABSENT, GOOD, absent_after_rollback, getting_back, how_file_is, read_outputs
from src.doctor.status import TRY_RETRAIN
from src.verdict.finding import Finding

if TYPE_CHECKING:
    from src.policy import Policy

# What params.yaml says of the user's file.
ANSWERS = ("columns", "time_zone", "thousands", "drop_last", "limits")
BARS, FEATURES, QUALITY = (paths.relative(path) for path in (paths.BARS, paths.FEATURES, paths.DATA_QUALITY))


class Data(Check):
    """The source is there; bars and features are valid, and as many and as new as the gate asks."""

    name = "data"
    requires = ("params", "pipeline-files")
    subsets = ("data-check", "full-check")

    def findings(self) -> Iterator[Finding]:
        from src.policy import load_policy
        from src.sources.source import SOURCES

        params = load_policy(self.root / "params.yaml")
        outputs, _ = read_outputs(self.root)
        right, absent = {one.name for one in outputs if one.file == GOOD}, absent_after_rollback(self.root, outputs)
        source = self._source(params)
        yield source
        if SOURCES[params.data.source].file_of(params.data) not in {None, paths.SAMPLE} and source.verdict != "failed":
            yield from self._file(params)
        for name, judge in ((BARS, _judge_bars), (FEATURES, _judge_features)):
            yield warn("data", f"{name}: {ABSENT}") if name in absent else self._table(name, judge, right)
            if name == BARS:
                yield self._quality(params)

    def _source(self, params: Policy) -> Finding:
        """Look at the file that the bars are made from."""
        from src.repo.dvc_lock import read_dvc_lock
        from src.sources.source import SOURCES

        if (source := SOURCES[params.data.source].file_of(params.data)) is None:
            return ok("source", f"{params.data.exchange}, asked when bars are fetched")
        is_bundled = source == paths.SAMPLE
        name = paths.relative(source) if is_bundled else str(params.data.path)
        fetch, file = read_dvc_lock(self.root).stages.get("fetch"), self.root / name
        made_from = {dep.path: dep.md5 for dep in (fetch.deps if fetch else [])}
        state = how_file_is(file, made_from.get(name, "")) if name in made_from or not file.is_file() else GOOD
        if state == GOOD:
            return ok("source", f"{name} is there")
        if is_bundled:
            return fail("source", f"{name}, which the repository bundles, is {state}", restoring(self.root, name))
        if file.is_file():
            return warn("source", f"{name} changed since bars were made from it", "dvc repro")
        return fail("source", f"{name} is not there: put your bars there, or set data.path in params.yaml")

    def _file(self, params: Policy) -> Iterator[Finding]:
        """Tell what is wrong or doubtful in the user's own file, all at once."""
        from src.sources.inspect import ENTERS, inspect

        name, given = str(params.data.path), params.data.model_dump(include={*ANSWERS})
        inspection = inspect(self.root / name, given)
        for problem in inspection.found.problems:
            yield fail("source", f"{name}: {problem.words}", f"python -m src inspect {shlex.quote(name)}")
        for words in inspection.found.warnings:
            yield warn("source", f"{name}: {words}")
        if inspection.status == ENTERS:
            yield ok("source", f"{name}: every row is understood")

    def _table(self, name: str, judge: Callable[[Any], str], right: set[str]) -> Finding:
        """Read a table and judge what it holds; one that is not what dvc.lock says is told with the outputs."""
        from src.base import tables
        from src.base.errors import DataError

        if not (self.root / name).is_file():
            return fail("data", f"{name} is not there", getting_back([name]))
        try:
            frame = tables.read_frame(self.root / name)
            return ok("data", f"{name}: {len(frame):,} rows, {judge(frame)}")
        except (DataError, KeyError) as error:
            command = "dvc repro --force" if name in right else getting_back([name], [name])
            return fail("data", f"{name}: {error}", command)

    def _quality(self, params: Policy) -> Finding:
        """Ask of the bars what the gate asks."""
        from src.base import storage
        from src.base.errors import DataError

        gate, file = params.gate, self.root / QUALITY
        try:
            quality = storage.read_json(file)
            missing, opened = quality["missing_share"] + 0.0, quality["last_open"]
            age = datetime.now(timezone.utc) - datetime.fromisoformat(opened) - params.data.step
        except (DataError, KeyError, TypeError, ValueError) as error:
            words = str(error) if isinstance(error, DataError) else f"{QUALITY} lacks missing_share or last_open"
            return fail("quality", words, "dvc repro" if file.exists() else f"git checkout HEAD -- {QUALITY}")
        age_h, allowed_h = age / timedelta(hours=1), gate.newest_bar_age_max_h
        if missing > gate.missing_share_max:
            allowed = f"{gate.missing_share_max:.2%} are allowed; the gate refuses that"
            return warn("quality", f"the source lacks {missing:.2%} of the bars, {allowed}")
        if allowed_h is not None and age_h > allowed_h:
            words = f"the newest bar closed {age_h:,.0f} hours ago, {allowed_h:g} are allowed"
            return warn("quality", words, TRY_RETRAIN if params.data.is_live else "dvc repro")
        return ok("quality", f"{missing:.2%} of the bars missing, the newest opened {opened}")


def _judge_bars(bars: Any) -> str:  # noqa: ANN401 - a frame
    from src.bars.schema import check_bars

    check_bars(bars)
    return f"the last opens {bars.index[-1]:%Y-%m-%dT%H:%MZ}"


def _judge_features(features: Any) -> str:  # noqa: ANN401 - a frame
    import numpy as np

    from btc_signal.catalog import FEATURE_NAMES, TARGET
    from src.base.errors import DataError

    if not np.isfinite(features[[*FEATURE_NAMES, TARGET]].to_numpy()).all():
        msg = "a value is missing or infinite"
        raise DataError(msg)
    return f"{len(FEATURE_NAMES)} features, all finite"
