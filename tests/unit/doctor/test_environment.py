"""What is said of an environment that was never made, is another one, or is half there."""

import sys
from pathlib import Path

import pytest

from src.base import paths
from src.doctor import environment
from src.doctor.check import fail, ok
from src.verdict.finding import Finding

LOCK = """\
This_lock_is_for_Python_3.11==0 ; python_full_version >= '3.12' or sys_platform != 'linux' --hash=sha256:00
one-package==1.2.0 ; python_full_version < '3.12' and (sys_platform == 'darwin' or sys_platform == 'linux') \\
    --hash=sha256:00
    # via pyproject.toml
Two.Package==2.0 \\
    --hash=sha256:00
of-another-system==1.0 ; python_full_version < '3.12' and sys_platform == '{other}' \\
    --hash=sha256:00
"""
OTHER = "darwin" if sys.platform == "linux" else "linux"


def install(site: Path, name: str, version: str) -> Path:
    """Put a package of one file where pip would; return that file."""
    (site / name).mkdir()
    (site / name / "code.py").write_text("1\n")
    about = site / f"{name}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("")
    (about / "RECORD").write_text(f"{name}/code.py,sha256=x,2\n{name}/__pycache__/code.pyc,,9\n{about.name}/RECORD,,\n")
    return site / name / "code.py"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The packages of a repository's .venv, which are as locked."""
    (tmp_path / "requirements.lock").write_text(LOCK.format(other=OTHER))
    (tmp_path / ".python-version").write_text(f"{sys.version_info[0]}.{sys.version_info[1]}\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    (tmp_path / ".venv" / "pyvenv.cfg").write_text(f"home = {sys.base_prefix}/bin\n")
    (tmp_path / ".venv" / "bin" / "dvc").write_text("#!/bin/sh\n")
    (tmp_path / ".venv" / "bin" / "dvc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / '.venv' / 'bin'}:/usr/bin:/bin")
    site = tmp_path / ".venv" / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    install(site, "one_package", "1.2.0")
    install(site, "two.package", "2.0")
    return site


def seen(root: Path) -> Finding:
    (line,) = environment.Environment(root).findings()
    return line


def test_as_locked(site: Path, tmp_path: Path) -> None:
    """However a name is spelled; what is for another system is not asked for, and what is besides does not matter."""
    install(site, "besides", "3.0")
    assert seen(tmp_path) == ok("environment", "2 packages as locked, in .venv")


def test_another_version(site: Path, tmp_path: Path) -> None:
    """Installed over; the stamp of make says nothing of what pip did since."""
    (site / "one_package-1.2.0.dist-info").rename(site / "one_package-1.3.0.dist-info")
    line = seen(tmp_path)
    assert line.words == "1 of 2 packages are not as locked: one-package 1.3.0, not 1.2.0"
    assert line.command == "rm -f .venv/.requirements && make .venv/.requirements"


def test_missing(site: Path, tmp_path: Path) -> None:
    """A package that was removed."""
    for file in (site / "two.package-2.0.dist-info").iterdir():
        file.unlink()
    (site / "two.package-2.0.dist-info").rmdir()
    assert "two-package missing, not 2.0" in seen(tmp_path).words


@pytest.mark.parametrize("text", [None, "", "1"], ids=["gone", "empty", "cut off"])
def test_half_installed(text: str | None, site: Path, tmp_path: Path) -> None:
    """Pip takes a package that says it is there for one that is; only a new environment mends that."""
    file = site / "one_package" / "code.py"
    file.unlink()
    if text is not None:
        file.write_text(text)
    line = seen(tmp_path)
    assert line.words == "one-package: files of an installed package are missing or cut off"
    assert line.command == "rm -rf .venv && make .venv/.requirements"


def test_another_python(site: Path, tmp_path: Path) -> None:
    """The one that .python-version names is expected."""
    (tmp_path / ".python-version").write_text("3.7\n")
    line = seen(tmp_path)
    assert (line.verdict, line.words) == ("failed", f"expected Python 3.7, .venv is 3.{sys.version_info[1]}")
    assert line.command == environment.ANEW


@pytest.mark.parametrize("text", [None, "", "#!/bin/sh\necho broken >&2\nexit 1\n"], ids=["gone", "empty", "broken"])
def test_a_python_that_does_not_start(text: str | None, site: Path, tmp_path: Path) -> None:
    """As after an update of the system's Python."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.unlink()
    if text is not None:
        python.write_text(text)
        python.chmod(0o755)
    line = seen(tmp_path)
    assert (line.verdict, line.command) == ("failed", environment.ANEW)
    assert ".venv does not start" in line.words


def test_no_environment_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a Python that has nothing."""
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda _: None)
    assert seen(tmp_path) == fail(
        "environment", "there is no .venv, and this Python has no DVC", "make .venv/.requirements"
    )


def test_no_lock(site: Path, tmp_path: Path) -> None:
    """Git has it."""
    (tmp_path / "requirements.lock").unlink()
    assert seen(tmp_path).command == "git checkout HEAD -- requirements.lock"


def test_a_shell_of_another_environment(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands that follow would be another environment's."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    _, line = environment.Environment(tmp_path).findings()
    assert (line.verdict, line.command) == ("told", "source .venv/bin/activate")


def test_the_lock_of_this_repository() -> None:
    """Every line that pins is read."""
    text = (paths.ROOT / "requirements.lock").read_text()
    pinned = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
    assert len(pinned) - 2 <= len(environment.pins_of(text)) <= len(pinned)
    assert environment.pins_of(text)["dvc"].startswith("3.")
