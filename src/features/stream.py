"""The twelve features bar by bar, by default as the promoted model was trained."""

from collections.abc import Mapping
from typing import Any, Self

from btc_signal import stream
from src.features.promoted import promoted


class FeatureStream(stream.FeatureStream):
    """Makes the features of one closed bar after the other, equal to the rows of `FeatureManager.generate_features`.

    Without `settings`, `Features` or a mapping, or `timeframe`, such as 1h, the promoted model's are taken: what
    serves is what trained.

    Examples
    --------
    >>> stream = FeatureStream()
    >>> stream.missing_bars
    500
    """

    def __init__(self, settings: Any = None, timeframe: str | None = None) -> None:  # noqa: ANN401 - as its parent
        super().__init__(
            promoted("feature_settings") if settings is None else settings,
            promoted("training_info", "data", "timeframe") if timeframe is None else timeframe,
        )

    @classmethod
    def from_state(cls, state: Mapping[str, Any], settings: Any = None, timeframe: str | None = None) -> Self:  # noqa: ANN401
        """Go on where `state` was taken, by default as the promoted model was trained."""
        return super().from_state(state, settings, timeframe)  # type: ignore[arg-type]
