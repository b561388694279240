"""Featurize: the twelve features and the label of every bar that has both."""

from btc_signal.catalog import TARGET
from src.base import paths, tables
from src.base.console import say
from src.base.errors import exit_on_error
from src.base.params import load_params
from src.features.feature_manager import build_dataset


def main() -> None:
    """Read bars, compute the twelve features and the label, write."""
    params = load_params()
    dataset = build_dataset(tables.read_frame(paths.BARS), params.features, params.label)
    tables.write_frame(dataset, paths.FEATURES)
    n_rows, n_features = dataset.drop(columns=TARGET).shape
    say("featurize", f"{n_rows:,} rows of {n_features} features, {dataset[TARGET].mean():.1%} of them a rise")


if __name__ == "__main__":
    with exit_on_error():
        main()
