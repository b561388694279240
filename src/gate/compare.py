"""Champion and challenger on the same bars: what another revision forecast, beside what the work tree does."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.contingency_tables import mcnemar

from btc_signal.bundle import read_metadata
from btc_signal.catalog import FEATURE_NAMES, TARGET
from btc_signal.ensemble import ProductionEnsemble
from btc_signal.in_sample import first_unknown
from btc_signal.times import utc_text
from btc_signal.voters import weighted_vote
from src.base import paths, tables
from src.base.errors import DataError, ModelError
from src.base.params import Params, load_params
from src.evaluation.intervals import bootstrap_scores
from src.evaluation.metrics import METRIC_DECIMALS, Forecast, difference, score
from src.evaluation.regimes import regimes
from src.gate.changes import what_changed
from src.repo.dvc_lock import read_dvc_lock
from src.repo.git import git
from src.repo.revision import Revision
from src.training.fit import out_of_fold
from src.training.members.member import MEMBERS, build_member, volatility_trend
from src.training.splits import Fold

COMPARED = ("log_loss", "brier_skill", "roc_auc", "f1_score")
Pair = dict[str, Forecast]
APART = "after another label, market or window, `python -m src gate --as-first` judges without a champion"


def compare(name: str | None = None) -> dict[str, Any]:
    """Compare the work tree's candidate with a revision's, on the bars that both forecast out of fold.

    Without a name the champion is the commit of the promoted metadata. Returns plain JSON: the revision, what changed
    since, the common bars, differences challenger less champion with intervals, McNemar's test, rows by fold and by
    volatility, and the same for the bars since the champion was trained. `DataError` says why the revision's
    predictions cannot be had, share no bars, or were of another label.
    """
    if name is None:
        # An error says what to do where there are none.
        read_metadata(paths.METADATA)
        name = git("log", "-1", "--format=%H", "--", str(paths.METADATA))
    champion = Revision(name)
    params = load_params()
    theirs = _out_of_fold(champion.read_frame, champion.params["ensemble"])
    ours = _out_of_fold(tables.read_frame, params.ensemble.model_dump())
    dataset = tables.read_frame(paths.FEATURES)
    compared = compare_forecasts(theirs, ours, dataset, name=champion.name, seed=params.seed)
    change = what_changed(champion, read_dvc_lock())
    return {
        "champion": {"revision": champion.name, "commit": champion.commit},
        "changed": change.kind,
        "changed_in_words": change.reason,
        **compared,
        "since_training": _since(champion, theirs.index[-1], dataset, params),
    }


def _out_of_fold(read: Callable[[Path], pd.DataFrame], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read what the members that have a weight forecast, and join it."""
    return vote({name: read(paths.out_of_fold(name)) for name in settings["weights"]}, settings)


def compare_forecasts(
    theirs: pd.DataFrame, ours: pd.DataFrame, dataset: pd.DataFrame, *, name: str, seed: int
) -> dict[str, Any]:
    """Compare two ensembles' out-of-fold forecasts, as `vote` returns them, on the bars they have in common.

    The challenger's `dataset` tells calm bars from wild ones by `atr_14` and `close`. `DataError` names the champion
    if they share no bars, or were of another label.
    """
    both = _side_by_side(theirs, ours)
    if both.empty:
        msg = f"{name} and the work tree forecast no bar in common; {APART}"
        raise DataError(msg)
    if (both[f"{TARGET}_champion"] != both[f"{TARGET}_challenger"]).any():
        msg = f"{name} labelled the same bars otherwise, its scores tell nothing here; {APART}"
        raise DataError(msg)
    return {
        "common": _window(both),
        **_paired(both, seed),
        "by_fold": list(_rows(both, both["fold_challenger"].map("fold {}".format))),
        "by_regime": list(_rows(both, regimes(dataset.loc[both.index]))),
    }


