"""Whatever a user set in git, promotion, rollback and history end the same; signing and hooks are run."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from src.base import paths
from src.base.errors import PromotionError
from src.release.base_commit import find_base
from src.release.history import promotions
from src.release.tags import Tagged, tagged_versions
from src.release.transaction import check_committed, commit, exclusive, transaction
from src.repo.git import git
from tests.checkouts import GIT_IDENTITY, Checkout
from tests.clones import clone_of
from tests.unit.release.conftest import hook

ATTRIBUTES = (paths.ROOT / ".gitattributes").read_bytes()
METADATA = {
    "created_at": "2026-01-01T00:00:00Z",
    "performance_metrics": {},
    "training_info": {"samples_count": 1},
    "words": "a\tb",
}
METADATA_NAME = paths.relative(paths.METADATA)
# It signs a commit with nothing, says so on git's pipe for status, and its words get into a log that shows signatures.
SIGNER = """case "$*" in
*--verify*) echo "gpg: Good signature" >&2; echo "[GNUPG:] GOODSIG 1 x"; exit 0;;
*) cat > /dev/null; echo "[GNUPG:] SIG_CREATED " >&2;
   echo "-----BEGIN PGP SIGNATURE-----"; echo "-----END PGP SIGNATURE-----";;
esac"""
# By what they could change.
SETTINGS = {
    "what is untracked": ["status.showUntrackedFiles=no"],
    "status": ["status.short=true", "status.branch=true", "status.relativePaths=false", "advice.statusHints=false"],
    "what has changed": ["core.ignoreStat=true", "core.fileMode=false", "core.untrackedCache=true"],
    "a monitor": ["core.fsmonitor={says_nothing}"],
    "line ends": ["core.autocrlf=true", "core.safecrlf=true"],
    "line ends of input": ["core.autocrlf=input", "core.eol=crlf"],
    "attributes": ["core.attributesFile={attributes}"],
    "names": ["core.quotePath=false", "core.abbrev=40", "init.defaultBranch=trunk", "clone.defaultRemoteName=upstream"],
    "diff": ["diff.external=false", "diff.noprefix=true", "diff.renames=copies", "diff.relative=true"],
    "signatures shown": ["log.showSignature=true"],
    "log": ["log.date=human", "log.follow=true", "log.showRoot=false", "log.decorate=full", "format.pretty=fuller"],
    "colour": ["color.ui=always", "color.status=always", "color.branch=always", "i18n.logOutputEncoding=EUC-JP"],
    "columns": ["column.ui=always", "tag.sort=-version:refname"],
    "remotes": ["push.followTags=true", "push.default=nothing", "fetch.prune=true", "fetch.pruneTags=true"],
    "merges": ["merge.ff=false", "pull.rebase=true", "remote.pushDefault=nowhere"],
    "commits": ["commit.template={attributes}", "commit.cleanup=verbatim", "commit.verbose=true"],
}


@contextmanager
def as_ours(checkout: Checkout) -> Iterator[None]:
    """Let the project take a repository for its own, and give commits the same names in every test."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(paths, "ROOT", checkout.root)
        patched.setattr(paths, "METADATA", checkout.root / METADATA_NAME)
        dates = {f"GIT_{who}_DATE": "1700000000 +0000" for who in ("AUTHOR", "COMMITTER")}
        for name, value in (GIT_IDENTITY | dates).items():
            patched.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone with a signed commit, and with a tag to fetch; copy before changing."""
    folder = tmp_path_factory.mktemp("built")
    Checkout(folder).run("git", "init", "--quiet", "--bare", "--initial-branch", "main", "remote.git")
    made, theirs = clone_of(folder, "mine"), folder / "theirs"
    (made.root / ".gitattributes").write_bytes(ATTRIBUTES)
    signer = f"gpg.program={script(folder / 'signer', SIGNER)}"
    for version in ("1.0.0", "1.0.1"):
        put(made, version)
        made.run("git", "add", "--all")
        made.run("git", "-c", signer, "commit", "--quiet", "--gpg-sign", "--message", version)
    made.run("git", "push", "--quiet")
    made.run("git", "config", *signer.split("=", 1))
    with as_ours(clone_of(folder, theirs.name)):
        promote_here(Checkout(theirs), "1.5.0")
    Checkout(theirs).run("git", "push", "--quiet", "--atomic", "--follow-tags")
    return made


def script(file: Path, text: str) -> Path:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def put(checkout: Checkout, version: str) -> None:
    """Write the metadata of a version."""
    file = checkout.root / METADATA_NAME
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(METADATA | {"version": version}, indent=2) + "\n")


def promote_here(checkout: Checkout, version: str) -> None:
    """Promote as the command does, with no model."""
    with exclusive():
        check_committed()
        with transaction([paths.METADATA], Tagged(version, "production"), with_outputs=False):
            put(checkout, version)
            commit([METADATA_NAME], f"Promote {version}")


def life(checkout: Checkout) -> dict[str, object]:
    """Promote, roll back and look back; return all that came of it."""
    base, champion = find_base(), git("log", "-1", "--format=%H", "--", METADATA_NAME)
    promote_here(checkout, "1.0.2")
    (checkout.root / "src").mkdir()
    (checkout.root / "src" / "mine.py").touch()
    with pytest.raises(PromotionError, match="expected a clean work tree, 1 paths differ") as told:
        check_committed()
    (checkout.root / "src" / "mine.py").unlink()
    before = git("rev-parse", "HEAD~1")
    with exclusive(), transaction([paths.METADATA], Tagged("1.0.1", "production", before), with_outputs=False):
        git("checkout", before, "--", METADATA_NAME)
        commit([METADATA_NAME], "Roll back to 1.0.1")
    check_committed()
    (checkout.root / METADATA_NAME).write_text("changed")
    with pytest.raises(PromotionError, match="expected a clean work tree, 1 paths differ"):
        check_committed()
    checkout.run("git", "checkout", "--quiet", "--", METADATA_NAME)
    return {
        "base": base,
        "champion": champion,
        "tag names": sorted(git("tag").split("\n")),
        "words": git("status", "--untracked-files=no").partition("\n")[0],
        "told": str(told.value),
        "promotions": [(one.version, one.commit) for one in promotions()],
        "tags": tagged_versions(),
        "bytes": paths.METADATA.read_bytes(),
        "state": checkout.git_state(),
    }


@pytest.fixture
def set_globally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that makes each `key=value` a setting of the user."""
    attributes = tmp_path / "attributes"
    attributes.write_text("*.json text eol=crlf ident filter=upper working-tree-encoding=UTF-16\n")
    nothing = script(tmp_path / "says_nothing", 'printf "token\\0"')
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-checkout"):
        script(hooks / name, f"touch {tmp_path / 'ran'}")

    def put_settings(*settings: str) -> None:
        file = tmp_path / "gitconfig"
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
        for setting in (*settings, "filter.upper.smudge=tr a-z A-Z"):
            named = setting.format(attributes=attributes, says_nothing=nothing, hooks=hooks)
            Checkout(tmp_path).run("git", "config", "--file", str(file), *named.split("=", 1))

    return put_settings


