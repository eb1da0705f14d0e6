"""A graph made ready for the GPU's fusion: the same numbers, from operators that the fusion knows."""
import json

import mxnet as mx
import numpy as np
from mxnet import nd, sym

from gluon_rnn.cells.fusion import elementwise


def operators(graph):
    return sorted(node['op'] for node in json.loads(graph.tojson())['nodes'] if node['op'] != 'null')


def test_only_what_does_not_broadcast_is_exchanged():
    X, b = sym.var('X'), sym.var('b')
    left, right = sym.split(X, num_outputs=2, axis=0)
    graph = sym.broadcast_mul(sym.broadcast_sub(left, right), right) + 0
    graph = sym.broadcast_add(sym.broadcast_add(graph, left), b)
    shapes = {'X': (4, 3), 'b': (1, 3)}
    changed = elementwise(graph, shapes)
    assert operators(changed) == sorted(['SliceChannel', 'elemwise_sub', 'elemwise_mul', '_plus_scalar', 'elemwise_add',
                                         'broadcast_add'])
    assert changed.list_arguments() == graph.list_arguments()
    values = {name: nd.random.normal(shape=shape) for name, shape in shapes.items()}
    np.testing.assert_array_equal(*(g.eval(ctx=mx.cpu(), **values)[0].asnumpy() for g in (graph, changed)))
