"""What a contributor adds first takes few files: each is added to a small repository, where it works.

An indicator is added by `docs/add-a-feature.md`, whose blocks are executed.
"""

import json
import re
from pathlib import Path

import pytest

from tests.checkouts import Checkout
from tests.documents import blocks

EXTRA_TREES = '''
"""scikit-learn's ExtraTrees."""

NAME = "extra_trees"
CLASSIFIER = ("sklearn.ensemble._forest", "ExtraTreesClassifier")
PICKLED = {CLASSIFIER, ("sklearn.tree._classes", "ExtraTreeClassifier"), ("sklearn.tree._tree", "Tree")}
IS_SINGLE_PRECISION = True


def build(settings, *, trends, seed, n_jobs):
    """Return the classifier, not yet fitted."""
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(**settings.model_dump(), monotonic_cst=trends, random_state=seed, n_jobs=n_jobs)


def read_trees(classifier):
    """Read the fitted trees."""
    import treelite

    return treelite.sklearn.import_model(classifier)
'''
EXTRA_TREES_SECTION = '''
class Et(Section):
    """ExtraTreesClassifier's settings, by scikit-learn's own names."""

    n_estimators: Count
    max_depth: Count
    min_samples_leaf: Count


class Train(Section):'''
EXTRA_TREES_STAGE = """
  train_et:
    desc: ExtraTrees, walk-forward for its out-of-fold probabilities, then on every row
    cmd: exec python -m src.stages.train et
    params: [train.et, train.half_life_rows, label, split, seed, n_jobs]
    deps: [data/features.parquet, src/training]
    outs:
      - models/training/extra_trees.pkl
      - data/oof/extra_trees.parquet
"""
GATE_RULE = '''
def _judge_ranking(metrics: Mapping[str, Any], gate: Gate) -> Finding:
    """Ask that the forecasts rank rises above other bars."""
    return least("ROC AUC", number(metrics, "ensemble", "roc_auc"), gate.roc_auc_min, METRICS)
'''
JSON_FILE = '''
"""Bars of a JSON file: a list of rows, as many exchanges send them."""

import pandas as pd

from btc_signal.bar import COLUMNS
from src.bars.schema import TIME_DTYPE
from src.base import paths


def file_of(data):
    """Return the file that `data.path` names."""
    return paths.ROOT / data.path


def rows(data, _now):
    """Read the file."""
    table = pd.DataFrame(pd.read_json(file_of(data)).to_numpy(), columns=["time", *COLUMNS])
    return table.assign(time=pd.to_datetime(table["time"], unit="ms", utc=True).astype(TIME_DTYPE)), []


def newest_close(data, now):
    """Return when the file's last bar closed."""
    return rows(data, now)[0]["time"].max().to_pydatetime() + data.step
'''


@pytest.fixture
def contributor(small: Checkout, tmp_path: Path) -> Checkout:
    """A repository of the contributor's own, reproduced and committed."""
    return small.copy(tmp_path / "repository")


def replace(checkout: Checkout, name: str, old: str, new: str) -> None:
    """Replace the one place of a file that holds a text."""
    file = checkout.root / name
    text = file.read_text()
    assert text.count(old) == 1, f"expected {old!r} once in {name}"
    file.write_text(text.replace(old, new))


def touched(checkout: Checkout) -> set[str]:
    """The files that were changed or added since the last commit."""
    status = checkout.run("git", "status", "--porcelain", "--untracked-files=all")
    return {line[3:] for line in status.splitlines()}


def test_an_indicator_is_one_expression_and_a_catalog_line() -> None:
    """The guide changes two files, adds two lines, and gives the features another version."""
    (patch,) = [block.text for block in blocks("docs/add-a-feature.md") if block.kind == "diff"]
    assert {Path(name).name for name in re.findall(r"^\+\+\+ b/(.*)$", patch, re.MULTILINE)} == {
        "catalog.py",
        "stream_state.py",
    }
    assert len(re.findall(r"^\+(?!\+)", patch, re.MULTILINE)) == 3


