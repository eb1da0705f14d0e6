"""The recurrent networks in Numba: the numbers of `cells/`, as fast as the machine allows. Nothing here knows MXNet.

    compiling.py     how a kernel is compiled; threads that meet
    tile.py          the innermost loop of a product         products.py     packed weights, products, weight gradients
    activations.py   tanh, sigmoid, exp                      walk.py         the walk over the steps, as far as it is shared
    rnn.py gru.py lstm.py    each network's walk, and under it its back-propagation through time
    output.py        output layer, softmax, cross entropy; what lies between layers
    update.py        SGD and Adam                            threads.py      threads, and who walks what
    memory.py        room for a pass's arrays
    direction.py     one direction of one layer              network.py      layers and directions together
    language_model.py    a whole training step               writing.py      a whole text
Where the compiled kernels are kept is settled before the first import, by `runtime.kernel_cache`.
"""
