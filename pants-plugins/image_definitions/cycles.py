"""Finds targets that need each other."""

from __future__ import annotations

from typing import Hashable, Mapping, Sequence, TypeVar

_Node = TypeVar("_Node", bound=Hashable)


def cycles(graph: Mapping[_Node, Sequence[_Node]]) -> list[tuple[_Node, ...]]:
    """Cycles of a graph: at least one through each group of nodes that reach each other, each once.

    A cycle begins at the node that comes first in `graph`; its last node leads back to there. Edges to nodes that are
    no keys are left out.
    """
    order = {node: at for at, node in enumerate(graph)}
    # No recursion: a chain of targets may be longer than Python's stack.
    done: set[_Node] = set()
    found: dict[tuple[_Node, ...], None] = {}
    for root in graph:
        if root in done:
            continue
        path: dict[_Node, int] = {root: 0}
        stack = [(root, iter(graph[root]))]
        while stack:
            node, following = stack[-1]
            successor = next(following, None)
            if successor is None:
                done.add(node)
                del path[node]
                stack.pop()
            elif successor in path:
                members = tuple(path)[path[successor] :]
                first = min(range(len(members)), key=lambda at: order[members[at]])  # noqa: B023  # Used at once.
                found[members[first:] + members[:first]] = None
            elif successor in graph and successor not in done:
                path[successor] = len(path)
                stack.append((successor, iter(graph[successor])))
    return list(found)
