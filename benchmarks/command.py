"""Runs the platform's command and measures it from outside: its own account, wall time, and peak memory.

Belongs here: one run of the command, and the machine that it ran on. Does not belong here: what is compared with what.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

_SAMPLED_EVERY = 0.05


@dataclass(frozen=True)
class Measured:
    """One run of the command: its own account, wall seconds from outside, and the peak memory of its process tree."""

    outcome: dict[str, Any]
    wall: float
    peak_mb: float


def run(home: Path, *arguments: str) -> Measured:
    """Run a command that prints one JSON object at its end. Ends the program where it fails."""
    command = [str(Path(sys.executable).with_name("zhongtai")), "--home", str(home), *arguments, "--json"]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    output, _ = process.communicate()
    wall = time.perf_counter() - started
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}: {output}")
    return Measured(json.loads(output), wall, peak[0])


def _watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    """Keep the largest sum of resident memory over the process and what it started."""
    page = os.sysconf("SC_PAGE_SIZE")
    while process.poll() is None:
        parents, sizes = {}, {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
                parents[int(entry.name)], sizes[int(entry.name)] = int(fields[1]), int(fields[21]) * page
            except OSError:
                continue
        tree = {process.pid}
        while grown := {pid for pid, parent in parents.items() if parent in tree} - tree:
            tree |= grown
        peak[0] = max(peak[0], sum(sizes.get(pid, 0) for pid in tree) / 1e6)
        time.sleep(_SAMPLED_EVERY)


def machine(program: str) -> str:
    """The machine of a measurement, its day, and the program that measures, in a sentence."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Measured on {date.today()}: {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, by `{program}`."
    )
