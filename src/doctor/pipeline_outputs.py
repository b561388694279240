"""The files of the pipeline against dvc.lock, in work tree, cache and remote; the promoted ones against their metadata.

DVC itself is asked only where they are: it takes a file that has its old size and time for what it was, and an object
for its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from src.base import paths
from src.base.errors import ModelError, PromotionError
from src.doctor.check import Check, aside, fail, is_committed, ok, restoring, warn
from src.doctor.dvc import CONFIG, LOCAL
from src.repo.git import REMOTE_TIMEOUT_S, run_git
from src.repo.git_locks import quoted
from src.verdict.finding import Finding, few

GOOD, MISSING, DAMAGED = "good", "missing", "damaged"
LOCK = "dvc.lock"
OWN_ADDRESS = (
    f'mkdir -p .dvc/tmp && cp {LOCAL} "$(mktemp -d .dvc/tmp/aside.XXXXXX)" && '
    "dvc remote modify --local --unset local url"
)
ABSENT = (
    "not here and not in the cache since that version was brought back, and not needed to serve; "
    "`dvc pull` brings what the remote has, `dvc repro` makes them again"
)
METADATA, MODELS = (paths.relative(path) for path in (paths.METADATA, paths.PRODUCTION))
SERVED = {paths.relative(path) for path in (paths.GRAPH, paths.ENSEMBLE)}


class Output(NamedTuple):
    """An output of a stage, whether git keeps it, and how its file and its object in the cache are."""

    name: str
    md5: str
    is_gits: bool
    file: str
    stored: str
    object: str


class Outputs(Check):
    """Every output is what dvc.lock says, in the work tree and in the cache."""

    name = "outputs"
    requires: ClassVar[tuple[str, ...]] = ("git", "pipeline-files")
    subsets: ClassVar[tuple[str, ...]] = ("data-check", "full-check")
    folder = ""

    def findings(self) -> Iterator[Finding]:
        outputs, broken = read_outputs(self.root)
        outputs = [one for one in outputs if one.name.startswith(self.folder)]
        reports, kept = [one for one in outputs if one.is_gits], [one for one in outputs if not one.is_gits]
        found = [self._report(report) for report in reports if report.file != GOOD]
        if reports and not found:
            found = [ok("reports", f"{len(reports)} files are as dvc.lock says")]
        # A report that git has comes first, so that its stage need not run.
        from_git = [finding for finding in found if finding.command.startswith("git")]
        yield from [*from_git, *(broken or _judge_kept(self.root, kept))]
        yield from (finding for finding in found if finding not in from_git)

    def _report(self, report: Output) -> Finding:
        """Say how a report comes back: from git where that is the one, or else from its stage."""
        from src.repo.dvc_lock import md5

        kept = run_git(self.root, "show", f"HEAD:{report.name}").stdout
        command = restoring(self.root, report.name) if md5(kept.encode()) == report.md5 else ""
        how = "not there" if report.file == MISSING else "not what dvc.lock says"
        return fail("reports", f"{report.name} is {how}", command or "dvc repro")


class ModelFiles(Outputs):
    """Every model is what dvc.lock says, in the work tree and in the cache."""

    name = "model-files"
    requires = ("pipeline-files",)
    subsets = ("ml-models",)
    folder = "models/"


class Remote(Check):
    """The DVC remote has every object of dvc.lock, and git's remote no commit that was not fetched."""

    name = "remote"
    requires = ("git", "dvc", "pipeline-files")

    def findings(self) -> Iterator[Finding]:
        from src.repo.dvc_lock import md5
        from src.repo.dvc_store import opened_stores

        outputs = [output for output in read_outputs(self.root)[0] if not output.is_gits]
        try:
            with opened_stores() as stores:
                found = {output: stores.read_remote(output.md5) for output in outputs}
                # DVC does not hash them; to delete one, it has to be a file of this machine.
                damaged = [one for one, content in found.items() if content is not None and md5(content) != one.md5]
                files = [stores.place_on_remote(one.md5) for one in damaged if stores.remote_is_a_folder]
        except PromotionError as error:
            words = f"{error}; mend network, credentials or address (docs/remotes.md), then `dvc push`"
            # An address that only this clone has can be left for the repository's own.
            is_own = (self.root / LOCAL).is_file() and "url" in (self.root / LOCAL).read_text(errors="replace")
            yield fail("remote", words, OWN_ADDRESS if is_own else "")
        else:
            missing = sum(content is None for content in found.values())
            if damaged:
                yield _judge_damaged(damaged, files)
            if missing:
                words = f"{missing} of {len(found)} objects are not on the remote, others cannot pull: `dvc push`"
                yield warn("remote", words)
            if not damaged and not missing:
                yield ok("remote", f"it has all {len(found)} objects of dvc.lock, unharmed")
        yield from self._upstream()

    def _upstream(self) -> Iterator[Finding]:
        """Ask the remote of git whether it has commits that were not fetched."""
        tracked = run_git(self.root, "rev-parse", "--symbolic-full-name", "@{upstream}")
        if tracked.status:
            return
        _, _, remote, branch = tracked.stdout.strip().split("/", 3)
        heads = ("ls-remote", "--exit-code", remote, f"refs/heads/{branch}")
        asked = run_git(self.root, *heads, timeout_s=REMOTE_TIMEOUT_S)
        if asked.status:
            words = f"{remote} does not answer for {branch} ({asked.reason})"
            yield fail("upstream", words, f"git remote show {quoted(remote)}")
        elif asked.stdout.split()[0] != run_git(self.root, "rev-parse", "@{upstream}").stdout.strip():
            yield warn("upstream", f"{remote} has commits that were not fetched", "git fetch --tags && git status")
        else:
            yield ok("upstream", f"{remote} answers, nothing there that was not fetched")


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
        from btc_signal.channel import check_channel
        from btc_signal.ensemble import ProductionEnsemble
        from btc_signal.signature import check_signature, signature_file

        version, folder = metadata["version"], self.root / MODELS
        found = {name: sha256((folder / name).read_bytes()) for name in FILES if (folder / name).is_file()}
        names = [f"{MODELS}/{one}" for one in FILES if found.get(one) != metadata["files"][one]["sha256"]]
        if not names:
            subject, command = "signature", "git pull --ff-only"
            try:
                content = (self.root / METADATA).read_bytes()
                check_signature(content, signature_file(folder, version), "model", version)
                subject, command = "model", "dvc repro"
                version = ProductionEnsemble.load_release(folder).get_model_info()["version"]
                subject, command = "statement", "python -m src channel"
                check_channel(folder, version, sha256(content))
            except ModelError as error:
                return fail(subject, str(error), command)
            return ok("model", f"version {version}, every sha256 right, known answers the same")
        if set(names) <= {output.name for output in read_outputs(self.root)[0] if output.file == GOOD}:
            words = f"a candidate lies where version {version} was, so nothing can be served from here"
            return warn("model", f"{words} until it is promoted", "python -m src promote")
        words = f"{', '.join(names)} is missing or not version {version}, and is refused"
        return fail("model", words, getting_back(names, [name for name in names if (self.root / name).exists()]))


