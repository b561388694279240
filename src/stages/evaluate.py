"""Evaluate: scores of the candidate beside what it has to beat, and the points of the plots."""

from btc_signal.catalog import FEATURE_NAMES
from btc_signal.ensemble import ProductionEnsemble
from src.base import paths, storage, tables
from src.base.console import say
from src.base.errors import exit_on_error
from src.base.params import load_params
from src.evaluation.parity import check_parity
from src.evaluation.summary import evaluate
from src.training.member_files import read_members
from src.training.members import MEMBERS, importances


def main() -> None:
    """Read what the stages before made and the candidate; compare, score, trade; write metrics and plots."""
    params = load_params()
    dataset = tables.read_frame(paths.FEATURES)
    out_of_fold = {name: tables.read_frame(paths.out_of_fold(name)) for name in MEMBERS.values()}
    members = read_members()
    candidate = ProductionEnsemble.from_bytes(storage.read_bytes(paths.ENSEMBLE))
    difference = check_parity(candidate, members, dataset[list(FEATURE_NAMES)].to_numpy())
    evaluation = evaluate(
        dataset, tables.read_frame(paths.BARS), out_of_fold, importances(members, candidate.weights), params
    )
    storage.write_json(evaluation.metrics, paths.METRICS)
    for name, points in evaluation.plots.items():
        tables.write_csv(points, paths.plot(name))
    scores = "AUC {roc_auc:.3f}, Brier skill {brier_skill:+.3f}".format(**evaluation.metrics["ensemble"])
    say("evaluate", f"{scores}; graph and members agree to {difference:.0e}")


if __name__ == "__main__":
    with exit_on_error():
        main()
