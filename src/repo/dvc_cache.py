"""Where DVC keeps its objects, as its settings say: of the repository, of this clone, of the user or of the machine."""

from pathlib import Path

from dvc.config import Config
from dvc.exceptions import DvcException

from src.base.errors import PromotionError


def cache_folder(root: Path) -> Path:
    """Return the folder of the cache; `PromotionError` if DVC cannot read its settings.

    Its settings alone are asked: to open the whole repository takes longer, and fails where more is broken.
    """
    try:
        config = Config(str(root / ".dvc"))
        remote = config["cache"].get("local")
        named = config["remote"][remote]["url"] if remote else config["cache"].get("dir")
    except (DvcException, KeyError, OSError) as error:
        msg = f"DVC cannot read its settings ({' '.join(str(error).split())}); repair .dvc/config or .dvc/config.local"
        raise PromotionError(msg) from error
    return Path(named or root / ".dvc" / "cache")


def object_file(cache: Path, digest: str) -> Path:
    """Return where in a cache the object of this md5 lies, or would."""
    return cache / "files" / "md5" / digest[:2] / digest[2:]