def read_outputs(root: Path) -> tuple[list[Output], list[Finding]]:
    """Look at every output that dvc.lock names; if DVC cannot tell where its cache is, say so: no object is seen."""
    from src.repo.dvc_cache import cache_folder, object_file
    from src.repo.dvc_lock import read_dvc_lock

    cache, broken = root / ".dvc" / "cache", []
    try:
        cache = cache_folder(root)
    except PromotionError as error:
        broken = [fail("cache", str(error), restoring(root, CONFIG) or "dvc config --list --show-origin")]
    tracked, outputs = set(run_git(root, "ls-files", "-z").stdout.split("\0")), []
    for name, out in read_dvc_lock(root).outs.items():
        stored, is_gits = object_file(cache, out.md5), name in tracked
        shown = str(stored.relative_to(root) if root in stored.parents else stored)
        how = MISSING if is_gits else how_file_is(stored, out.md5)
        outputs.append(Output(name, out.md5, is_gits, how_file_is(root / name, out.md5), shown, how))
    return outputs, broken


def absent_after_rollback(root: Path, outputs: list[Output]) -> list[str]:
    """Name what is nowhere here of a version that a rollback brought back, and that serves without it.

    Then dvc.lock is committed, and again what it was before another was.
    """
    absent = [one.name for one in outputs if not one.is_gits and one.file == one.object == MISSING]
    if not absent or any(output.file != GOOD for output in outputs if output.name in SERVED):
        return []
    changes = run_git(root, "log", "--format=", "--raw", "--no-abbrev", "--", LOCK).stdout.splitlines()
    held = [change.split()[3] for change in changes if change.startswith(":")]
    return absent if is_committed(root, LOCK) and held[0] in held[1:] else []


