"""Links to releases: whose they are, and where they lead."""

import pytest

from src.base.errors import PromotionError
from src.release.deploy import roll_back
from tests.folders import held, names, served


@pytest.mark.parametrize("link", ["production", "production.previous"])
@pytest.mark.parametrize("to", ["../elsewhere", "releases/latest", "production", "releases/../../elsewhere/1.0.0"])
def test_a_link_to_elsewhere_is_not_replaced(link, to, put_version, srv):
    """Refused before anything changes, by a roll back, too."""
    put_version("1.0.0")
    put_version("1.0.1")
    (srv / link).unlink()
    (srv / link).symlink_to(to)
    before = held(srv)
    with pytest.raises(PromotionError, match=f"{link} is a link to .*; expected a link to a release, or nothing"):
        put_version("1.0.2")
    with pytest.raises(PromotionError, match="expected a link to a release, or nothing"):
        roll_back(srv, "production")
    assert held(srv) == before


def test_a_link_of_somebody_keeps_its_release(put_version, srv):
    """Whoever made it."""
    put_version("1.0.0")
    (srv / "canary").symlink_to(srv / "releases" / "1.0.0")
    for patch in range(1, 5):
        put_version(f"1.0.{patch}")
    assert names(srv / "releases") == ["1.0.0", "1.0.2", "1.0.3", "1.0.4"]


def test_a_folder_behind_a_link(put_version, srv, tmp_path):
    """It is used as any other."""
    (tmp_path / "disk").mkdir()
    srv.symlink_to("disk")
    for patch in range(4):
        put_version(f"1.0.{patch}")
    assert names(tmp_path / "disk" / "releases") == ["1.0.1", "1.0.2", "1.0.3"]


def test_releases_behind_a_link(put_version, srv, tmp_path):
    """Two folders may share them: none is removed, which is said where one would be."""
    (tmp_path / "disk").mkdir()
    srv.mkdir()
    (srv / "releases").symlink_to(tmp_path / "disk")
    assert [put_version(f"1.0.{patch}") for patch in range(3)] == [[], [], []]
    (warning,) = put_version("1.0.3")
    assert "releases is a link, others may use its releases; 1.0.0 stay" in warning
    assert names(tmp_path / "disk") == ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]


def test_rolled_back_by_somebody_else_meanwhile(put_version, srv):
    """Who wants away from a version does not come back to it."""
    put_version("1.0.0")
    put_version("1.0.1")
    assert roll_back(srv, "production", away_from="1.0.1") == "1.0.0"
    with pytest.raises(PromotionError, match=r"serves 1\.0\.0 and no longer 1\.0\.1; nothing was changed"):
        roll_back(srv, "production", away_from="1.0.1")
    assert served(srv) == "1.0.0"
