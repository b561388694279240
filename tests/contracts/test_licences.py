"""What the locks install is listed with its licence, and every licence is one that may be used."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts import sbom
from src.base import paths

RULES = tomllib.loads(paths.PROJECT.read_text())["tool"]["licences"]
SERVING = paths.ROOT / sbom.USERS["serve"]
PINS = {name: version for lock in sbom.USERS.values() for name, version in sbom.read_pins(lock).items()}
ALLOWED = RULES | {"allowed": ["MIT", "Apache-2.0"], "excepted": []}


@pytest.fixture(scope="module")
def words() -> dict[str, tuple[str, str]]:
    """What everything that is installed here says of its licence."""
    return sbom.read_words()


def test_both_files_are_what_the_locks_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who changed a lock forgot `make sbom` otherwise. No clock is in them, though one be offered."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for path, text in sbom.documents().items():
        assert path.read_text() == text, f"{path.name} is stale; run `make sbom`"


def test_the_bill_is_cyclonedx() -> None:
    """By the schema of the standard, which comes with the library; one wrong word fails it."""
    # Two seconds to import, which every process that collects tests would take.
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    bill = JsonStrictValidator(SchemaVersion.V1_6)
    text = sbom.SBOM.read_text()
    assert bill.validate_str(text) is None
    assert bill.validate_str(text.replace('"type": "library"', '"type": "book"', 1)) is not None
    assert bill.validate_str(text.replace('"id": "MIT"', '"id": "MTI"', 1)) is not None


def test_the_bill_lists_the_serving_set_and_nothing_else() -> None:
    """Each with all hashes of its lock, and reached from the project by who requires whom."""
    bill = json.loads(sbom.SBOM.read_text())
    blocks = re.findall(r"^([a-z0-9-]+)==(\S+)((?:.*\\\n)*.*)", SERVING.read_text(), re.MULTILINE)
    listed = {part["purl"]: {item["content"] for item in part["hashes"]} for part in bill["components"]}
    assert listed == {
        f"pkg:pypi/{name}@{version}": set(re.findall(r"sha256:(\w+)", rest)) for name, version, rest in blocks
    }
    assert all(listed.values())
    children = {part["ref"]: set(part.get("dependsOn", [])) for part in bill["dependencies"]}
    reached: set[str] = set()
    waiting = {sbom.PROJECT}
    while waiting:
        reached |= waiting
        waiting = set().union(*(children[name] for name in waiting)) - reached
    assert reached == set(children) == {name for name, *_ in blocks} | {sbom.PROJECT}


def test_the_bill_says_who_requires_whom() -> None:
    """As the packages themselves say, where no extra and no other system is in play."""
    children = {part["ref"]: part["dependsOn"] for part in json.loads(sbom.SBOM.read_text())["dependencies"]}
    assert children["ta-lib"] == ["numpy"]
    assert children["markdown-it-py"] == ["mdurl"]
    assert children["pandas"] == ["numpy", "python-dateutil"]
    assert {"numpy", "onnxruntime", "typer"} <= set(children[sbom.PROJECT])


def test_no_rule_is_left_over(words: dict[str, tuple[str, str]]) -> None:
    """What is read or excepted by name is still locked, still in those words, still under that licence."""
    read = {(name, said) for said, names in RULES["read"].items() for name in names}
    assert {name for name, _ in read} - set(PINS) == set()
    assert read - {(name, said) for name, (_, said) in words.items()} == {
        (name, "not installed") for name in RULES["read"]["not installed"]
    }
    assert {said for _, said in words.values()} >= set(RULES["words"])
    licences = sbom.licences(PINS, words, RULES)
    assert {(rule["name"], rule["licence"]) for rule in RULES["excepted"]} - set(licences.items()) == set()


def test_a_licence_that_is_not_allowed_ends_in_an_error(tmp_path: Path) -> None:
    """All of them are named at once, with what they are, and nothing is written."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(sbom.__file__, tmp_path / "scripts")
    for lock in sbom.USERS.values():
        shutil.copy(paths.ROOT / lock, tmp_path)
    project = paths.PROJECT.read_text()
    (tmp_path / "pyproject.toml").write_text(
        project.replace('"NCSA", ', "").replace('name = "grandalf"', 'name = "six"')
    )
    command = [sys.executable, "scripts/sbom.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "error: expected licences that pyproject.toml, section tool.licences, allows or names, "
        "got arch (NCSA), grandalf (GPL-2.0-only OR EPL-1.0)\n"
    )
    assert not (tmp_path / "sbom.cdx.json").exists()


