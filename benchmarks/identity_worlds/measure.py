"""One world from its making to its figures, in a process of its own. What is counted: `judge`."""

from __future__ import annotations

import multiprocessing
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.identity_worlds.judge import judged
from benchmarks.identity_worlds.worlds import World, resolved


def measure(world: World, directory: Path) -> dict[str, float]:
    """Resolve `world` in `directory`, compare it with the truth, delete its home: what `judged` found."""
    context = multiprocessing.get_context("spawn")  # a process takes its memory with it
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        found = pool.submit(_measured, world, directory / "home").result()
    print(
        f"seed {world.seed}, noise x {world.factor}: precision {found['precision']:.5f}, recall {found['recall']:.5f}; "
        f"rules alone {found['rules_recall']:.4f}, ceiling {found['ceiling_recall']:.4f}", flush=True,
    )  # fmt: skip
    return found


def _measured(world: World, home: Path) -> dict[str, float]:
    try:
        settings = resolved(world, home)
        named = {"seed": world.seed, "customers": world.customers, "factor": world.factor}
        return {**named, **judged(settings, home / "simulated" / "truth" / "identity.parquet")}
    finally:
        shutil.rmtree(home, ignore_errors=True)
