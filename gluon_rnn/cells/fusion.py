"""Prepare an MXNet graph for the fusion of pointwise operators, which MXNet does on GPUs only."""
from __future__ import annotations

import json
from typing import Any, Dict, Tuple

from mxnet import sym

_ELEMENTWISE = {'broadcast_add': 'elemwise_add', 'broadcast_sub': 'elemwise_sub', 'broadcast_mul': 'elemwise_mul'}


def elementwise(graph: Any, shapes: Dict[str, Tuple[int, ...]]) -> Any:
    """The same graph, with the operators for arrays of one shape where two arrays have one shape.

    `+`, `-` and `*` are recorded as operators that broadcast. MXNet's fusion knows none of them; where nothing is broadcast the
    elementwise ones compute the same numbers, and with what stands beside them become one kernel.
    graph: a Symbol; shapes: of its arguments by name.
    """
    inner = graph.get_internals()
    shape_of = dict(zip(inner.list_outputs(), inner.infer_shape(**shapes)[1]))
    described = json.loads(graph.tojson())
    nodes = described['nodes']

    def shape(node: int, output: int) -> Tuple[int, ...]:
        name = nodes[node]['name']
        return next(shape_of[key] for key in (name, f'{name}_output', f'{name}_output{output}') if key in shape_of)

    for node in nodes:
        if node['op'] in _ELEMENTWISE and len({shape(*place[:2]) for place in node['inputs']}) == 1:
            node['op'] = _ELEMENTWISE[node['op']]
    return sym.load_json(json.dumps(described))
