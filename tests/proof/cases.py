"""Worlds, the candidates in them, and what the gate says of each."""

import warnings
from functools import cache, partial
from typing import NamedTuple

import pandas as pd

from src.base import paths, tables
from src.features.feature_manager import build_dataset
from src.policy import Policy, load_policy
from src.verdict.finding import Verdict
from tests.proof.candidates import (
    forecast,
    half_the_trees,
    lagged,
    one_reversed,
    raw_levels,
    verdict,
    verdict_later,
)
from tests.proof.worlds import random_direction, random_walk, shuffled_labels, window

FIRST = "as a first model"
SELF, OTHER_SEED = "the champion itself", "the same with another seed"
WALK, LABELS, DIRECTION, REAL = (
    "random walk",
    "real bars, labels shuffled",
    "real bars, direction shuffled",
    "real bars, windows of 10,000",
)
RUNS = {REAL: 10, WALK: 50, LABELS: 50, DIRECTION: 20}


class Case(NamedTuple):
    """One candidate in one world."""

    world: str
    candidate: str
    verdict: Verdict


def run(world: str, seed: int) -> list[Case]:
    """Make one world and judge its candidates."""
    params, bars = load_policy(), real_bars()
    warnings.simplefilter("ignore")
    if world == REAL:
        return list(challengers(window(bars, seed), params))
    if world == LABELS:
        dataset = shuffled_labels(build_dataset(bars, params.features, params.label), seed)
    else:
        bars = (random_walk if world == WALK else random_direction)(bars, seed)
        dataset = build_dataset(bars, params.features, params.label)
    return [Case(world, FIRST, verdict(dataset, bars, forecast(dataset, params), params))]


def challengers(bars: pd.DataFrame, params: Policy) -> list[Case]:
    """Judge candidates that are equal, worse and better, beside a champion on the same real bars."""
    dataset = build_dataset(bars, params.features, params.label)
    champion = forecast(dataset, params)
    late, other_seed = lagged(dataset), params.model_copy(update={"seed": params.seed + 1})
    judge = partial(verdict, dataset, bars, params=params)
    raw = forecast(dataset, params, raw_levels)
    found: dict[str, Verdict] = {
        FIRST: judge(champion),
        SELF: judge(champion, champion=champion),
        "the same, retrained a week later": verdict_later(dataset, bars, champion, params, 7 * 24),
        "the same, retrained eight weeks later": verdict_later(dataset, bars, champion, params, 8 * 7 * 24),
        OTHER_SEED: judge(forecast(dataset, other_seed), champion=champion),
        "one member taught the opposite": judge(forecast(dataset, params, one_reversed), champion=champion),
        "features late by one bar": verdict(late, bars, forecast(late, params), params, champion),
        "half the trees": judge(forecast(dataset, half_the_trees(params)), champion=champion),
        "scale-free, where the champion sees raw levels": judge(champion, champion=raw),
        "raw levels, where the champion is scale-free": judge(raw, champion=champion),
    }
    return [Case(REAL, name, said) for name, said in found.items()]


@cache
def real_bars() -> pd.DataFrame:
    """The bundled bars."""
    return tables.read_frame(paths.SAMPLE)
