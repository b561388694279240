"""What the locks install is listed with its licence, and every licence is one that may be used."""

import json
import tomllib
from email.message import Message

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts import sbom
from src.base import paths

RULES = tomllib.loads(paths.PROJECT.read_text())["tool"]["licences"]
PINS = {name: pin for lock in sbom.USERS.values() for name, pin in sbom.read_pins(lock).items()}
CYCLONEDX = JsonStrictValidator(SchemaVersion.V1_6)


@pytest.fixture(scope="module")
def licence_of() -> dict[str, str]:
    """The licence of everything that users install."""
    return sbom.licences(PINS, RULES)


def test_both_files_are_what_the_locks_say() -> None:
    """Who changed a lock forgot `make sbom` otherwise."""
    for path, text in sbom.documents().items():
        assert path.read_text() == text, f"{path.name} is stale; run `make sbom`"


def test_the_bill_is_cyclonedx() -> None:
    """By the schema of the standard, which comes with the library; one wrong word fails it."""
    text = sbom.SBOM.read_text()
    assert CYCLONEDX.validate_str(text) is None
    assert CYCLONEDX.validate_str(text.replace('"type": "library"', '"type": "book"', 1)) is not None
    assert CYCLONEDX.validate_str(text.replace('"id": "MIT"', '"id": "MTI"', 1)) is not None


def test_the_bill_lists_the_serving_set_and_nothing_else() -> None:
    """Each with all hashes of its lock, and reached from the project by who requires whom."""
    bill = json.loads(sbom.SBOM.read_text())
    pins = sbom.read_pins(sbom.SERVING)
    listed = {part["purl"]: {item["content"] for item in part["hashes"]} for part in bill["components"]}
    assert listed == {f"pkg:pypi/{name}@{pin.version}": set(pin.hashes) for name, pin in pins.items()}
    children = {part["ref"]: set(part.get("dependsOn", [])) for part in bill["dependencies"]}
    reached: set[str] = set()
    waiting = {sbom.PROJECT}
    while waiting:
        reached |= waiting
        waiting = set().union(*(children[name] for name in waiting)) - reached
    assert reached == set(pins) | {sbom.PROJECT}


def test_no_rule_is_left_over(licence_of: dict[str, str]) -> None:
    """What is read or excepted by name is still locked, under that licence."""
    assert set(RULES["read"]) - set(PINS) == set()
    assert {(rule["name"], rule["licence"]) for rule in RULES["excepted"]} - set(licence_of.items()) == set()


def test_a_licence_that_is_not_allowed_ends_in_an_error() -> None:
    """All of them are named at once, with what they are."""
    pins = {name: PINS[name] for name in ("pandas", "typer", "pyyaml")}
    with pytest.raises(SystemExit, match=r"^error: .* tool\.licences.* got pyyaml \(MIT\), typer \(MIT\)$"):
        sbom.licences(pins, RULES | {"allowed": ["BSD-3-Clause"]})


def test_a_package_of_which_nothing_is_known_ends_in_an_error() -> None:
    """Neither installed here nor read by people."""
    with pytest.raises(SystemExit, match=r"got nobody-wrote-this \(unknown\)$"):
        sbom.licences({"nobody-wrote-this": sbom.Pin("1.0", [], [])}, RULES)


def test_an_exception_is_for_one_licence_of_one_package() -> None:
    """It ends where the package changes its licence."""
    rules = RULES | {"excepted": [{"name": "zc-lockfile", "licence": "ZPL-2.0", "reason": "it was"}]}
    with pytest.raises(SystemExit, match=r"got zc-lockfile \(ZPL-2\.1\)$"):
        sbom.licences({"zc-lockfile": PINS["zc-lockfile"]}, rules)


def test_another_version_than_locked_ends_in_an_error() -> None:
    """Its licence may be another, too."""
    with pytest.raises(SystemExit, match=rf"expected numpy 0\.1 as locked, {PINS['numpy'].version} is installed; run"):
        sbom.licences({"numpy": sbom.Pin("0.1", [], [])}, RULES)


STATED = {
    "an expression": ([("License-Expression", "mit or apache-2.0")], "MIT OR Apache-2.0"),
    "words that leave no doubt": ([("License", "Apache License, Version 2.0")], "Apache-2.0"),
    "a classifier": ([("License", "see LICENSE"), ("Classifier", "License :: OSI Approved :: MIT License")], "MIT"),
    "words that leave doubt": ([("License", "BSD"), ("Classifier", "License :: OSI Approved :: BSD License")], None),
    "two that differ": ([("Classifier", "License :: MIT License"), ("Classifier", "License :: ISC License")], None),
    "nothing": ([], None),
}


@pytest.mark.parametrize(("fields", "licence"), STATED.values(), ids=STATED)
def test_metadata_are_believed_where_they_leave_no_doubt(
    fields: list[tuple[str, str]], licence: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest people read."""
    about = Message()
    for field in [("Version", "1.0"), *fields]:
        about.add_header(*field)
    monkeypatch.setattr(sbom, "metadata", lambda _: about)
    assert sbom.stated("anything", "1.0") == licence


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
    assert sbom.is_allowed(sbom.SPDX.parse(expression), ["MIT", "Apache-2.0"]) is allowed
