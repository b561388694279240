"""Write the report page: one file without network, from what the pipeline and the commands left in reports/."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from src.base import paths, storage
from src.gate.compare_report import decided
from src.gate.gate_report import headline as gate_says
from src.gate.gate_report import in_words
from src.monitoring.drift import drifts_of
from src.monitoring.monitor_report import headline as monitor_says
from src.page import figures, rows
from src.page.evidence import Evidence, read_evidence

HERE = Path(__file__).parent


def write_page() -> Path:
    """Write reports/index.html and return its path; `ProjectError` if the pipeline must be reproduced first."""
    storage.write_bytes(render(read_evidence()).encode(), paths.PAGE)
    return paths.PAGE


def render(evidence: Evidence) -> str:
    """Return the page; equal evidence gives equal bytes, and every value is escaped."""
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.j2").render(
        evidence=evidence,
        metrics=evidence.metrics,
        sentences=in_words(evidence.metrics),
        figures=figures.build(evidence),
        tables=_tables(evidence),
        gate_says=evidence.gate and gate_says(evidence.gate),
        is_judged=evidence.gate is not None and evidence.gate["candidate"] == evidence.candidate,
        decided=decided,
        monitor_says=evidence.monitor and monitor_says(evidence.monitor),
        production=_production(evidence),
        script=Markup(script),  # noqa: S704 - ours and Vega's, no value in it
        script_digest=digest,
    )


@cache
def _script() -> str:
    """Return Vega and what draws the charts; to join them takes a second."""
    return vl_convert.javascript_bundle((HERE / "draw.js").read_text())


def _tables(evidence: Evidence) -> dict[str, rows.Table]:
    """Return the tables by name; those of the gate, the champion and the drift only if somebody asked."""
    found = {
        "scores": rows.scores(evidence.metrics),
        "differences": rows.differences(evidence.metrics),
        "trading": rows.trading(evidence.metrics),
        "quality": rows.quality(evidence.quality),
        "provenance": rows.pairs("Where this comes from", ("what", "which"), _provenance(evidence)),
        "libraries": rows.pairs("Versions installed", ("library", "version"), evidence.libraries),
    }
    if evidence.gate:
        found["gate"] = rows.rules(evidence.gate)
        if comparison := evidence.gate["comparison"]:
            found |= {"champion": rows.champion(comparison), "parts": rows.parts(comparison)}
    if evidence.monitor and (drift := drifts_of(evidence.monitor)):
        found["drift"] = rows.drift(drift)
    return found


def _provenance(evidence: Evidence) -> dict[str, str]:
    """Return what one needs to make the same again."""
    changed = f", and changes in {evidence.n_changed} paths" if evidence.n_changed else ""
    return {
        "commit": f"{evidence.commit}{changed}",
        "bars": f"{evidence.quality['first_open']} to {evidence.quality['last_open']}",
        "bars scored": f"{evidence.metrics['window']['first_open']} to {evidence.metrics['window']['last_open']}",
        "candidate": evidence.candidate,
        **{name: f"md5:{md5}" for name, md5 in evidence.digests.items()},
    }


def _production(evidence: Evidence) -> dict[str, Any] | None:
    """Return version and day of the model in production, and whether it is the candidate; None before the first."""
    if evidence.metadata is None:
        return None
    is_candidate = evidence.metadata["version_control"]["model_hash"] == evidence.candidate
    return {"is_candidate": is_candidate} | {key: evidence.metadata[key] for key in ("version", "created_at")}
