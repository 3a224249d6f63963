"""Clusters against an obvious oracle: what is joined, what is cut, and that no rule is broken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.identity.cluster import APART, CAP, KEPT, KIND, cluster, spanning

NODES = 9
NODE = st.integers(0, NODES - 1)
PAIRS = st.lists(st.tuples(NODE, NODE).filter(lambda pair: pair[0] != pair[1]), max_size=16)


def slow(size, kind, edges, apart, cap):
    """Join edge by edge, looking at everything each time."""
    groups, cut = [{n} for n in range(len(size))], []
    for a, b in edges:
        one, other = (next(g for g in groups if n in g) for n in (a, b))
        both = one | other
        if kind[a] != kind[b]:
            cut.append(KIND)
        elif one is other:
            cut.append(KEPT)
        elif any(x in both and y in both for x, y in apart):
            cut.append(APART)
        elif sum(size[n] for n in both) > cap:
            cut.append(CAP)
        else:
            cut.append(KEPT)
            groups = [g for g in groups if g is not one and g is not other] + [both]
    return {frozenset(g) for g in groups}, cut


def pairs(given):
    return np.array(given, np.int64).reshape(-1, 2)


def groups(label):
    return {frozenset(np.flatnonzero(label == one).tolist()) for one in set(label.tolist())}


@given(
    size=st.lists(st.integers(1, 3), min_size=NODES, max_size=NODES),
    kind=st.lists(st.integers(0, 1), min_size=NODES, max_size=NODES),
    edges=PAIRS,
    apart=st.lists(st.tuples(NODE, NODE).filter(lambda pair: pair[0] != pair[1]), max_size=4),
    cap=st.integers(3, 12),
)
def test_it_is_what_joining_edge_by_edge_gives(size, kind, edges, apart, cap):
    expected, cut = slow(size, kind, edges, apart, cap)
    found = cluster(np.array(size), np.array(kind), pairs(edges), pairs(apart), cap)
    assert groups(found.label) == expected
    assert found.cut.tolist() == cut


@given(edges=PAIRS)
def test_a_spanning_forest_joins_what_all_edges_join_with_as_few(edges):
    ones, none = np.ones(NODES, np.int64), pairs([])
    everything = cluster(ones, ones, pairs(edges), none, NODES).label
    tree = spanning(pairs(edges), NODES)
    assert groups(cluster(ones, ones, pairs(edges)[tree], none, NODES).label) == groups(everything)
    assert len(tree) == NODES - len(set(everything.tolist()))


def test_a_node_cannot_be_apart_from_itself():
    with pytest.raises(ValueError, match="apart from itself"):
        cluster(np.ones(2), np.zeros(2), pairs([]), pairs([(1, 1)]), 5)