def test_a_package_of_which_nothing_is_known_ends_in_an_error() -> None:
    """Neither installed here nor read by people."""
    with pytest.raises(SystemExit, match=r"got nobody-wrote-this \(not installed\)$"):
        sbom.licences({"nobody-wrote-this": "1.0"}, {}, RULES)


def test_an_exception_is_for_one_licence_of_one_package() -> None:
    """It ends where the package changes its licence."""
    excepted = {"name": "zc-lockfile", "licence": "ZPL-2.1", "reason": "it is"}
    words = {"zc-lockfile": ("4.0", "Zope Public License")}
    assert sbom.licences({"zc-lockfile": "4.0"}, words, RULES | {"excepted": [excepted]}) == {"zc-lockfile": "ZPL-2.1"}
    with pytest.raises(SystemExit, match=r"got zc-lockfile \(ZPL-2\.1\)$"):
        sbom.licences({"zc-lockfile": "4.0"}, words, RULES | {"excepted": [excepted | {"licence": "ZPL-2.0"}]})


def test_another_version_than_locked_ends_in_an_error() -> None:
    """Its licence may be another, too."""
    with pytest.raises(SystemExit, match=r"expected numpy 0\.1 as locked, 2\.0 is installed; run"):
        sbom.licences({"numpy": "0.1"}, {"numpy": ("2.0", "MIT")}, RULES)


SAID = {
    "an expression": ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
    "words that leave no doubt": ("Apache Software License", "Apache-2.0"),
    "words that leave doubt": ("BSD License", None),
    "two, one of them allowed": ("MIT License; GNU General Public License v3 (GPLv3)", None),
    "nothing": ("UNKNOWN", None),
}


@pytest.mark.parametrize(("said", "licence"), SAID.values(), ids=SAID)
def test_words_are_believed_where_they_leave_no_doubt(said: str, licence: str | None) -> None:
    """The rest people read."""
    if licence:
        assert sbom.licences({"a": "1"}, {"a": ("1", said)}, ALLOWED) == {"a": licence}
    else:
        with pytest.raises(SystemExit, match=re.escape(f"got a ({said})")):
            sbom.licences({"a": "1"}, {"a": ("1", said)}, ALLOWED)


def test_what_people_read_ends_with_the_words_it_was_read_for() -> None:
    """They read one licence file, and the next words may stand for another."""
    rules = ALLOWED | {"read": {"see LICENSE": {"a": "MIT"}}}
    assert sbom.licences({"a": "1"}, {"a": ("1", "see LICENSE")}, rules) == {"a": "MIT"}
    with pytest.raises(SystemExit, match=r"got a \(GPL-3\.0-only\)$"):
        sbom.licences({"a": "1"}, {"a": ("1", "GPL-3.0-only")}, rules)
    with pytest.raises(SystemExit, match=r"got b \(see LICENSE\)$"):
        sbom.licences({"b": "1"}, {"b": ("1", "see LICENSE")}, rules)


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND (Apache-2.0 OR GPL-3.0-only)", True),
        ("GPL-2.0-only WITH GCC-exception-2.0", False),
    ],
)
def test_a_choice_may_be_made_and_a_sum_must_be_kept(expression: str, allowed: bool) -> None:  # noqa: FBT001 - a case
    """OR lets users choose, AND does not."""
    assert sbom.is_allowed(expression, ["MIT", "Apache-2.0"]) is allowed
