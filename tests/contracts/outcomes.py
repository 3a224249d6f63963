"""A pytest plugin that writes how each test ended, by its id, to the file that the environment names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

_ENDED: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the outcome of the test itself; a fixture that fails is an error."""
    if report.when == "call":
        _ENDED[report.nodeid] = report.outcome
    elif report.failed:
        _ENDED.setdefault(report.nodeid, "error")


def pytest_sessionfinish() -> None:
    """Write what was kept."""
    Path(os.environ["OUTCOMES"]).write_text(json.dumps(_ENDED), encoding="utf-8")
