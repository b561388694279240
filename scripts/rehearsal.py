"""Rehearse the model at work: in a folder of its own, a model that never saw the newest bars, and its log of them.

A training score is not a live score: if the model was fitted on every bar there is, the monitor has nothing to score.
Here the last commit is cloned and its data.end moved to before the newest `monitor.window_bars` bars. The model of that
window is made, promoted, and asked about the bars after it. It works on the bundled bars. Nothing changes in this
repository, and nothing is pushed; the folder is yours to remove.
"""

import argparse
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import pandas as pd

from btc_signal.in_sample import honest_from
from btc_signal.times import utc_text
from src.base import paths, storage, tables
from src.base.errors import DataError, exit_on_error
from src.base.yaml_lines import replace_scalars
from src.policy import Policy, load_policy
from src.repo.git import check_full_history, git
from src.repo.subprocesses import run_checked, sigterm_as_exit
from src.sources.file import read_bars, unanswered

BUNDLED = {
    "source": "sample",
    "path": paths.relative(paths.SAMPLE),
    "symbol": "BTC/USD",
    "timeframe": "1h",
    "start": "null",
}
# Of a clone that nobody else sees.
SETTINGS = {
    "user.name": "rehearsal",
    "user.email": "rehearsal@localhost",
    "commit.gpgsign": "false",
    "tag.gpgsign": "false",
}
BARS, LOG = "logs/bars.parquet", "logs/bot.jsonl"


def main() -> None:
    """Read the command line, rehearse, say what came of it."""
    parser = argparse.ArgumentParser(description="Make a model that never saw the newest bars, and its log of them.")
    parser.add_argument("folder", type=Path, help="where to; it must not exist yet")
    folder = parser.parse_args().folder.absolute()
    with exit_on_error(), sigterm_as_exit():
        check_full_history()
        make_clone(folder)
        bars = move_end(folder)
        metadata = promote(folder)
        ask(folder, bars, honest_from(metadata))
    sys.stdout.write(
        f"rehearsal: version {metadata['version']} in {folder} knew no label from "
        f"{metadata['training_info']['honest_from']} on; next:\n"
        f"cd {folder} && python -m src monitor {LOG} --bars {BARS}\n"
    )


def make_clone(folder: Path) -> None:
    """Clone the last commit, without a remote."""
    if os.path.lexists(folder):
        msg = f"{folder} is there already; name a folder that is not, nothing is overwritten"
        raise DataError(msg)
    if folder.resolve().is_relative_to(paths.ROOT):
        msg = f"{folder} lies in this repository, which is left as it is; name a folder outside, such as ../rehearsal"
        raise DataError(msg)
    # Of a linked object git renews the time, in both places.
    git("clone", "--quiet", "--no-hardlinks", str(paths.ROOT), str(folder))
    git("remote", "remove", "origin", root=folder)
    for key, value in SETTINGS.items():
        git("config", key, value, root=folder)


def move_end(folder: Path) -> pd.DataFrame:
    """Move the clone's data.end to before as many bars as the monitor scores; return the bars, those among them."""
    file = folder / paths.PARAMS.name
    asked = load_policy(file).data
    if asked.source != "sample":
        change(file, BUNDLED)
    params = load_policy(file)
    bars = read_bars(paths.SAMPLE, unanswered(params.data))
    if asked.source == "sample" and asked.end is not None:
        bars = bars[bars.index < pd.Timestamp(asked.end)]
    change(file, {"end": f'"{utc_text(end_of_training(bars, params))}"'})
    return bars


def end_of_training(bars: pd.DataFrame, params: Policy) -> datetime:
    """Return where the training window ends so that as many labels are unknown to it as the monitor scores."""
    end: datetime = bars.index[-params.monitor.window_bars].to_pydatetime()
    return end


def change(file: Path, values: dict[str, str]) -> None:
    """Write values of the section data, where they stand."""
    text = file.read_text(encoding="utf-8")
    changed = replace_scalars(text, file.name, {("data", key): value for key, value in values.items()})
    storage.write_bytes(changed.encode(), file)


def promote(folder: Path) -> dict[str, Any]:
    """Make the model, ask the gate as for a first one, and return the metadata of its promotion."""
    run_checked(folder, "dvc", "repro")
    git("commit", "--quiet", "--all", "--message", "Rehearse on earlier bars", root=folder)
    run_checked(folder, "src", "promote", "--as-first")
    metadata: dict[str, Any] = storage.read_json(folder / paths.relative(paths.METADATA))
    return metadata


def ask(folder: Path, bars: pd.DataFrame, honest: datetime) -> None:
    """Keep the bars that a bot would have had, and the log of what it would have said of those after training."""
    first = int(bars.index.searchsorted(pd.Timestamp(honest)))
    warm_up_bars = load_policy(folder / paths.PARAMS.name).features.warm_up_bars
    tables.write_frame(bars.iloc[first - warm_up_bars + 1 :], folder / BARS)
    run_checked(folder, "src", "predict", BARS, "--log", LOG)


if __name__ == "__main__":
    # DVC starts the stages by this name.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    main()
