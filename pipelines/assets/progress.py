"""The logger of a run on the command line: a line per step, in words, on standard error."""

import logging
import sys
import time

import dagster as dg

_WORDS = {
    "ingest": "landing deliveries",
    "control": "writing what dbt is told",
    "identity": "resolving parties",
    "relations": "relating parties",
    "warehouse": "building and testing marts",
    "release__candidate": "projecting products",
    "release__evidence": "auditing the candidate",
    "release__release": "publishing",
    "release__documents": "writing what people read of it",
}


@dg.logger(description="A line per step on standard error; errors are told by the command itself.")
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """A logger of its own, so that nothing of Dagster's own log reaches the terminal."""
    logger = logging.Logger("zhongtai")
    logger.addHandler(_StepHandler())
    return logger


class _StepHandler(logging.Handler):
    """Prints when a step starts, what an asset logs, and when a step ends."""

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is None:
            words = getattr(record, "dagster_meta", {}).get("orig_message", record.getMessage())
            # dagster-dbt recites every model where a bank has contracts that no night can read.
            if record.levelno == logging.INFO and not words.startswith("A dbt subsetted execution"):
                self._say(f"  {words}")
            return
        words = _WORDS.get(event.step_key or "", event.step_key)
        if event.event_type is dg.DagsterEventType.STEP_START:
            self._started[event.step_key] = time.monotonic()
            self._say(f"{words} ...")
        elif event.event_type is dg.DagsterEventType.STEP_SUCCESS:
            self._say(f"{words}: {time.monotonic() - self._started[event.step_key]:.1f} s")
        elif event.event_type is dg.DagsterEventType.STEP_FAILURE:
            self._say(f"{words}: stopped")

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
