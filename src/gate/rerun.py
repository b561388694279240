"""Make the champion's model again with today's code, in a scratch folder, and compare it byte for byte."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from btc_signal.ensemble import SMOKE_TOLERANCE, ProductionEnsemble
from src.base import paths, storage
from src.base.errors import DataError, words_of
from src.repo.dvc_lock import read_dvc_lock
from src.repo.git import ANY_BYTES, git, read_blobs
from src.repo.revision import Revision
from src.repo.scratch_folder import exclusive, share_caches
from src.repo.subprocesses import run, sigterm_as_exit
from src.training.members.member import MEMBERS

# What a model is: the graph that serves, and the forecasts by which it was judged.
MADE = [paths.relative(path) for path in (paths.GRAPH, *map(paths.out_of_fold, MEMBERS.values()))]


def rerun_window(champion: Revision) -> list[str]:
    """Run the stages up to the ensemble as the work tree has them, with the champion's parameters, window among them.

    Returns which of its graph and out-of-fold files come out other, and whether its answers do. `DataError` if they do
    not come out, or dvc.lock of the champion does not know one of them; `PromotionError` if another rerun is at work.
    """
    if unknown := [name for name in MADE if name not in champion.lock.outs]:
        msg = f"the champion made no {unknown[0]}"
        raise DataError(msg)
    with sigterm_as_exit(), exclusive("rerun") as folder:
        try:
            _lay_out(folder, champion.params)
        except OSError as error:
            raise DataError(words_of(error)) from error
        done = run(folder, "dvc", "repro", "ensemble")
        if done.status:
            raise DataError(done.words)
        made = read_dvc_lock(folder).outs
    return [*(name for name in MADE if made[name].md5 != champion.lock.outs[name].md5), *_other_answers(champion)]


def _other_answers(champion: Revision) -> list[str]:
    """Ask its model, with today's code, what its metadata keep the answers to: no file holds how votes are joined."""
    name = paths.relative(paths.METADATA)
    (metadata,) = read_blobs([f"{champion.commit}:{name}"])
    if metadata is None:
        return []
    try:
        kept = storage.parse_json(metadata.encode(**ANY_BYTES), name)["smoke_test"]
        rows, probabilities = (np.array(kept[key], dtype=float) for key in ("rows", "probabilities"))
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{name} of {champion.name} holds no answers that can be read ({error})"
        raise DataError(msg) from error
    answers = ProductionEnsemble.from_bytes(champion.read(paths.ENSEMBLE)).predict_proba(rows)[:, 1]
    return [] if np.allclose(answers, probabilities, rtol=0, atol=SMOKE_TOLERANCE) else ["its answers"]


def _lay_out(folder: Path, params: dict[str, Any]) -> None:
    """Copy the work tree, what git does not know of yet among it, and set those parameters."""
    git("init", "--quiet", str(folder))
    listed = git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    today: dict[str, Any] = yaml.safe_load(storage.read_bytes(paths.PARAMS))
    merged = _as_then(today, params)
    for name in {*filter(None, listed), merged["data"]["path"]}:
        source, target = paths.ROOT / name, folder / name
        if source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    storage.write_bytes(yaml.safe_dump(merged).encode(), folder / paths.PARAMS.name)
    share_caches(folder)


def _as_then(now: Any, then: Any) -> Any:  # noqa: ANN401 - anything that YAML holds
    """Return the earlier parameters under today's keys; one that was not there then has today's value."""
    if isinstance(now, dict) and isinstance(then, dict):
        return {key: _as_then(value, then[key]) if key in then else value for key, value in now.items()}
    return then
