"""The engine says nothing by itself, wherever it runs."""

from __future__ import annotations

import subprocess
import sys

_WORKER = """
from pathlib import Path
from pipelines.ingest.engine import open_engine, workbench
from pipelines.settings import Settings
with open_engine(Settings(home_dir=Path("home"), bank="simbank", threads=1)) as engine, workbench(engine) as bench:
    for con in (engine, bench):
        assert con.execute("select current_setting('enable_progress_bar')").fetchall() == [(False,)]
"""


def test_no_progress_is_drawn_into_the_log_of_a_worker(tmp_path):
    run = subprocess.run([sys.executable, "-c", _WORKER], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout + run.stderr == ""
