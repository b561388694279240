"""What version 1.5.0 wrote: made by its own code in a small repository, two promotions and a deployment of each.

`bot.jsonl` is `predict --log` of both versions, `stream.json` and `stream_warming_up.json` are `FeatureStream.state()`,
and `stream_rows.json` holds the next bars with the rows that 1.5.0 went on to make. `monitor.jsonl`, `monitor.json`,
`alerts.json` and `production.recovered.json` are of its `monitor --recover`; the two `unfinished_*.json` are the notes
of a promotion and a rollback that were killed before their commit.
"""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from src.base import paths
from src.repo.dvc_lock import md5
from tests.checkouts import Checkout

FOLDER = paths.ROOT / "tests" / "data" / "1.5.0"
METADATA = "production_model_metadata.json"

Keys = tuple[str, ...]


def file_of(name: str) -> Path:
    """Return where a file lies that is kept as it is."""
    return FOLDER / name


def text_of(name: str) -> str:
    """Return the text of a file, also of one that is kept compressed."""
    packed = file_of(f"{name}.gz")
    return gzip.decompress(packed.read_bytes()).decode() if packed.exists() else file_of(name).read_text()


def json_of(name: str) -> Any:
    """Return the content of a JSON file."""
    return json.loads(text_of(name))


def rewrite_as_by_1_5_0(checkout: Checkout) -> None:
    """Rewrite the promotions of a repository as 1.5.0 committed and tagged them; what the pipeline made stays."""
    promotions = checkout.run("git", "log", "--reverse", "--format=%H", "--", paths.relative(paths.METADATA)).split()
    promotions = [commit for commit in promotions if checkout.run("git", "tag", "--points-at", commit)]
    checkout.run("git", "switch", "--quiet", "--force-create", "main", f"{promotions[0]}^")
    for commit in promotions:
        checkout.run("git", "read-tree", "-u", "--reset", commit)
        _to_form(checkout.root)
        checkout.commit(checkout.run("git", "log", "-1", "--format=%s", commit))
        tags = checkout.run("git", "for-each-ref", "--points-at", commit, "--format=%(refname:strip=2)\t%(subject)")
        for name, words in (line.split("\t") for line in tags.splitlines() if line.startswith("production")):
            checkout.run("git", "tag", "--force", "--annotate", "--message", words, "--", name, "HEAD")


def _to_form(root: Path) -> None:
    """Give metadata, scores and dvc.lock the keys and the dependencies of then."""
    metadata, metrics, lock_file = (root / paths.relative(path) for path in (paths.METADATA, paths.METRICS, paths.LOCK))
    known = keys_of(json_of(METADATA))
    promoted = without(json.loads(metadata.read_text()), lambda at: at in known)
    metadata.write_text(json.dumps(promoted | {"mlops_version": "v1.5.0"}, indent=2) + "\n")
    scores = without(json.loads(metrics.read_text()), lambda at: at != ("decision_rate",))
    metrics.write_text(json.dumps(scores, indent=2) + "\n")
    lock, before = (yaml.safe_load(text) for text in (lock_file.read_text(), text_of("dvc.lock")))
    for name, stage in lock["stages"].items():
        stage["cmd"], stage["deps"] = before["stages"][name]["cmd"], before["stages"][name]["deps"]
        for out in stage["outs"]:
            if out["path"] == paths.relative(paths.METRICS):
                out |= {"md5": md5(metrics.read_bytes()), "size": metrics.stat().st_size}
    lock_file.write_text(yaml.safe_dump(lock, sort_keys=False))


def keys_of(content: dict[str, Any], at: Keys = ()) -> set[Keys]:
    """Return the place of every key in nested dicts."""
    inner = [keys_of(value, (*at, name)) for name, value in content.items() if isinstance(value, dict)]
    return {(*at, name) for name in content}.union(*inner)


def without(content: dict[str, Any], keep: Callable[[Keys], bool], at: Keys = ()) -> dict[str, Any]:
    """Return nested dicts with the keys whose place is kept."""
    return {
        name: without(value, keep, (*at, name)) if isinstance(value, dict) else value
        for name, value in content.items()
        if keep((*at, name))
    }
