"""The bars and the features: whether they can be read, hold to their contract, and are as many and as new as asked."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.bars.schema import check_bars
from src.base import paths, storage, tables
from src.base.errors import DataError, ParamsError, PromotionError
from src.doctor.finding import Line, fail, ok, warn
from src.doctor.pipeline_outputs import ABSENT, GOOD, Output, absent_after_rollback, how_file_is, read_outputs
from src.doctor.shell import aside, quoted
from src.doctor.status import TRY_RETRAIN
from src.doctor.syntax import locked_stages
from src.policy import Policy, load_policy
from src.repo.dvc_cache import cache_folder

BARS, FEATURES, QUALITY = (paths.relative(path) for path in (paths.BARS, paths.FEATURES, paths.DATA_QUALITY))


def check(root: Path) -> Iterator[Line]:
    """Look at the source, the bars, what is known of their quality, and the features."""
    try:
        params = load_policy(root / "params.yaml")
    except ParamsError:
        yield warn("data", "not looked at before params.yaml is mended", "python -m src check data-check")
        return
    yield from _source(root, params)
    outputs = read_outputs(root)
    right, absent = {output.name for output in outputs if output.file == GOOD}, _absent(root, outputs)
    yield from _absent_one(BARS) if BARS in absent else _table(root, BARS, right, _judge_bars)
    yield from _quality(root, params)
    yield from _absent_one(FEATURES) if FEATURES in absent else _table(root, FEATURES, right, _judge_features)


def _absent(root: Path, outputs: list[Output]) -> list[str]:
    """Name what a rollback could not bring back; settings that DVC cannot read are reported with the outputs."""
    try:
        return absent_after_rollback(root, cache_folder(root), outputs)
    except PromotionError:
        return []


def _absent_one(name: str) -> Iterator[Line]:
    yield warn("data", f"{name}: {ABSENT}")


def _source(root: Path, params: Policy) -> Iterator[Line]:
    """Look at the file that the bars are made from."""
    if params.data.source == "ccxt":
        yield ok("source", f"{params.data.exchange}, asked when bars are fetched")
        return
    name = paths.relative(paths.SAMPLE) if params.data.source == "sample" else params.data.path
    deps = [dep for dep in locked_stages(root).get("fetch", {}).get("deps", []) if dep["path"] == name]
    state = how_file_is(root / name, deps[0]["md5"] if deps else "")
    if state == GOOD or (deps == [] and (root / name).is_file()):
        yield ok("source", f"{name} is there")
    elif params.data.source == "sample":
        gone = not (root / name).exists()
        mend = f"git checkout HEAD -- {quoted(name)}" if gone else f"git stash push --quiet -- {quoted(name)}"
        yield fail("source", f"{name}, which the repository bundles, is {state}", mend)
    elif (root / name).is_file():
        yield warn("source", f"{name} changed since bars were made from it", "dvc repro")
    else:
        yield fail("source", f"{name} is not there: put your bars there, or set data.path in params.yaml")


def _table(root: Path, name: str, right: set[str], judge: Any) -> Iterator[Line]:  # noqa: ANN401 - of a frame
    """Read a table and judge what it holds; one that is not what dvc.lock says is told with the outputs."""
    if not (root / name).is_file():
        yield fail("data", f"{name} is not there", f"dvc checkout {name} || dvc pull {name} || dvc repro")
        return
    try:
        frame = tables.read_frame(root / name)
        words = judge(frame)
    except (DataError, KeyError) as error:
        again = (
            "dvc repro --force"
            if name in right
            else f"{aside(name)} && {{ dvc checkout {name} || dvc pull {name} || dvc repro; }}"
        )
        yield fail("data", f"{name}: {error}", again)
        return
    yield ok("data", f"{name}: {len(frame):,} rows, {words}")


def _judge_bars(bars: Any) -> str:  # noqa: ANN401 - a frame
    check_bars(bars)
    return f"the last opens {bars.index[-1]:%Y-%m-%dT%H:%MZ}"


def _judge_features(features: Any) -> str:  # noqa: ANN401 - a frame
    values = features[[*FEATURE_NAMES, TARGET]].to_numpy()
    if not np.isfinite(values).all():
        msg = "a value is missing or infinite"
        raise DataError(msg)
    return f"{len(FEATURE_NAMES)} features, all finite"


def _quality(root: Path, params: Policy) -> Iterator[Line]:
    """Ask of the bars what the gate asks."""
    try:
        quality = storage.read_json(root / QUALITY)
    except DataError as error:
        yield fail(
            "quality", str(error), f"git checkout HEAD -- {QUALITY}" if not (root / QUALITY).exists() else "dvc repro"
        )
        return
    missing, asked = quality.get("missing_share"), params.gate.missing_share_max
    age_h, allowed_h = _age_h(quality, params), params.gate.newest_bar_age_max_h
    renew = TRY_RETRAIN if params.data.source == "ccxt" else "dvc repro"
    if not isinstance(missing, float | int) or age_h is None:
        yield fail("quality", f"{QUALITY} lacks missing_share or last_open", "dvc repro")
    elif missing > asked:
        yield warn(
            "quality", f"the source lacks {missing:.2%} of the bars, {asked:.2%} are allowed; the gate refuses that"
        )
    elif allowed_h is not None and age_h > allowed_h:
        yield warn("quality", f"the newest bar closed {age_h:,.0f} hours ago, {allowed_h:g} are allowed", renew)
    else:
        yield ok("quality", f"{missing:.2%} of the bars missing, the newest opened {quality['last_open']}")


def _age_h(quality: Mapping[str, Any], params: Policy) -> float | None:
    """Return the hours since the newest bar closed; None if that is no moment in UTC."""
    try:
        closed = datetime.fromisoformat(str(quality.get("last_open"))) + params.data.step
        return (datetime.now(UTC) - closed) / timedelta(hours=1)
    except (ValueError, TypeError):
        return None
