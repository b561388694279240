"""The promoted model: its metadata, and whether the files are those that the metadata describe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from src.base import paths
from src.base.errors import ModelError
from src.doctor.check import Check, fail, ok, restoring, warn
from src.doctor.pipeline_outputs import GOOD, getting_back, read_outputs
from src.repo.git import run_git
from src.verdict.finding import Finding

METADATA, MODELS = (paths.relative(path) for path in (paths.METADATA, paths.PRODUCTION))


class Models(Check):
    """The files of the promoted model are those that its metadata describe, and it gives its known answers."""

    name = "models"
    requires = ("pipeline-files",)
    subsets = ("ml-models", "full-check")

    def findings(self) -> Iterator[Finding]:
        from btc_signal.bundle import FILES, read_metadata

        file = self.root / METADATA
        commits = run_git(self.root, "log", "--format=%H", "--", METADATA).stdout.split()
        if not file.exists() and not commits:
            yield warn("metadata", "no model was promoted yet", "python -m src promote")
            return
        try:
            metadata, wrong = read_metadata(file), ""
        except ModelError as error:
            metadata, wrong = {}, str(error)
        # They may have been brought back from an earlier promotion.
        kept = (run_git(self.root, "show", f"{commit}:{METADATA}").stdout for commit in commits)
        if not wrong and (self.root / ".git").exists() and file.read_text(encoding="utf-8") not in kept:
            wrong = f"{METADATA} is not what any commit holds; only a promotion writes it"
        if wrong:
            yield fail("metadata", wrong, restoring(self.root, METADATA))
        else:
            yield ok("metadata", f"version {metadata['version']} describes {len(FILES)} files")
            yield self._bundle(metadata)

    def _bundle(self, metadata: dict[str, Any]) -> Finding:
        """Verify the files; a candidate that waits for its promotion is no damage."""
        from btc_signal.bundle import FILES, sha256
        from btc_signal.ensemble import ProductionEnsemble
        from btc_signal.signature import check_signature

        version, folder = metadata["version"], self.root / MODELS
        found = {name: sha256((folder / name).read_bytes()) for name in FILES if (folder / name).is_file()}
        names = [f"{MODELS}/{one}" for one in FILES if found.get(one) != metadata["files"][one]["sha256"]]
        if not names:
            subject, command = "signature", "git pull --ff-only"
            try:
                check_signature((self.root / METADATA).read_bytes(), folder, version)
                subject, command = "model", "dvc repro"
                version = ProductionEnsemble.load(folder).get_model_info()["version"]
            except ModelError as error:
                return fail(subject, str(error), command)
            return ok("model", f"version {version}, every sha256 right, known answers the same")
        if set(names) <= {output.name for output in read_outputs(self.root)[0] if output.file == GOOD}:
            words = f"a candidate lies where version {version} was, so nothing can be served from here"
            return warn("model", f"{words} until it is promoted", "python -m src promote")
        words = f"{', '.join(names)} is missing or not version {version}, and is refused"
        return fail("model", words, getting_back(names, [name for name in names if (self.root / name).exists()]))
