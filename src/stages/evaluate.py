"""Evaluate: scores of the candidate beside what it has to beat, and the points of the plots."""

from src import paths, storage
from src.console import say
from src.errors import exit_on_error
from src.evaluation.evaluate import evaluate
from src.ml.ensemble import ProductionEnsemble
from src.ml.members import MEMBERS, importances
from src.params import load_params


def main() -> None:
    """Read features, out-of-fold probabilities and the candidate; score them; write metrics and plots."""
    params = load_params()
    dataset = storage.read_frame(paths.FEATURES)
    out_of_fold = {name: storage.read_frame(paths.out_of_fold(name)) for name in MEMBERS.values()}
    candidate = ProductionEnsemble.from_bytes(storage.read_bytes(paths.ENSEMBLE))
    evaluation = evaluate(
        dataset,
        out_of_fold,
        importances(candidate.models, candidate.weights),
        split=params.split,
        label=params.label,
        settings=params.ensemble,
    )
    storage.write_json(evaluation.metrics, paths.METRICS)
    for name, points in evaluation.plots.items():
        storage.write_csv(points, paths.plot(name))
    say("evaluate", "AUC {roc_auc:.3f}, Brier skill {brier_skill:+.3f}".format(**evaluation.metrics["ensemble"]))


if __name__ == "__main__":
    with exit_on_error():
        main()
