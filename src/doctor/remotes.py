"""The places that others get this from: the DVC remote with every object of dvc.lock, and git's."""

from collections.abc import Iterator
from pathlib import Path

from src.base.errors import PromotionError
from src.doctor.finding import Line, fail, ok, warn
from src.doctor.pipeline_outputs import GOOD, md5, read_outputs
from src.doctor.shell import git, quoted
from src.repo.dvc_store import opened_stores

ANSWER_S = 30


def check(root: Path) -> Iterator[Line]:
    """Ask both."""
    yield from _objects(root)
    yield from _upstream(root)


def _objects(root: Path) -> Iterator[Line]:
    """Read every object of dvc.lock on the remote: DVC takes what is there for what it is called."""
    outputs = {output.md5: output for output in read_outputs(root) if not output.is_gits}
    digests = {digest: output.name for digest, output in outputs.items()}
    try:
        with opened_stores() as stores:
            found = {digest: stores.read_remote(digest) for digest in digests}
            places = {digest: stores.place_on_remote(digest) for digest in digests}
            is_folder = stores.remote_is_a_folder
    except PromotionError as error:
        yield _unreachable(root, str(error))
        return
    damaged = [digest for digest, content in found.items() if content is not None and md5(content) != digest]
    if damaged:
        names = ", ".join(digests[digest] for digest in damaged)
        where = [places[digest] for digest in damaged]
        is_here = all(outputs[digest].file == GOOD for digest in damaged)
        mend = f"rm -f {quoted(*where)} && dvc push {quoted(*[digests[digest] for digest in damaged])}"
        rest = "" if is_folder else f"; delete {', '.join(where)} there, then `dvc push`, which replaces nothing"
        rest = rest if is_here else f"{rest}; first get the right files here, or find who has them"
        yield fail("remote", f"damaged on the remote: {names}{rest}", mend if is_folder and is_here else "")
    missing = [digests[digest] for digest, content in found.items() if content is None]
    if missing:
        yield warn(
            "remote", f"{len(missing)} of {len(digests)} objects are not on the remote, others cannot pull: `dvc push`"
        )
    if not damaged and not missing:
        yield ok("remote", f"it has all {len(digests)} objects of dvc.lock, unharmed")


def _unreachable(root: Path, words: str) -> Line:
    """Say which address does not answer; one that only this clone has can be left for the repository's own."""
    local = root / ".dvc" / "config.local"
    text = local.read_text(encoding="utf-8", errors="replace") if local.is_file() else ""
    own = [line.partition("=")[2].strip() for line in text.splitlines() if line.strip().startswith("url")]
    if not own:
        return fail("remote", f"{words}; mend network, credentials or address, then `dvc push`")
    words = f"{words}; {own[0]} is this clone's own: mend network and credentials, or leave it for the repository's"
    keep = 'mkdir -p .dvc/tmp && cp .dvc/config.local "$(mktemp -d .dvc/tmp/aside.XXXXXX)"'
    return fail("remote", words, f"{keep} && dvc remote modify --local --unset local url")


def _upstream(root: Path) -> Iterator[Line]:
    """Ask the remote of git whether it has commits that were not fetched."""
    tracked = git(root, "rev-parse", "--symbolic-full-name", "@{upstream}")
    if tracked.status:
        return
    remote, _, branch = tracked.out.strip()[len("refs/remotes/") :].partition("/")
    asked = git(root, "ls-remote", "--exit-code", remote, f"refs/heads/{branch}", timeout_s=ANSWER_S)
    if asked.status:
        yield fail(
            "upstream", f"{remote} does not answer for {branch} ({asked.error})", f"git remote show {quoted(remote)}"
        )
    elif asked.out.split()[0] != git(root, "rev-parse", "@{upstream}").out.strip():
        yield warn("upstream", f"{remote} has commits that were not fetched", "git fetch --tags && git status")
    else:
        yield ok("upstream", f"{remote} answers, nothing there that was not fetched")
