"""The workflows as YAML reads them."""

from typing import Any

import yaml

from src.base import paths

FILES = sorted((paths.ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS: dict[str, dict[Any, Any]] = {file.stem: yaml.safe_load(file.read_text()) for file in FILES}
JOBS: dict[str, dict[str, Any]] = {
    name: job for workflow in WORKFLOWS.values() for name, job in workflow["jobs"].items()
}
STEPS: list[tuple[str, dict[str, Any]]] = [(name, step) for name, job in JOBS.items() for step in job["steps"]]
RUNS: dict[str, str] = {f"{name}: {step['name']}": step["run"] for name, step in STEPS if "run" in step}