def vote(members: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Join the members' out-of-fold probabilities to the ensemble's, with its decision; settings as in params.yaml."""
    weights = {name: float(weight) for name, weight in settings["weights"].items()}
    first, columns = next(iter(members.values())), [members[name]["probability"] for name in weights]
    probability = weighted_vote(np.column_stack(columns), list(weights.values()))
    decision = (probability > settings["decision_threshold"]).astype(int)
    return first[["fold", TARGET]].assign(probability=probability, decision=decision)


def _side_by_side(theirs: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    return theirs.merge(ours, left_index=True, right_index=True, suffixes=("_champion", "_challenger"))


def _pair(both: pd.DataFrame) -> tuple[np.ndarray, Pair]:
    """Return what happened, and both forecasts of it."""
    forecasts = {
        side: Forecast(both[f"probability_{side}"].to_numpy(), both[f"decision_{side}"].to_numpy())
        for side in ("champion", "challenger")
    }
    return both[f"{TARGET}_challenger"].to_numpy().astype(int), forecasts


def _paired(both: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Score both on the same bars and the same draws."""
    y, forecasts = _pair(both)
    scores = {side: score(y, forecast) for side, forecast in forecasts.items()}
    bootstrap = bootstrap_scores(y, forecasts, seed=seed)
    differences = {
        name: {
            "champion": scores["champion"][name],
            "challenger": scores["challenger"][name],
            "difference": difference(scores["challenger"][name], scores["champion"][name]),
            "interval": bootstrap.difference("challenger", "champion", name),
        }
        for name in COMPARED
    }
    right = [forecasts[side].decision == y for side in ("champion", "challenger")]
    table = [[int(((right[0] == a) & (right[1] == b)).sum()) for b in (True, False)] for a in (True, False)]
    test = mcnemar(table, exact=table[0][1] + table[1][0] < 25)  # noqa: PLR2004 - the usual bound of the approximation
    only = {"only_champion_right": table[0][1], "only_challenger_right": table[1][0]}
    return {"differences": differences, "mcnemar": only | {"p_value": round(float(test.pvalue), METRIC_DECIMALS)}}


def _rows(both: pd.DataFrame, group: pd.Series) -> Iterator[dict[str, Any]]:
    """Yield the differences of each group of bars that holds both classes."""
    for name, part in both.groupby(group, observed=True):
        y, forecasts = _pair(part)
        if y.min() == y.max():
            continue
        scores = {side: score(y, forecast) for side, forecast in forecasts.items()}
        less = {key: difference(scores["challenger"][key], scores["champion"][key]) for key in COMPARED}
        yield {"rows": str(name), "n_bars": len(part), **less}


def _since(
    champion: Revision, trained_to: pd.Timestamp, dataset: pd.DataFrame, params: Params
) -> dict[str, Any] | None:
    """Compare on the bars after the champion's last: its shipped model, and the challenger fitted on no later bar.

    The challenger's folds would not do: the last of them ended long before the champion was trained, and in a market
    that changes the fresher of two equal models is ahead.
    """
    honest_from = first_unknown(trained_to, params.data.step)
    n_before = int((dataset.index < honest_from).sum())
    later = dataset.iloc[n_before + params.label.horizon_bars - 1 :]
    if later.empty:
        return None
    left_out = {"honest_from": utc_text(honest_from), "in_training": n_before}
    for rows, use in ((later, "rank"), (dataset.iloc[:n_before], "learn")):
        if rows[TARGET].nunique() < 2:  # noqa: PLR2004 - rises and others
            return left_out | _window(later) | {"refused": f"bars of one class only: there is nothing to {use}"}
    try:
        model = ProductionEnsemble.from_bytes(champion.read(paths.ENSEMBLE))
    except ModelError as error:
        return left_out | _window(later) | {"refused": f"the champion's model cannot be asked: {error}"}
    return left_out | compare_since(
        lambda rows: Forecast(model.predict_proba(rows)[:, 1], model.predict(rows)), n_before, dataset, params
    )


def compare_since(
    champion: Callable[[pd.DataFrame], Forecast], n_before: int, dataset: pd.DataFrame, params: Params
) -> dict[str, Any]:
    """Compare a fitted champion with the challenger on the rows after the first `n_before`, from which both learn.

    The champion takes rows of the twelve features and returns its forecasts. The challenger's members are fitted as the
    training stages fit a fold.
    """
    fold = Fold(1, np.arange(n_before), np.arange(n_before + params.label.horizon_bars - 1, len(dataset)))
    trend, half_life_rows = volatility_trend(params.label), params.train.half_life_rows
    build = partial(build_member, train=params.train, trend=trend, seed=params.seed, n_jobs=params.n_jobs)
    fitted = {
        name: out_of_fold(partial(build, key), dataset, [fold], half_life_rows=half_life_rows)
        for key, name in MEMBERS.items()
    }
    ours = vote(fitted, params.ensemble.model_dump())
    live = champion(dataset.loc[ours.index, list(FEATURE_NAMES)])
    theirs = ours.assign(probability=live.probability, decision=live.decision)
    both = _side_by_side(theirs, ours)
    return {**_window(both), **_paired(both, params.seed)}


def _window(rows: pd.DataFrame) -> dict[str, Any]:
    return {"n_bars": len(rows), "first_open": utc_text(rows.index[0]), "last_open": utc_text(rows.index[-1])}
