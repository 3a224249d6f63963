"""How dbt is run: in a process of its own that may be started early, with every result streamed as it comes.

Belongs here: starting, ordering, stopping that process, and what its failure means. What runs inside is `dbt_process`;
what a result means to Dagster is `dbt_assets`. Nothing here imports dbt or Dagster: a command starts dbt before both.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.settings import PASSAGE_DIR, PRIVATE_FILE, PROJECT, Home, Settings, make_directory
from pipelines.warehouse import unfinished
from pipelines.warehouse.holder import in_use

DBT_PROJECT = PROJECT / "dbt_project"
BUILD = ("build", "--exclude-resource-type", "unit_test")
_PROGRAM = Path(__file__).with_name("dbt_process.py")
# The process ends without tidying up; the semaphores that dbt made are freed by Python's tracker, which says so.
_LEFT_TO_THE_SYSTEM = "ignore::UserWarning:multiprocessing.resource_tracker"
_SECONDS_TO_STOP = 10
_WORDS_KEPT = 4_000


class DbtFailed(Exception):
    """dbt did not do what it was asked to. Names the models and checks, and what the database said."""


class Dbt:
    """dbt for one home. `start` it early and it is ready when `build` is called; a process serves one build."""

    def __init__(self, settings: Settings, project: Path = DBT_PROJECT) -> None:
        self.home: Home = settings.home
        self.project = project
        self.target = self.home.dbt / "target"  # always the same: what a night writes replaces what the last one wrote
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self.parses_into: Path | None = None

    @property
    def started(self) -> bool:
        """Whether it waits for a build, or will when it has read the project."""
        return self._process is not None

    def start(self, parse_into: Path | None = None) -> None:
        """Have dbt imported and the project read in the background. Its dates are not known yet, and not needed.

        With `parse_into` it writes the manifest there, and `parsed` says when it has.
        """
        if self._process is None:
            self._process, self.parses_into = self._spawn(parse_into), parse_into

    def parsed(self) -> None:
        """Wait for the manifest that it was started for. Raises DbtFailed with what dbt does not understand."""
        process, outcome = self._process, None
        assert process is not None and self.parses_into is not None, "it was not started for a manifest"
        self.parses_into = None
        if line := process.stdout.readline():
            outcome = json.loads(line)["parsed"]
        if outcome is None or not outcome["success"]:
            self.close()
        self._judge(outcome, process.returncode)

    def build(self, first: date, last: date, selection: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Build and test every model for the dates from `first` to `last`, or those of `selection` (arguments of dbt).

        Yields the result of each node as dbt tells it, with the number of `rows`. Raises DbtFailed at the end where
        a model or a check of severity error failed; what was built before stays built, and in doubt (`unfinished`).
        Closing the iterator stops dbt.
        """
        self.start()
        unfinished.begin(self.home, first)
        process, self._process = self._process, None
        assert process is not None
        order = {
            "args": [*BUILD, *selection],
            "env": {"ZHONGTAI_FROM": first.isoformat(), "ZHONGTAI_TO": last.isoformat()},
        }
        outcome = None
        try:
            with suppress(BrokenPipeError):  # it died while it waited; reading says how
                process.stdin.write(json.dumps(order) + "\n")
                process.stdin.flush()
            for line in process.stdout:
                message = json.loads(line)
                if "finished" in message:
                    outcome = message["finished"]
                else:
                    yield message
        finally:
            _end(process, done=outcome is not None)
        self._judge(outcome, process.returncode)
        if outcome["whole"]:  # a part that held says nothing of the rest
            unfinished.finish(self.home, first)

    def close(self) -> None:
        """Stop a process that was started and not used."""
        process, self._process, self.parses_into = self._process, None, None
        if process is not None:
            _end(process, done=False)

    def _spawn(self, parse_into: Path | None) -> subprocess.Popen[str]:
        make_directory(self.home.path, PASSAGE_DIR)
        for directory in (self.home.dbt, self.target, self.home.warehouse.parent):
            make_directory(directory)
        errors = os.open(self._errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, PRIVATE_FILE)
        try:
            # -P: the directory of the program is no place to import from. A session of its own: an interrupt from the
            # terminal reaches this process, which then stops dbt.
            return subprocess.Popen(
                [sys.executable, "-P", "-W", _LEFT_TO_THE_SYSTEM, str(_PROGRAM), str(self.project), str(self.target),
                 *([str(parse_into)] if parse_into else [])],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8",
                env=self._environment(), umask=0o077, start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(errors)

    @property
    def _errors(self) -> Path:
        return self.home.dbt / "stderr.log"

    def _environment(self) -> dict[str, str]:
        """That of this process without what would steer dbt, and without the vault's key."""
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(("DBT_", "ZHONGTAI_"))}
        return inherited | {
            "ZHONGTAI_HOME": str(self.home.path),
            "ZHONGTAI_THREADS": str(self._settings.threads),
            "ZHONGTAI_MEMORY_LIMIT": self._settings.memory_limit,
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        }

    def _judge(self, outcome: dict[str, Any] | None, code: int) -> None:
        if outcome is None:
            how = f"was stopped by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            words = self._errors.read_text(errors="replace")[-_WORDS_KEPT:].strip()
            raise DbtFailed(f"dbt {how} before it was done" + (f":\n{words}" if words else ""))
        if not outcome["success"]:
            words = _reasons(outcome)
            if "Out of Memory Error" in words:
                words += (
                    f"\nDuckDB may use {self._settings.memory_limit}: let it use more by ZHONGTAI_MEMORY_LIMIT, or "
                    "work on less at a time by ZHONGTAI_THREADS, and run the same again: it goes on from there"
                )
            raise DbtFailed(in_use(self.home.warehouse, words) or words)


def _reasons(outcome: dict[str, Any]) -> str:
    lines = [outcome["exception"]] if outcome["exception"] else []
    for node in outcome["broken"]:
        kind, _, name = node["unique_id"].split(".")[:3]
        # DuckDB's solutions are settings of DuckDB, which nobody here sets; dbt's first line only repeats the model.
        message = (node["message"] or node["status"]).partition("Possible solutions:")[0]
        said = [line for line in message.splitlines() if line.strip() and name not in line]
        lines.append(f"{kind} {name} ({node['path']}): " + "\n".join(said or [node["status"]]).strip())
        if kind == "test" and node["compiled"]:
            lines.append(f"  its query: {node['compiled']}")
    if outcome["skipped"]:
        lines.append(f"{outcome['skipped']} models and checks that follow from them were skipped")
    return "\n".join(lines) or "dbt failed without saying why"


def _end(process: subprocess.Popen[str], *, done: bool) -> None:
    """See the process out; one that is not done is stopped, and DuckDB undoes what it had not committed."""
    with suppress(BrokenPipeError):
        process.stdin.close()
    if not done:
        process.terminate()
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
