"""What the workflows may do: pinned actions, least rights, no stranger's text in a shell, no logic of their own."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.base import paths
from tests.workflows import FILES, JOBS, RUNS, STEPS, WORKFLOWS

MAKEFILE = (paths.ROOT / "Makefile").read_text()
GOOD = (paths.ROOT / ".github" / "workflows" / "ci.yml").read_text()

# All that a script may call: make, the command line, and what carries text from one place to another.
COMMANDS = (
    "make ",
    ".venv/bin/python -m src ",
    ".venv/bin/dvc remote modify --local ",
    "git config user.",
    "git diff --exit-code ",
    "git switch --quiet --create locks-",
    "git commit --quiet --all --message ",
    "git push --quiet origin locks-",
    "gh auth setup-git ",
    "gh pr comment ",
    "gh pr list ",
    "gh pr create ",
    "cp artefact/",
    "find artefact ",
    "gh issue ",
    "test ",
    "rm -f reports/",
    "echo ",
    "sed ",
    "head ",
)
WRITES = {
    "comment": {"pull-requests": "write"},
    "propose": {"contents": "write", "pull-requests": "write"},
    "retrain": {"contents": "write", "id-token": "write"},
    "tell": {"issues": "write"},
}
SECRETS = {
    "comment: Post it in place of the last one": {"github.token"},
    "propose: Open a pull request, unless one is open": {"github.token"},
    "retrain: Retrain": {
        *("github.token", "steps.aws", "secrets.AWS_ACCESS_KEY_ID", "secrets.AWS_SECRET_ACCESS_KEY"),
        "secrets.ALERT_URL",
    },
    "tell: Open an issue, or add to the open one": {"github.token"},
}


def test_there_are_four() -> None:
    """What follows is true of something, and no job hides behind another of its name."""
    assert list(WORKFLOWS) == ["audit", "ci", "locks", "weekly-retrain"]
    assert len(JOBS) == sum(len(workflow["jobs"]) for workflow in WORKFLOWS.values())


def test_every_action_is_pinned_to_a_commit() -> None:
    """A hash cannot be moved; the version behind it is for people and Dependabot. One action, one version."""
    lines = [
        line.split("uses:")[1].strip() for file in FILES for line in file.read_text().splitlines() if "uses:" in line
    ]
    assert [line for line in lines if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
    assert len({line.split("@")[0] for line in lines}) == len(set(lines)) == 5


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_has_no_rights(name: str) -> None:
    """Each job asks for its own, and is not started by what a stranger sends to a trusted branch."""
    assert WORKFLOWS[name]["permissions"] == {}
    # YAML reads the key `on` as true.
    assert set(WORKFLOWS[name][True]) <= {"pull_request", "push", "schedule", "workflow_dispatch"}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_has_an_end_and_only_its_rights(name: str) -> None:
    """To read the code, or to write the one thing it is for."""
    assert 0 < JOBS[name]["timeout-minutes"] <= 150
    assert JOBS[name]["permissions"] == WRITES.get(name, {"contents": "read"})


def test_a_right_to_write_meets_no_code_of_a_pull_request() -> None:
    """Who comments and who opens issues checks nothing out; who pushes runs no fork's code, or none."""
    checks_out = {name for name, step in STEPS if step.get("uses", "").startswith("actions/checkout@")}
    assert checks_out == {"audit", "test", "report", "renew", "propose", "retrain"}
    assert not any(command.startswith(("make", ".venv")) for command in _commands(_scripts("propose")))
    for job in ("renew", "propose"):
        assert JOBS[job]["steps"][0]["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert "github.event.pull_request.head.repo.full_name == github.repository" in JOBS["comment"]["if"]
    assert "refs/heads/{0}', github.event.repository.default_branch" in JOBS["retrain"]["if"]
    assert "!github.event.repository.fork" in JOBS["retrain"]["if"]
    assert JOBS["retrain"]["environment"] == "retrain"


def test_a_token_is_in_the_steps_that_need_it() -> None:
    """No checkout leaves one on the disk, no cache is shared with other runs, and four steps have one."""
    checkouts = [step["with"] for _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert [options["persist-credentials"] for options in checkouts] == 6 * [False]
    assert not any("cache" in line.split("#")[0] for file in FILES for line in file.read_text().splitlines())
    assert not any("env" in part for part in [*WORKFLOWS.values(), *JOBS.values()])
    secret = re.compile(r"secrets\.\w+|github\.token|steps\.aws")
    found = {f"{name}: {step.get('name')}": set(secret.findall(str(step))) for name, step in STEPS}
    assert {name: names for name, names in found.items() if names} == SECRETS


def test_an_advisory_is_found_without_a_change() -> None:
    """Every change asks, and every week does; what cannot be asked is no pass."""
    assert set(WORKFLOWS["audit"][True]) == {"pull_request", "push", "schedule"}
    assert RUNS["audit: Ask"] == "make audit"
    assert not any("continue-on-error" in part for part in [JOBS["audit"], *JOBS["audit"]["steps"]])


def test_the_week_starts_off_the_hour_and_is_never_cut() -> None:
    """On the hour GitHub is late or drops the run."""
    workflow = WORKFLOWS["weekly-retrain"]
    ((minute, hour, *days),) = [schedule["cron"].split() for schedule in workflow[True]["schedule"]]
    assert int(minute) % 15 != 0
    assert (int(hour), days) == (3, ["*", "*", "1"])
    assert workflow["concurrency"] == {"group": "weekly-retrain", "cancel-in-progress": False}
    (retrain,) = [step for _, step in STEPS if step.get("name") == "Retrain"]
    assert retrain["timeout-minutes"] < JOBS["retrain"]["timeout-minutes"]


@pytest.mark.parametrize("name", RUNS)
def test_no_text_is_put_into_a_script(name: str) -> None:
    """A script is the same in every run; what differs comes through the environment, and in quotes."""
    assert "${{" not in RUNS[name]
    bare = re.sub(r'"[^"]*"|\'[^\']*\'', "", RUNS[name])
    assert re.findall(r"\$\w+|\$\{", bare) == []


def _scripts(job: str) -> str:
    """Return all scripts of a job."""
    return "\n".join(script for name, script in RUNS.items() if name.startswith(f"{job}: "))


def _commands(script: str) -> Iterator[str]:
    """Yield every command of a script with its arguments, as far as the next operator."""
    lexer = shlex.shlex(script.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("();|&"):
            if words:
                yield " ".join(words)
            words = []
        elif words or not (word in {"if", "elif", "then", "else", "fi"} or re.match(r"\w+=", word)):
            words.append(word)


@pytest.mark.parametrize("name", RUNS)
def test_a_script_calls_what_is_tested_here(name: str) -> None:
    """Logic is behind make and `python -m src`."""
    commands = list(_commands(RUNS[name]))
    assert [command for command in commands if not f"{command} ".startswith(COMMANDS)] == []
    assert commands


def test_commands_are_found_wherever_they_stand() -> None:
    """The test above can fail."""
    script = 'if curl a; then b=$(wget c) || true\nfi\necho "$(d)" | bash && x=1 nc\n'
    assert list(_commands(script)) == ["curl a", "wget c", "true", "echo $(d)", "bash", "nc"]


def _lint(command: str, content: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run the line of `make lint` that starts so on another file."""
    (line,) = [line.removeprefix("\t@") for line in MAKEFILE.splitlines() if line.startswith(f"\t@{command}")]
    (tmp_path / "other.yml").write_text(content)
    words = [*line.split()[:-1], "other.yml"]
    return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)


PLANTED = {
    "a title in a script": (
        "run: git diff",
        "run: echo ${{ github.event.pull_request.title }}; git diff",
        "template-injection",
    ),
    "a tag for a hash": ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v6", "unpinned-uses"),
    "a trusted trigger": ("  pull_request:\n", "  pull_request_target:\n", "dangerous-triggers"),
    "a token on the disk": ("persist-credentials: false", "persist-credentials: true", "artipacked"),
    "every right": ("permissions: {}", "permissions: write-all", "excessive-permissions"),
}


@pytest.mark.parametrize(("before", "after", "audit"), PLANTED.values(), ids=PLANTED)
def test_zizmor_finds_what_is_planted(before: str, after: str, audit: str, tmp_path: Path) -> None:
    """It passes the workflow as it is, and fails it with one line changed."""
    assert _lint("zizmor", GOOD, tmp_path).returncode == 0
    found = _lint("zizmor", GOOD.replace(before, after), tmp_path)
    assert found.returncode != 0
    assert audit in found.stdout


def test_the_schema_finds_a_misspelt_key(tmp_path: Path) -> None:
    """GitHub would refuse the file, and say so to nobody."""
    command = "check-jsonschema --quiet --builtin-schema vendor.github-workflows"
    assert _lint(command, GOOD, tmp_path).returncode == 0
    assert _lint(command, GOOD.replace("timeout-minutes", "timeout-minute"), tmp_path).returncode != 0


def test_lint_asks_no_network() -> None:
    """`make test` says the same without one."""
    assert re.findall(r"^\t@zizmor (?!--offline)", MAKEFILE, re.MULTILINE) == []
    assert re.findall(r"^\t@check-jsonschema (?!--quiet --builtin-schema vendor\.)", MAKEFILE, re.MULTILINE) == []