def _judge_damaged(outputs: list[Output], files: list[str]) -> Finding:
    """Judge objects that are damaged on the remote, where they are these files if it is a folder of this machine."""
    names, is_here = [output.name for output in outputs], all(output.file == GOOD for output in outputs)
    by_hand = "" if files else f"; delete {', '.join(one.md5 for one in outputs)} there, then `dvc push`"
    first = "" if is_here else "; first get the right files here, or find who has them"
    command = f"rm -f {quoted(*files)} && dvc push {quoted(*names)}" if files and is_here else ""
    return fail("remote", f"damaged on the remote: {', '.join(names)}{by_hand}{first}", command)


def _judge_kept(root: Path, outputs: list[Output]) -> Iterator[Finding]:
    """Judge outputs that DVC keeps: a file that is lost, an object that is, or both."""
    absent = absent_after_rollback(root, outputs)
    if absent:
        yield warn("outputs", f"{few(absent)}: {ABSENT}")
    outputs = [output for output in outputs if output.name not in absent]
    lost = [output for output in outputs if output.file != GOOD or output.object == DAMAGED]
    if lost:
        named = few([f"{output.name} ({output.file if output.file != GOOD else 'its object'})" for output in lost])
        have = "the cache has" if all(output.object == GOOD for output in lost) else "remote or stages may have"
        yield fail("outputs", f"{named}: missing or damaged; {have} them", _fetching(lost))
    unsaved = [output for output in outputs if output.object == MISSING and output.file == GOOD]
    if unsaved:
        place = unsaved[0].stored.partition("/files/md5/")[0]
        elsewhere = "" if place == ".dvc/cache" else f", {place}"
        rest = f"objects are not in the cache{elsewhere}; the files themselves are right"
        yield warn("cache", f"{len(unsaved)} of {len(outputs)} {rest}", _fetching(unsaved))
    if outputs and not (lost or unsaved):
        yield ok("outputs", f"{len(outputs)} files are what dvc.lock says, and so are their objects in the cache")


def how_file_is(file: Path, digest: str) -> str:
    """Compare a file with its md5."""
    from src.repo.dvc_lock import md5

    if not file.is_file():
        return MISSING
    return GOOD if md5(file.read_bytes()) == digest else DAMAGED


def getting_back(names: Sequence[str], damaged: Sequence[str] = (), objects: Sequence[str] | None = None) -> str:
    """Return the command that gets outputs from the cache, the remote, or else their stages.

    Damaged files may be somebody's, and are put aside. Where the cache lacks an object, it is not asked; damaged ones
    are nobody's, and go.
    """
    kept = f"dvc checkout {quoted(*names)} || " if objects is None else ""
    again = f"{kept}dvc pull {quoted(*names)} || dvc repro"
    clear = [*([aside(*damaged)] if damaged else []), *([f"rm -f {quoted(*objects)}"] if objects else [])]
    return " && ".join([*clear, f"{{ {again}; }}"]) if clear else again


def _fetching(outputs: list[Output]) -> str:
    objects = [output.stored for output in outputs if output.object == DAMAGED]
    damaged = [output.name for output in outputs if output.file == DAMAGED]
    is_kept = all(output.object == GOOD for output in outputs)
    return getting_back([output.name for output in outputs], damaged, None if is_kept else objects)
