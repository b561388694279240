"""What the promoted model was trained with. Light enough for a bot: no pandas, no pydantic."""

from typing import Any

from src.base import paths, storage
from src.base.errors import DataError


def promoted(*keys: str) -> Any:  # noqa: ANN401 - whatever the metadata hold there
    """Return the value that the promoted model's metadata hold under `keys`, one inside the other.

    `DataError` if no model was promoted, or its metadata lack the keys.
    """
    if not paths.METADATA.exists():
        msg = f"no model was promoted whose {keys[-1]} could be taken; pass those of params.yaml, or promote a model"
        raise DataError(msg)
    value: Any = storage.read_json(paths.METADATA)
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            msg = f"{paths.relative(paths.METADATA)}: no valid {'.'.join(keys)}; restore it with `git checkout`"
            raise DataError(msg)
        value = value[key]
    return value
