"""Nobody puts an old signed model back: two signed versions, statements, a bot with the public key, real git."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from btc_signal.signature import PUBLIC_KEY
from src.base import paths
from tests.checkouts import Checkout
from tests.signing import make_keys, sign, sign_statement

METADATA = paths.relative(paths.METADATA)
STATEMENT = "models/production.channel.json"
LOAD = """
import sys
from pathlib import Path
from btc_signal.ensemble import ProductionEnsemble
print(ProductionEnsemble.load(Path(sys.argv[1])).metadata["version"])
"""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_keys(tmp_path_factory.mktemp("keys"), "owner")


@pytest.fixture
def repository(two_versions: Checkout, keys: tuple[Path, Path], tmp_path: Path) -> Checkout:
    """Version 1.1.0 is in production and 1.0.0 was before it; both are signed."""
    checkout = two_versions.copy(tmp_path / "repository")
    model = checkout.root / "models" / "production"
    sign(model, keys[0])
    (tmp_path / "first").mkdir()
    first = checkout.run("git", "log", "--format=%H", "--", METADATA).split()[-1]
    (tmp_path / "first" / paths.METADATA.name).write_text(checkout.run("git", "show", f"{first}:{METADATA}"))
    shutil.copy(sign(tmp_path / "first", keys[0]), model / "signatures")
    checkout.commit("Sign both")
    return checkout


def issue(checkout: Checkout, keys: tuple[Path, Path], *options: str) -> dict:
    """Issue a statement, sign it as docs/promote.md says, commit it, and return what it says."""
    said = json.loads(checkout.run("python", "-m", "src", "channel", "--json", *options))
    assert sign_statement(checkout.root / said["file"], keys[0]) == checkout.root / said["signature"]
    checkout.commit(f"Allow {', '.join(said['statement']['versions'])}")
    return said["statement"]


def as_a_bot(checkout: Checkout, keys: tuple[Path, Path], *command: str, expect: int = 0) -> str:
    """Run a command where the public key is named."""
    return checkout.run("env", f"{PUBLIC_KEY}={keys[1]}", *command, expect=expect)


def put_back(checkout: Checkout, *files: str, revision: str) -> None:
    """Do what whoever may write to the repository can do without the key."""
    checkout.run("git", "checkout", "--quiet", revision, "--", *files)
    checkout.run("dvc", "checkout", "--force")


def test_an_old_model_that_is_put_back(
    repository: Checkout, keys: tuple[Path, Path], bars: pd.DataFrame, tmp_path: Path
) -> None:
    """By its metadata and dvc.lock; by its statement, too, where a state has seen the next one."""
    bars.tail(3).reset_index().to_json(
        tmp_path / "feed.jsonl", orient="records", lines=True, date_format="iso", double_precision=15
    )
    predict = ("python", "-m", "src", "predict", str(tmp_path / "feed.jsonl"), "--follow")
    follow = (*predict, "--state", str(tmp_path / "state.json"))
    assert "production.channel.json: expected the statement which" in as_a_bot(repository, keys, *follow, expect=2)
    assert [*issue(repository, keys)["versions"]] == ["1.1.0", "1.0.0"]
    both = repository.run("git", "rev-parse", "HEAD").strip()
    assert issue(repository, keys, "--before", "none")["serial"] == 2
    as_a_bot(repository, keys, *follow)
    assert json.loads((tmp_path / "state.json").read_text())["serial"] == 2
    put_back(repository, METADATA, "dvc.lock", revision="production-ensemble@v1.0.0")
    assert "serial 2, allows 1.1.0, got 1.0.0; deploy the newest" in as_a_bot(repository, keys, *follow, expect=2)
    put_back(repository, STATEMENT, revision=both)
    assert "expected serial 2 or more, which was seen before, got 1" in as_a_bot(repository, keys, *follow, expect=2)
    as_a_bot(repository, keys, *predict)  # docs/promote.md says so: without a state the old statement is as good
    repository.run(*predict)


def test_back_to_the_version_before_without_the_key(
    repository: Checkout, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    """In the folder and in git, by the one statement; to load a release by itself is refused in words."""
    folder = tmp_path / "srv"
    load = ("python", "-c", LOAD, str(folder / "production"))
    issue(repository, keys)
    repository.run("python", "-m", "src", "rollback", "1.0.0", "--offline")
    repository.run("python", "-m", "src", "deploy", str(folder))
    repository.run("git", "revert", "--no-edit", "HEAD")
    repository.run("dvc", "checkout")
    repository.run("python", "-m", "src", "deploy", str(folder))
    assert as_a_bot(repository, keys, *load).strip() == "1.1.0"
    repository.run("python", "-m", "src", "deploy", str(folder), "--rollback")
    assert as_a_bot(repository, keys, *load).strip() == "1.0.0"
    words = as_a_bot(repository, keys, *load[:-1], str(folder / "releases" / "1.0.0"), expect=1)
    assert "expected FOLDER/staging or FOLDER/production, beside which the statement lies" in words
    issue(repository, keys, "--before", "none")
    assert "serial 2, allows 1.1.0, got 1.0.0; `python -m src channel --stage production`" in repository.run(
        "python", "-m", "src", "rollback", "1.0.0", "--offline"
    )
    assert "serial 2, allows 1.1.0, got 1.0.0" in repository.run("python", "-m", "src", "deploy", str(folder), expect=2)
