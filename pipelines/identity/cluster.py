"""Clusters: connected components of evidence that keep to what may not be together.

What belongs here: numbers of nodes and edges, and the rules that a cluster keeps: persons and organisations apart, two
that were decided to be apart apart, no more records than the cap. What does not: where edges come from, and ids.

Edges come strongest first. Where a component breaks a rule it is built again edge by edge, as in Kruskal's algorithm,
and an edge that would break the rule is left out: what is cut is the weakest evidence. A rule once broken by joining
two clusters stays broken whatever joins them later, so the result does not depend on when an edge is tried again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Ints = npt.NDArray[np.int64]
KEPT, KIND, APART, CAP = range(4)
CUT_BECAUSE = ("kept", "kind", "apart", "cap")


class Clusters(NamedTuple):
    """`label` of each node, from 0; `cut` of each edge: KEPT, or the rule for which it was left out."""

    label: Ints
    cut: Ints


def cluster(size: Ints, kind: Ints, edges: Ints, apart: Ints, cap: int) -> Clusters:
    """Cluster nodes of `size` records and a `kind` each.

    `edges` (m, 2), strongest first, and `apart` (k, 2) are pairs of node numbers; `cap` is the most records of a
    cluster. Raises ValueError where a pair to be kept apart is one node. A single node beyond the cap stays as it is.
    """
    if (apart[:, 0] == apart[:, 1]).any():
        raise ValueError("a node cannot be kept apart from itself; give its records as nodes of their own")
    left, right = edges[:, 0], edges[:, 1]
    cut = np.where(kind[left] == kind[right], KEPT, KIND)
    able = np.flatnonzero(cut == KEPT)
    label = _components(len(size), left[able], right[able])
    broken = np.bincount(label, weights=size, minlength=1) > cap
    one, other = label[apart[:, 0]], label[apart[:, 1]]
    broken[one[one == other]] = True
    again = able[broken[label[left[able]]]]
    if len(again):
        forest = _Forest(size, apart[one == other], cap)
        cut[again] = [forest.join(a, b) for a, b in edges[again].tolist()]
        within = np.flatnonzero(broken[label])
        label[within] = len(broken) + np.array([forest.root(node) for node in within.tolist()])
        label = np.unique(label, return_inverse=True)[1]
    return Clusters(label, cut)


def spanning(edges: Ints, nodes: int) -> list[int]:
    """Positions of the edges, given strongest first, that join something not yet joined: the strongest spanning forest.

    Its last one is the weakest link: without the edges from there on, the nodes would not hold together.
    """
    forest = _Forest(np.ones(nodes, np.int64), np.empty((0, 2), np.int64), nodes)
    return [
        at for at, (a, b) in enumerate(edges.tolist()) if forest.root(a) != forest.root(b) and not forest.join(a, b)
    ]


def _components(nodes: int, left: Ints, right: Ints) -> Ints:
    graph = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(nodes, nodes))
    return connected_components(graph, directed=False)[1].astype(np.int64)


class _Forest:
    """Clusters that grow edge by edge; only nodes that were asked for take room."""

    def __init__(self, size: Ints, apart: Ints, cap: int) -> None:
        self._given, self._cap = size, cap
        self._parent: dict[int, int] = {}
        self._size: dict[int, int] = {}
        self._foes: dict[int, set[int]] = {}  # of a root: the roots that it may not be with
        for a, b in apart.tolist():
            self._foes.setdefault(a, set()).add(b)
            self._foes.setdefault(b, set()).add(a)

    def root(self, node: int) -> int:
        """The node that stands for the cluster of `node`."""
        path = []
        while (parent := self._parent.get(node, node)) != node:
            path.append(node)
            node = parent
        for passed in path:
            self._parent[passed] = node
        return node

    def join(self, a: int, b: int) -> int:
        """Join the clusters of two nodes; KEPT, or the rule that forbids it."""
        a, b = self.root(a), self.root(b)
        if a == b:
            return KEPT
        if b in self._foes.get(a, ()):
            return APART
        together = self._of(a) + self._of(b)
        if together > self._cap:
            return CAP
        if self._of(a) < self._of(b):
            a, b = b, a
        self._parent[b], self._size[a] = a, together
        for foe in self._foes.pop(b, ()):
            self._foes[foe].discard(b)
            self._foes[foe].add(a)
            self._foes.setdefault(a, set()).add(foe)
        return KEPT

    def _of(self, root: int) -> int:
        return self._size.get(root) or int(self._given[root])
