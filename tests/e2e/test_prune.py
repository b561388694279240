"""What a year leaves on an S3 server, pruned: every promoted version can still be had from it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from src.base import paths
from tests.checkouts import Checkout
from tests.remotes import S3Remote, point

METADATA = paths.relative(paths.METADATA)
VERIFY = "from src.ml.ensemble import ProductionEnsemble as P; print(P().get_model_info()['version'])"
FOREIGN = f"files/md5/ab/{'c' * 30}"
# A server gives no object another day, so that this machine's clock is another.
PRUNE = """
import json
from datetime import UTC, datetime, timedelta
from src.retrain.prune import prune
print(json.dumps(prune(8, dry_run={dry_run}, now=datetime.now(UTC) + timedelta(weeks=10))))
"""


def pruned(checkout: Checkout, *, dry_run: bool) -> dict:
    return json.loads(checkout.python(PRUNE.format(dry_run=dry_run)).splitlines()[-1])


TRIED = {("ensemble", "weights"): {"lightgbm": 0.6, "xgboost": 0.2, "random_forest": 0.2}}


def tries_something(user: Checkout) -> set[str]:
    """Commit and push a candidate that nobody promotes, and go back; return the objects that it alone has."""
    before = user.run("git", "rev-parse", "HEAD").strip()
    user.set_params(TRIED)
    user.repro()
    tried = user.commit("tried")
    user.run("dvc", "push")
    user.run("git", "checkout", "--quiet", before, "--", ".")
    user.commit("as before")
    user.run("dvc", "checkout")
    models = [paths.relative(path) for path in (paths.ENSEMBLE, paths.GRAPH)]
    names = [{user.object_name(path, revision) for path in models} for revision in (tried, before)]
    return names[0] - names[1]


def test_a_year_is_pruned(two_versions: Checkout, s3: S3Remote, tmp_path: Path) -> None:
    """The candidate's objects go from S3 and cache; promotions, and what is not ours, stay."""
    user = two_versions.copy(tmp_path / "user")
    point(user, s3.options)
    for commit in user.run("git", "rev-list", "HEAD", "--", METADATA).split():
        user.run("git", "checkout", "--quiet", commit)
        user.run("dvc", "checkout")
        user.run("dvc", "push")
    user.run("git", "checkout", "--quiet", "main")
    user.run("dvc", "checkout")
    tried = tries_something(user)
    assert tried
    s3.write(FOREIGN, b"somebody's")
    later = (datetime.now(UTC) + timedelta(weeks=10)).isoformat()
    date = f"GIT_COMMITTER_DATE={later}"
    user.run("env", date, "git", "commit", "--quiet", "--allow-empty", "--message", "ten weeks later")

    before = set(s3.names())
    assert before > tried | {FOREIGN}
    said = pruned(user, dry_run=True)
    assert set(s3.names()) == before
    done = pruned(user, dry_run=False)
    gone = before - set(s3.names())
    assert tried <= gone
    assert FOREIGN not in gone
    assert len(gone) == done["places"]["remote"]["to_delete"]["count"] == said["places"]["remote"]["to_delete"]["count"]
    assert done["places"]["remote"]["not_ours"]["count"] == 1
    assert not any((user.root / ".dvc" / "cache" / name).exists() for name in gone)
    every_version_serves(user, s3, tmp_path / "newcomer")
    user.set_params(TRIED)
    assert user.repro() == ["ensemble", "evaluate"]  # what DVC remembered of it went with its objects


def every_version_serves(user: Checkout, s3: S3Remote, root: Path) -> None:
    """A fresh clone without a cache pulls each promotion, whose model is verified and answers as promoted."""
    newcomer = user.clone(root)
    point(newcomer, s3.options)
    versions = json.loads(newcomer.run("python", "-m", "src", "history", "--json"))["versions"]
    assert [version["files"] for version in versions] == ["remote", "remote"]
    promotions = newcomer.run("git", "rev-list", "HEAD", "--", METADATA).split()
    for commit in promotions:
        newcomer.run("git", "checkout", "--quiet", commit)
        newcomer.run("dvc", "pull")
        assert newcomer.python(VERIFY).strip() == json.loads((newcomer.root / METADATA).read_text())["version"]
