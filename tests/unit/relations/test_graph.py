"""Components, circles and PageRank against slow and plain ways to the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.relations.graph import circles, components, pagerank

DAMPING, TOLERANCE = 0.85, 1e-12


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 12))
    edges = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40))
    return n, edges


def arrays(edges: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    pairs = np.array(edges, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def united(n: int, edges: list[tuple[int, int]]) -> list[int]:
    """Union-find without any trick: the lower root wins."""
    root = list(range(n))
    for one, other in edges:
        low, high = sorted((root[one], root[other]))
        root = [low if r == high else r for r in root]
    return root


def reaches(n: int, edges: list[tuple[int, int]]) -> np.ndarray:
    """Which node reaches which, itself included, by following edges until nothing is new."""
    reach = np.eye(n, dtype=bool)
    for one, other in edges:
        reach[one, other] = True
    for middle in range(n):
        reach |= np.outer(reach[:, middle], reach[middle])
    return reach


def dense_pagerank(n: int, edges: list[tuple[int, int]]) -> np.ndarray:
    """Power iteration on the whole matrix of the walk, many times over."""
    walk = np.zeros((n, n))
    for one, other in edges:
        walk[one, other] = 1
    for row in walk:
        row[:] = row / row.sum() if row.sum() else 1 / n
    walk = DAMPING * walk + (1 - DAMPING) / n
    rank = np.full(n, 1 / n)
    for _ in range(400):
        rank = rank @ walk
    return rank


@given(graphs())
def test_components_are_those_of_union_find(graph) -> None:
    n, edges = graph
    assert components(n, *arrays(edges)).tolist() == united(n, edges)


@given(graphs())
def test_two_nodes_of_a_circle_reach_each_other(graph) -> None:
    n, edges = graph
    reach = reaches(n, edges)
    both = reach & reach.T
    assert circles(n, *arrays(edges)).tolist() == [int(np.flatnonzero(row)[0]) for row in both]


@given(graphs())
def test_pagerank_is_that_of_the_dense_matrix_and_sums_to_one(graph) -> None:
    n, edges = graph
    rank = pagerank(n, *arrays(edges), DAMPING, TOLERANCE)
    np.testing.assert_allclose(rank, dense_pagerank(n, edges), atol=1e-9)
    assert abs(rank.sum() - 1) < 1e-12
    assert (rank > 0).all()


@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_of_edges_changes_no_bit(graph, random) -> None:
    n, edges = graph
    shuffled = random.sample(edges, len(edges))
    for measure in (components, circles):
        assert measure(n, *arrays(edges)).tolist() == measure(n, *arrays(shuffled)).tolist()
    one, other = (pagerank(n, *arrays(some), DAMPING, TOLERANCE) for some in (edges, shuffled))
    assert one.tobytes() == other.tobytes()


def test_parallel_edges_count_once() -> None:
    once = pagerank(3, *arrays([(0, 1), (0, 2)]), DAMPING, TOLERANCE)
    twice = pagerank(3, *arrays([(0, 1), (0, 1), (0, 2)]), DAMPING, TOLERANCE)
    assert once.tolist() == twice.tolist()


def test_a_graph_of_nobody() -> None:
    none = np.zeros(0, dtype=np.int64)
    for measure in (components, circles):
        assert measure(0, none, none).tolist() == []
    assert pagerank(0, none, none, DAMPING, TOLERANCE).tolist() == []


def test_what_does_not_settle_is_refused() -> None:
    with pytest.raises(ValueError, match="did not settle"):
        pagerank(2, *arrays([(0, 1), (1, 0), (0, 0)]), 0.9999999, 0.0)
