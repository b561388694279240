"""The tables, cell by cell."""

from src.page import rows
from src.page.evidence import Evidence


def test_scores_stand_with_their_intervals(evidence: Evidence) -> None:
    """Baselines, members, the ensemble; three digits, the interval below, none where the score is infinite."""
    scores = dict.fromkeys(rows.COLUMNS, 0.5)
    ends = {key: [0.25, 0.75] for key in rows.COLUMNS}
    table = rows.scores(
        {
            "baselines": {"majority_class": scores | {"log_loss": None}},
            "members": {"lightgbm": scores},
            "ensemble": scores | {"roc_auc": 0.6842},
            "intervals": {
                "scores": {"majority_class": ends | {"log_loss": None}, "lightgbm": ends, "ensemble": ends},
            },
        }
    )
    assert [row[0] for row in table.rows] == ["majority class", "lightgbm", "ensemble"]
    assert table.head[:4] == ["forecast", "AUC", "Brier skill", "log loss"]
    assert table.rows[0][1:4] == ["0.500\n0.250 to 0.750", "0.500\n0.250 to 0.750", "inf"]
    assert table.rows[2][1] == "0.684\n0.250 to 0.750"


def test_differences_follow_the_order_of_the_scores() -> None:
    """Baselines first; nothing where a score is infinite."""
    less = {"lightgbm": {"roc_auc": [0.002, -0.001, 0.004]}, "volatility_only": {"f1_score": [0.016, 0.007, 0.026]}}
    metrics = {"baselines": ["volatility_only"], "members": ["lightgbm"], "intervals": {"ensemble_less": less}}
    assert rows.differences(metrics).rows == [
        ["volatility only", "", "", "", "+0.016\n+0.007 to +0.026"],
        ["lightgbm", "+0.002\n-0.001 to +0.004", "", "", ""],
    ]


def test_trading_leaves_random_entries_to_words() -> None:
    """Shares in percent, the interval of the Sharpe ratio below it."""
    run = {"net_return": 0.0147, "sharpe": 0.208, "sharpe_interval": [-0.81, 1.266], "max_drawdown": 0.3389}
    metrics = {"backtest": {"model": run | {"exposure": 0.0356, "trades": 1337}, "random_entries": {}, "cost": 0.1}}
    table = rows.trading(metrics)
    assert table.rows == [["model", "+1.5%", "0.21\n-0.81 to 1.27", "33.9%", "3.6%", "1,337"]]
    assert (table.caption, table.head[:2]) == ("Traded after costs", ["strategy", "net return"])


def test_points_leave_a_cell_empty_where_nothing_was_scored() -> None:
    """A fold of one class has no AUC."""
    columns = {"fold": ("fold", ""), "ensemble": ("the ensemble", ".3f")}
    table = rows.points("by fold", columns, [{"fold": 1, "ensemble": None}, {"fold": 2, "ensemble": 0.58667}])
    assert table == rows.Table("by fold", ["fold", "the ensemble"], [["1", ""], ["2", "0.587"]])


def test_the_last_day_of_each_month_is_kept() -> None:
    """And the last of all, although its month is not over."""
    days = [{"time": day} for day in ("2019-01-30", "2019-01-31", "2019-02-27", "2019-03-01", "2019-03-02")]
    assert [day["time"] for day in rows.month_ends(days)] == ["2019-01-31", "2019-02-27", "2019-03-02"]


def test_rules_are_words() -> None:
    """As the gate's report has them."""
    rule = {"name": "leaks", "verdict": "unknown", "words": "no bars"}
    table = rows.rules({"judgements": [rule]})
    assert table.rows == [["leaks", "unknown", "no bars"]]
    assert table.n_texts == 2


def test_drift_that_failed_is_an_alert() -> None:
    """A row for every column."""
    results = {"close": "told", "zscore": "passed", "rsi_14": "failed"}
    found = [{"name": name, "verdict": result, "words": name} for name, result in results.items()]
    assert [row[1] for row in rows.drift(found).rows] == ["told", "passed", "alert"]


def test_champion_and_challenger() -> None:
    """Four digits, for they differ little; an infinite score has no interval."""
    infinite = {"champion": None, "challenger": 0.5, "difference": None, "interval": None}
    skill = {"champion": 0.06, "challenger": 0.06742, "difference": 0.00742, "interval": [0.00431, 0.01117]}
    table = rows.champion({"differences": {"log_loss": infinite, "brier_skill": skill}})
    assert table.rows == [
        ["log loss", "inf", "0.5000", "inf"],
        ["Brier skill", "0.0600", "0.0674", "+0.0074\n+0.0043 to +0.0112"],
    ]
    less = {"log_loss": -0.0032, "brier_skill": 0.00654, "roc_auc": 0.0045, "f1_score": None}
    fold, wild = {"rows": "fold 1", "n_bars": 3_268, **less}, {"rows": "wild", "n_bars": 12, **less}
    cells = ["+0.0045", "+0.0065", "-0.0032", "inf"]
    assert rows.parts({"by_fold": [fold], "by_regime": [wild]}).rows == [
        ["fold 1", "3,268", *cells],
        ["wild", "12", *cells],
    ]


def test_quality_names_the_longest_gap(evidence: Evidence) -> None:
    """Or says that there is none."""
    assert dict(rows.quality(evidence.quality).rows)["longest gap"] == "none"
    gap = {"after": "2018-01-01T00:00:00Z", "before": "2018-01-03T00:00:00Z", "missing_bars": 47}
    lacking = {
        "gaps": 1,
        "missing_bars": 47,
        "missing_share": 0.00234,
        "longest_gaps": [gap],
        "ignored_columns": ["vwap"],
    }
    found = dict(rows.quality(evidence.quality | lacking).rows)
    assert found["longest gap"] == "47 bars after 2018-01-01T00:00:00Z"
    assert found["missing"] == "47 bars (0.23%) in 1 gaps"
    assert found["columns not read"] == "vwap"


def test_quality_counts_what_is_doubtful(evidence: Evidence) -> None:
    """A row for each doubt, whether there is anything or not."""
    plain = {"absent_parts": 0, "resampled_bars_with_absent_parts": 0, "off_grid_rows": 0}
    nothing = {"deep_lows": 0, "stale_bars": 0, "longest_stale_run": 0, "volume_jump": 1.0, "volume_jump_at": None}
    found = dict(rows.quality(evidence.quality | plain | {"doubts": nothing | {"last_is_a_stump": False}}).rows)
    assert (found["jump in the scale of the volume"], found["the last bar is a stump"]) == ("none", "no")
    doubts = {
        "deep_lows": 119,
        "stale_bars": 1234,
        "longest_stale_run": 50,
        "volume_jump": 1000.0,
        "volume_jump_at": "2020-01-05T04:00:00Z",
        "last_is_a_stump": True,
    }
    counts = {"absent_parts": 90, "resampled_bars_with_absent_parts": 30, "off_grid_rows": 2, "doubts": doubts}
    found = dict(rows.quality(evidence.quality | counts).rows)
    assert found["parts absent in joined bars"] == "90 in 30 bars"
    assert found["rows off the grid left out"] == "2"
    assert found["with a low under half of open and close"] == "119 bars"
    assert found["equal to the two or more before them"] == "1,234 bars, at most 50 in a row"
    assert found["jump in the scale of the volume"] == "1,000 times at 2020-01-05T04:00:00Z"
    assert found["the last bar is a stump"] == "yes"
