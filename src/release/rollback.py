"""Roll back: bring a model that was promoted before into production again, as a new commit."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from btc_signal.ensemble import ProductionEnsemble
from src.base import paths, storage
from src.base.errors import PromotionError
from src.base.yaml_lines import read_scalars, replace_scalars
from src.release.base_commit import check_upstream
from src.release.history import promotions
from src.release.releases import copy_signatures
from src.release.tags import Tagged
from src.release.transaction import check_committed, commit, exclusive, transaction
from src.release.versions import VERSION
from src.repo.git import ANY_BYTES, check_full_history, git, read_blobs
from src.repo.outputs import BUNDLE, fetch_and_checkout, keep_outputs
from src.repo.revision import Revision

# Beside the outputs of the pipeline that git keeps.
RESTORED = ("dvc.lock", paths.relative(paths.METADATA))
# Sections of params.yaml that say what is asked of a model, not how it is made.
POLICY = {"gate", "retrain", "monitor"}


class RolledBack(NamedTuple):
    """The version in production, its commit, and outputs of the pipeline that neither cache nor remote has."""

    version: str
    commit: str
    missing: list[str]


def rollback(name: str, *, offline: bool = False) -> RolledBack:
    """Make a promoted model the production model again.

    Before the work tree changes, everything is fetched, verified against that promotion's sha256, and the model has to
    pass its smoke test. Then dvc.lock, metrics, metadata and parameters of that promotion become a new commit. The
    limits of gate, retrain and monitor stay as they are, and so does the statement which versions may be served: it is
    not asked whether it allows this one, since it may be renewed afterwards. Its name is a version such as 1.0.1, or
    whatever git takes for a commit that holds a promotion. Offline the remote of git is not asked whether the rollback
    can be pushed.

    `PromotionError` if the clone is shallow, the work tree differs from the last commit, no such version was promoted,
    the remote does not answer or has what this clone lacks, or git cannot commit or tag. `DataError` if its files are
    neither in the cache nor on the remote, or are damaged; `ModelError` if they are not what its metadata say, or this
    code cannot read them.
    """
    with exclusive():
        check_committed()
        check_full_history()
        check_upstream(amend=False, offline=offline)
        known = {promoted.version: promoted.commit for promoted in reversed(promotions())}
        target = Revision(_commit_of(name, known))
        version = _verify(target)
        # params.yaml as it is, with the values of that revision that make the model.
        values = read_scalars(target.params_text, f"params.yaml of {target.name}")
        making = {key: text for key, text in values.items() if key[0] not in POLICY}
        params = replace_scalars(storage.read_bytes(paths.PARAMS).decode(), paths.PARAMS.name, making)
        restored = [path for path in (*target.lock.outs, *RESTORED) if git("ls-tree", target.commit, "--", path)]
        changed = [*restored, paths.relative(paths.PARAMS)]
        tagged = Tagged(version, "production", known.get(version, target.commit))
        keep_outputs()
        with transaction([paths.ROOT / path for path in changed], tagged, with_outputs=True):
            git("checkout", target.commit, "--", *restored)
            storage.write_bytes(params.encode(), paths.PARAMS)
            fetch_and_checkout()
            version_now = ProductionEnsemble.load_release(paths.PRODUCTION).get_model_info()["version"]
            if git("status", "--porcelain", "--", *changed):
                commit(changed, f"Roll back to {version}")
        missing = [path for path in target.lock.outs if not (paths.ROOT / path).exists()]
        return RolledBack(version_now, git("rev-parse", "HEAD"), missing)


def _commit_of(name: str, known: Mapping[str, str]) -> str:
    """Return the commit of the promotion of that version; what is no version is left to git."""
    if name in known:
        return known[name]
    if VERSION.fullmatch(name):
        msg = f"version {name} was never promoted here; `python -m src history` lists {', '.join(known) or 'none'}"
        raise PromotionError(msg)
    return name


def _verify(target: Revision) -> str:
    """Load and verify the promoted model in a temporary folder, and return its version."""
    with tempfile.TemporaryDirectory() as folder:
        (metadata,) = read_blobs([f"{target.commit}:{paths.relative(paths.METADATA)}"])
        if metadata is None:
            msg = f"{target.name} holds no promoted model; `python -m src history` lists the commits that do"
            raise PromotionError(msg)
        storage.write_bytes(metadata.encode(**ANY_BYTES), Path(folder) / paths.METADATA.name)
        copy_signatures(paths.PRODUCTION, Path(folder))
        for path in BUNDLE:
            storage.write_bytes(target.read(path), Path(folder) / path.name)
        version = str(ProductionEnsemble.load_release(Path(folder)).get_model_info()["version"])
    if not VERSION.fullmatch(version):
        msg = f"{target.name} holds version {version}, expected one such as 1.0.2; `python -m src history` lists them"
        raise PromotionError(msg)
    return version