def add_extra_trees(checkout: Checkout, weights: dict[str, float]) -> None:
    """Add a fourth member, in every file that it takes."""
    (checkout.root / "src/training/members/et.py").write_text(EXTRA_TREES.lstrip())
    replace(checkout, "src/training/members/member.py", "import lgbm, rf, xgb", "import et, lgbm, rf, xgb")
    replace(checkout, "src/training/members/member.py", '"rf": rf', '"rf": rf, "et": et')
    replace(checkout, "src/base/params.py", "\nclass Train(Section):", EXTRA_TREES_SECTION)
    replace(checkout, "src/base/params.py", "    rf: Rf\n", "    rf: Rf\n    et: Et\n")
    share = "    random_forest: Share\n"
    replace(checkout, "src/base/params.py", share, f"{share}    extra_trees: Share\n")
    settings = {"n_estimators": 20, "max_depth": 8, "min_samples_leaf": 50}
    checkout.set_params({("train", "et"): settings, ("ensemble", "weights"): weights})
    file = checkout.root / "dvc.yaml"
    training, after = file.read_text().split("\n  ensemble:")
    for dep in ("      - models/training/random_forest.pkl\n", "      - data/oof/random_forest.parquet\n"):
        after = after.replace(dep, dep + dep.replace("random_forest", "extra_trees"))
    file.write_text(f"{training}{EXTRA_TREES_STAGE}\n  ensemble:{after}")


def test_a_member_is_one_file_a_registry_line_its_parameters_and_its_stage(contributor: Checkout) -> None:
    """It is trained, votes in the graph, and is scored."""
    weights = {"lightgbm": 0.3, "xgboost": 0.3, "random_forest": 0.2, "extra_trees": 0.2}
    add_extra_trees(contributor, weights)
    assert touched(contributor) == {
        "src/training/members/et.py",
        "src/training/members/member.py",
        "src/base/params.py",
        "params.yaml",
        "dvc.yaml",
    }

    said = contributor.run("dvc", "repro", "--single-item", "train_et", "ensemble", "evaluate")
    assert "ensemble: lightgbm 0.3, xgboost 0.3, random_forest 0.2, extra_trees 0.2; " in said
    scores = json.loads((contributor.root / "reports" / "metrics.json").read_text())["members"]
    assert list(scores) == list(weights)
    assert scores["extra_trees"]["roc_auc"] > 0.5


def test_a_rule_of_the_gate_is_one_function_and_one_threshold(contributor: Checkout) -> None:
    """No stage runs again, and the gate refuses by it."""
    rules, last = "src/gate/rules.py", '    yield _judge_decisions(number(metrics, "decision_rate"))\n'
    replace(contributor, rules, "\ndef judge_scores(", f"{GATE_RULE}\n\ndef judge_scores(")
    replace(contributor, rules, last, f"{last}    yield _judge_ranking(metrics, gate)\n")
    f1 = "    f1_score_min: Share\n"
    replace(contributor, "src/policy.py", f1, f"{f1}    roc_auc_min: Share\n")
    contributor.set_params({("gate", "roc_auc_min"): 0.99})
    assert touched(contributor) == {rules, "src/policy.py", "params.yaml"}

    contributor.run("python", "-m", "src", "gate", expect=1)
    judgements = json.loads((contributor.root / "reports" / "gate.json").read_text())["judgements"]
    verdicts = {judgement["name"]: judgement["verdict"] for judgement in judgements}
    assert verdicts["ROC AUC"] == "failed"
    assert verdicts["pipeline"] == "passed"


def test_a_source_is_one_file_a_registry_line_and_its_name(contributor: Checkout) -> None:
    """The bundled bars, written in its format, become the same bars to the byte."""
    (contributor.root / "src/sources/json_file.py").write_text(JSON_FILE.lstrip())
    replace(
        contributor,
        "src/sources/source.py",
        "import exchange, file, sample",
        "import exchange, file, json_file, sample",
    )
    replace(contributor, "src/sources/source.py", '"ccxt": exchange', '"ccxt": exchange, "json": json_file')
    replace(contributor, "src/base/params.py", '"file", "ccxt"]', '"file", "ccxt", "json"]')
    contributor.set_params({("data", "source"): "json", ("data", "path"): "data/bars.json"})
    assert touched(contributor) == {
        "src/sources/json_file.py",
        "src/sources/source.py",
        "src/base/params.py",
        "params.yaml",
    }

    contributor.python(
        "import json, pandas as pd; bars = pd.read_parquet('data/sample/btcusd_1h.parquet');"
        "rows = [[int(t.timestamp() * 1000), *v] for t, v in zip(bars.index, bars.to_numpy().tolist())];"
        "open('data/bars.json', 'w').write(json.dumps(rows))"
    )
    before = (contributor.root / "data" / "raw" / "bars.parquet").read_bytes()
    contributor.run("dvc", "repro", "--single-item", "fetch")
    assert json.loads((contributor.root / "reports" / "data_quality.json").read_text())["source"] == "json"
    assert (contributor.root / "data" / "raw" / "bars.parquet").read_bytes() == before
