"""Run the tests in another order: SHUFFLE=WORD, any word, and the same word gives the same order."""

import os
import random

import pytest


class Order:
    """A plugin of every process that tests; a module's tests stay together, as they share what is slow to make."""

    def __init__(self) -> None:
        self.seed = os.environ.get("SHUFFLE", "")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Shuffle the modules, and the tests of each."""
        if self.seed:
            chance = random.Random(self.seed)  # noqa: S311 - to repeat it is the point
            modules = sorted({item.path for item in items})
            chance.shuffle(modules)
            place = {module: number for number, module in enumerate(modules)}
            chance.shuffle(items)
            items.sort(key=lambda item: place[item.path])

    def pytest_report_header(self) -> list[str]:
        """Say which."""
        return [f"order: SHUFFLE={self.seed}"] if self.seed else []

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Say how to have it again."""
        # What is left behind is seen after the status was given.
        if self.seed and (exitstatus or terminalreporter.stats.get("failed")):
            terminalreporter.write_line(f"this order again: SHUFFLE={self.seed} make test")
