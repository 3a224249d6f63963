"""What measuring a graph of 5 million relations costs, beside scipy alone on the same arrays.

Belongs here: seconds and memory of components and PageRank. What they are right about, tests/unit/relations shows.
Run with `make bench-graph`, or `python -m benchmarks.graph [edges]`.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from pipelines.relations.graph import circles, components, pagerank

EDGES_PER_PARTY, SEED, DAMPING, TOLERANCE = 10, 1, 0.85, 1e-10


def draw(edges: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Parties and edges with a few hubs, as ownership has: ends follow a power law on one side."""
    rng, parties = np.random.default_rng(SEED), edges // EDGES_PER_PARTY
    source = rng.integers(0, parties, edges)
    target = np.minimum(rng.pareto(1.5, edges) * parties / 50, parties - 1).astype(np.int64)
    return parties, source, target


def bare_components(n: int, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Labels of weak components by scipy alone."""
    matrix = csr_array((np.ones(len(source)), (source, target)), shape=(n, n))
    return connected_components(matrix, directed=True, connection="weak")[1]


def bare_pagerank(n: int, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The textbook iteration on a scipy matrix of probabilities, with as many steps as the tolerance takes."""
    matrix = csr_array((np.ones(len(source)), (target, source)), shape=(n, n))
    matrix.data[:] = 1.0
    leaving = np.asarray(matrix.sum(axis=0)).ravel()
    walk = matrix @ _diagonal(np.divide(1.0, leaving, out=np.zeros(n), where=leaving > 0))
    rank = np.full(n, 1 / n)
    while True:
        following = DAMPING * (walk @ rank + rank[leaving == 0].sum() / n) + (1 - DAMPING) / n
        if np.abs(following - rank).sum() < TOLERANCE:
            return following
        rank = following


def _diagonal(values: np.ndarray) -> csr_array:
    numbers = np.arange(len(values))
    return csr_array((values, (numbers, numbers)), shape=(len(values), len(values)))


def seconds(measure: Callable[[], np.ndarray]) -> float:
    """The faster of two runs: the first pays for the memory."""
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        measure()
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    """Print a line per measure."""
    edges = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    graph = draw(edges)
    print(f"{graph[0]:,} parties, {edges:,} edges")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours = {
        "components": lambda: components(*graph),
        "circles": lambda: circles(*graph),
        "pagerank": lambda: pagerank(*graph, DAMPING, TOLERANCE),
    }
    bare = {"components": lambda: bare_components(*graph), "pagerank": lambda: bare_pagerank(*graph)}
    taken = {name: seconds(measure) for name, measure in ours.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, ours_took in taken.items():
        beside = f"{ours_took / seconds(bare[name]):6.2f} x bare scipy" if name in bare else ""
        print(f"{name:12}{ours_took:8.2f} s {beside}")
    print(f"{'memory':12}{(peak - before) / 1024:8.0f} MB above the arrays of edges")


if __name__ == "__main__":
    main()