@pytest.fixture(scope="module")
def expected(built: Checkout, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What comes of it without any setting."""
    copy = built.copy(tmp_path_factory.mktemp("plain") / "mine")
    with as_ours(copy):
        return life(copy)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_setting_changes_nothing(
    settings: list[str], built: Checkout, expected: dict[str, object], set_globally: Callable[..., None], tmp_path: Path
) -> None:
    """Commits, tags, bytes, what is refused and what is listed are the same."""
    set_globally(*settings)
    copy = built.copy(tmp_path / "mine")
    with as_ours(copy):
        assert life(copy) == expected


HIDING = {
    "assume unchanged": "git update-index --assume-unchanged",
    "skip": "git update-index --skip-worktree",
}


@pytest.mark.parametrize("command", HIDING.values(), ids=HIDING)
def test_a_change_that_git_does_not_show_is_seen(command: str, built: Checkout, tmp_path: Path) -> None:
    """What was promoted could not be had back; the words say how git looks at the file again."""
    copy = built.copy(tmp_path / "mine")
    copy.run(*command.split(" "), METADATA_NAME)
    put(copy, "6.6.6")
    assert copy.run("git", "status", "--porcelain") == ""
    with as_ours(copy):
        with pytest.raises(PromotionError, match="expected a clean work tree, ") as told:
            check_committed()
        repair = str(told.value).rpartition("; `")[2].removesuffix("`")
        copy.run("bash", "-c", repair)
        with pytest.raises(PromotionError, match="1 paths differ from the last commit"):
            check_committed()


OF_THE_USER = ["commit.gpgSign=true", "tag.gpgSign=true", "i18n.commitEncoding=EUC-JP", "core.hooksPath={hooks}"]


@pytest.mark.parametrize("setting", OF_THE_USER)
def test_what_is_the_user_s_is_kept(
    setting: str, built: Checkout, expected: dict[str, object], set_globally: Callable[..., None], tmp_path: Path
) -> None:
    """Commits and tags are signed, or hooks run; versions, tags and bytes are the same."""
    set_globally(setting)
    copy = built.copy(tmp_path / "mine")
    with as_ours(copy):
        came = life(copy)
        objects = "".join(git("cat-file", "-p", name) for name in ("HEAD", "production-ensemble@v1.0.2"))
    assert (came["tags"], came["bytes"], came["told"]) == (expected["tags"], expected["bytes"], expected["told"])
    seen = {"gpgSign": "BEGIN PGP SIGNATURE", "commitEncoding": "encoding EUC-JP", "hooksPath": ""}
    assert seen[setting.split("=", maxsplit=1)[0].split(".")[1]] in objects
    assert (tmp_path / "ran").exists() == setting.startswith("core.hooksPath")


REFUSING = {
    "pre-commit": ("hook", "pre-commit"),
    "commit-msg": ("hook", "commit-msg"),
    "prepare-commit-msg": ("hook", "prepare-commit-msg"),
    "reference-transaction": ("hook", "reference-transaction"),
    "a commit's signer": ("signer", "commit.gpgSign"),
    "a tag's signer": ("signer", "tag.gpgSign"),
}


@pytest.mark.parametrize(("kind", "name"), REFUSING.values(), ids=REFUSING)
def test_what_refuses_is_quoted_and_nothing_is_half_done(
    kind: str, name: str, built: Checkout, set_globally: Callable[..., None], tmp_path: Path
) -> None:
    """Once it agrees, the same command goes through."""
    copy = built.copy(tmp_path / "mine")
    if kind == "hook":
        hook(copy, name, "echo not on a Friday >&2; exit 1")
    else:
        set_globally(f"{name}=true")
        copy.run("git", "config", "gpg.program", str(script(tmp_path / "no", "echo not on a Friday >&2; exit 1")))
    before = copy.git_state()
    with as_ours(copy):
        with pytest.raises(PromotionError, match=r"failed: .*(not on a Friday|gpg failed to sign)"):
            promote_here(copy, "1.0.2")
        assert copy.git_state() == before
        (copy.root / ".git" / "hooks" / name).unlink(missing_ok=True)
        copy.run("git", "config", "gpg.program", str(script(tmp_path / "yes", SIGNER)))
        promote_here(copy, "1.0.2")
        assert "1.0.2" in tagged_versions()
