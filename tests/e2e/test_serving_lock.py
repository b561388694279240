"""requirements-serve.lock holds all that serving needs, and nothing else."""

import json
import os
import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pandas as pd
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from btc_signal.signature import PUBLIC_KEY
from src.base import paths
from tests.checkouts import Checkout
from tests.documents import FEED, bot
from tests.signing import allow, make_keys, sign, version_of

LOCK = paths.ROOT / "requirements-serve.lock"
PINNED = set(re.findall(r"^([a-z0-9-]+)==", LOCK.read_text(), re.MULTILINE))
SERVE_ONLY = Path(__file__).parents[1] / "serve_only"
BATCH = """
import json, pathlib, sys
from src.features.feature_manager import FeatureManager
from src.ml.ensemble import ProductionEnsemble
bars = [json.loads(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
features = FeatureManager().generate_features({name: [bar[name] for bar in bars] for name in bars[0]})
print(ProductionEnsemble().predict_proba(features)[-1, 1])
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every process notes which distributions it imported."""
    return tmp_path_factory.mktemp("imported") / "names"


@pytest.fixture(scope="module")
def feed(bars: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last 505 bundled bars, a line each."""
    file = tmp_path_factory.mktemp("feed") / "feed.jsonl"
    bars.tail(505).reset_index().to_json(file, orient="records", lines=True, date_format="iso", double_precision=15)
    return file


@pytest.fixture(scope="module")
def server(reproduced: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout of its own, for what a bot writes."""
    return reproduced.copy(tmp_path_factory.mktemp("server") / "repository")


@pytest.fixture(scope="module")
def keys(server: Checkout, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The public key of who signed the server's model, and that of another."""
    folder = tmp_path_factory.mktemp("keys")
    secret, public = make_keys(folder, "owner")
    model = server.root / paths.PRODUCTION.relative_to(paths.ROOT)
    sign(model, secret)
    allow(model.parent, secret, version_of(model))
    return {"owner": public, "another": make_keys(folder, "another")[1]}


@pytest.fixture(scope="module")
def outputs(server: Checkout, feed: Path, imported: Path, keys: dict[str, Path]) -> dict[str, str]:
    """What each way to serve prints where only the pinned distributions can be imported."""
    guard = ("env", f"PYTHONPATH={SERVE_ONLY}{os.pathsep}.", f"IMPORTED={imported}")
    predict = ("python", "-m", "src", "predict")
    bars = f"[{','.join(feed.read_text().splitlines())}]"
    return {
        "bot": server.run(*guard, "python", "-c", FEED.format(feed=bars, n_bars=505) + bot()),
        "batch": server.run(*guard, "python", "-c", BATCH, str(feed)),
        "follow": server.run(*guard, *predict, str(feed), "--follow", "--json", "--log", "logs/bot.jsonl"),
        "history": server.run(*guard, *predict, str(feed), "--json"),
        "signed": server.run(*guard, f"{PUBLIC_KEY}={keys['owner']}", *predict, str(feed), "--json"),
        "signed by another": server.run(*guard, f"{PUBLIC_KEY}={keys['another']}", *predict, str(feed), expect=2),
        "table": server.run(*guard, *predict, "data/sample/btcusd_1h.parquet", expect=2),
        "csv": server.run(*guard, *predict, "bars.csv", expect=2),
    }


def test_every_way_to_serve_says_the_same(outputs: dict[str, str], server: Checkout) -> None:
    """The guide's bot, `predict` over a feed, over a file, also where a key is asked for, and features of a frame."""
    bot_said = [float(line) for line in outputs["bot"].splitlines()]
    assert len(bot_said) == 6
    for name in ("follow", "history", "signed"):
        *answers, note = outputs[name].splitlines(keepends=True)
        assert [json.loads(line)["probability"] for line in answers] == bot_said
        assert note.startswith("in sample: ")
        if name == "follow":
            assert (server.root / "logs" / "bot.jsonl").read_text() == "".join(answers)
    assert float(outputs["batch"]) == pytest.approx(bot_said[-1], abs=1e-12)


@pytest.mark.parametrize("name", ["table", "csv"])
def test_a_table_is_refused_with_the_way_out(name: str, outputs: dict[str, str]) -> None:
    """What reads tables is three times as large as the rest; the error names what is missing and what does instead."""
    (line,) = outputs[name].splitlines()
    assert re.search(
        r"^error: .*: a table is read with pyarrow, which is not installed here; install requirements", line
    )
    assert line.endswith("or give the bars as JSON lines")


def test_the_signature_is_checked(outputs: dict[str, str]) -> None:
    """What verifies it is pinned, too."""
    (line,) = outputs["signed by another"].splitlines()
    assert re.search(r"^error: .*\.sig does not sign this model by the key in ", line)


def _needed(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """The distribution and all that it requires."""
    found = {name}
    for requirement in map(Requirement, requires(name) or []):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            found |= _needed(canonicalize_name(requirement.name), frozenset(requirement.extras))
    return found


def test_nothing_is_superfluous(outputs: dict[str, str], imported: Path) -> None:
    """Every pinned distribution was imported, or one that was cannot be installed without it."""
    names = set(imported.read_text().split())
    group = tomllib.loads(paths.PROJECT.read_text())["dependency-groups"]["serve"]
    asked = {canonicalize_name(Requirement(line).name) for line in group}
    assert asked - names == set()
    assert PINNED - set().union(*map(_needed, names)) == set()


def test_the_guard_refuses(server: Checkout, imported: Path) -> None:
    """What trains cannot be imported there, so the tests above can fail."""
    said = server.run(
        *("env", f"PYTHONPATH={SERVE_ONLY}", f"IMPORTED={imported.parent / 'other'}"),
        *("python", "-c", "import sklearn"),
        expect=1,
    )
    assert f"No module named 'sklearn': scikit-learn is not in {LOCK.name}" in said
