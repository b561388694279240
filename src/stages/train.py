"""Train: one member, named on the command line; fitted on every row, and its out-of-fold probabilities."""

import sys
from functools import partial

from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.base import paths, tables
from src.base.console import say, track
from src.base.errors import exit_on_error
from src.base.params import load_params
from src.training.fit import fit, out_of_fold
from src.training.member_files import write_member
from src.training.members.member import MEMBERS, build_member, volatility_trend
from src.training.splits import walk_forward


def main(key: str) -> None:
    """Read features, fit walk-forward and on all rows, write both results."""
    params = load_params()
    dataset = tables.read_frame(paths.FEATURES)
    trend, half_life_rows = volatility_trend(params.label), params.train.half_life_rows
    build = partial(build_member, key, params.train, trend=trend, seed=params.seed, n_jobs=params.n_jobs)
    folds = walk_forward(dataset[TARGET].to_numpy(), params.split)
    predictions = out_of_fold(build, dataset, track(folds, f"train_{key}"), half_life_rows=half_life_rows)
    X, y = dataset[list(FEATURE_NAMES)].to_numpy(), dataset[TARGET].to_numpy()
    member = fit(build(), X, y, half_life_rows=half_life_rows)
    write_member(member, paths.member_model(MEMBERS[key]))
    tables.write_frame(predictions, paths.out_of_fold(MEMBERS[key]))
    say(f"train_{key}", f"{len(folds)} folds, {len(predictions):,} out-of-fold rows; fitted on {len(dataset):,}")


if __name__ == "__main__":
    chosen = [key for key in MEMBERS if [key] == sys.argv[1:]]
    if not chosen:
        sys.exit(f"usage: python -m src.stages.train {'|'.join(MEMBERS)}")
    with exit_on_error():
        main(*chosen)
