"""Ensemble: the three fitted members as one graph, and with their weights as one model, a candidate for promotion."""

from btc_signal.graph import MemberGraph
from src.base import paths, storage
from src.base.console import say
from src.base.errors import exit_on_error
from src.base.params import load_params
from src.ml.ensemble import ProductionEnsemble
from src.training.export import build_graph
from src.training.member_files import read_members


def main() -> None:
    """Read the members, join them, write graph and candidate."""
    settings = load_params().ensemble
    members = read_members()
    weights = settings.weights.model_dump()
    graph = MemberGraph(build_graph(members))
    ensemble = ProductionEnsemble(graph, weights=weights, decision_threshold=settings.decision_threshold)
    content = ensemble.to_bytes()
    storage.write_bytes(graph.content, paths.GRAPH)
    storage.write_bytes(content, paths.ENSEMBLE)
    votes = ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
    say("ensemble", f"{votes}; {len(content) / 1e6:.1f} MB")


if __name__ == "__main__":
    with exit_on_error():
        main()
