"""Two products, and one of the matrices joined."""
from mxnet import nd

inputs, state = nd.random.normal(shape=(3, 1)), nd.random.normal(shape=(3, 4))
from_input, from_state = nd.random.normal(shape=(1, 4)), nd.random.normal(shape=(4, 4))
apart = nd.dot(inputs, from_input) + nd.dot(state, from_state)
joined = nd.dot(nd.concat(inputs, state, dim=1), nd.concat(from_input, from_state, dim=0))
assert 0 <= (apart - joined).abs().max().asscalar() < 1e-5 and '<NDArray 3x4 @cpu(0)>' in repr(apart)
