"""Weights carried to PyTorch and back: nothing is lost, and what does not fit is named."""
from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mxnet import nd

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.torch_parity import from_torch, to_torch
from gluon_rnn.torch_parity.layout import flat_states, weights_of


@st.composite
def configs(draw) -> ModelConfig:
    """Any language model there is."""
    cell, impl = draw(st.sampled_from(['rnn', 'gru', 'lstm'])), draw(st.sampled_from(['scratch', 'hybrid', 'gluon']))
    more = {}
    if cell == 'rnn':
        kinds = ['tanh', 'relu'] if impl == 'gluon' else ['tanh', 'relu', 'sigmoid']     # torch.nn has no sigmoid
        more['activation'] = draw(st.sampled_from(kinds))
    if cell == 'gru' and impl != 'gluon':
        more['reset_after'] = draw(st.booleans())
    if draw(st.booleans()):
        more['bidirectional'] = True
        more['backward_hiddens'] = draw(st.one_of(st.none(), st.integers(1, 5)))
    elif draw(st.booleans()):
        more['residual'] = True
    return ModelConfig(vocab_size=draw(st.integers(2, 9)), cell=cell, impl=impl, num_hiddens=draw(st.integers(1, 5)),
                       num_layers=draw(st.integers(1, 3)), **more)


def random_model(config: ModelConfig, seed: int = 0):
    model, rng = build_model(config), np.random.default_rng(seed)
    for array in weights_of(model).values():
        array[:] = rng.normal(size=array.shape)
    return model


def assert_same_weights(one, two) -> None:
    here, there = weights_of(one), weights_of(two)
    assert list(here) == list(there)
    for name in here:
        np.testing.assert_array_equal(here[name].asnumpy(), there[name].asnumpy(), err_msg=name)


@settings(max_examples=25)
@given(configs(), st.integers(0, 99))
def test_there_and_back_is_exact_and_computes_the_same(config, seed):
    model = random_model(config, seed)
    twin = to_torch(model)
    assert_same_weights(model, from_torch(twin, config))
    assert_same_weights(model, from_torch(twin.state_dict(), config))
    X = np.random.default_rng(seed).integers(0, config.vocab_size, (2, 4))
    state, twin_state = model.begin_state(2), twin.begin_state(2)
    for _ in range(2):
        logits, state = model(nd.array(X), state)
        twin_logits, twin_state = twin(torch.tensor(X), twin_state)
    scale = max(1, np.abs(logits.asnumpy()).max())      # a relu network may have grown large
    np.testing.assert_allclose(twin_logits.detach().numpy(), logits.asnumpy(), rtol=1e-5, atol=1e-5 * scale)
    for a, b in zip(flat_states(twin_state), flat_states(state)):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * scale)


@settings(max_examples=15)
@given(configs(), st.integers(0, 99))
def test_from_the_loop_by_hand_to_the_layer_and_back_is_exact(config, seed):
    if config.impl == 'gluon' or (config.cell == 'gru' and not config.reset_after):
        return
    model = random_model(config, seed)
    assert_same_weights(model, from_torch(to_torch(model, layer=True), config))


def test_a_module_s_form_decides_where_no_config_is_given():
    model = random_model(ModelConfig(vocab_size=5, cell='lstm', impl='gluon', num_hiddens=3, num_layers=2, bidirectional=True))
    assert from_torch(to_torch(model)).config == model.config
    assert from_torch(to_torch(build_model(ModelConfig(vocab_size=5, impl='hybrid', num_hiddens=3)))).config.impl == 'scratch'


def test_two_biases_are_added_for_the_loop_by_hand():
    model = random_model(ModelConfig(vocab_size=5, cell='lstm', impl='gluon', num_hiddens=3))
    twin, own = to_torch(model, layer=False), weights_of(model)
    added = (own['l0_i2h_bias'] + own['l0_h2h_bias']).asnumpy()
    for gate, wanted in zip('ifco', np.split(added, 4)):
        np.testing.assert_array_equal(getattr(twin.rnn, f'b_{gate}').detach().numpy(), wanted)
    sigmoid = random_model(ModelConfig(vocab_size=5, cell='rnn', activation='sigmoid', impl='gluon', num_hiddens=3))
    added = weights_of(sigmoid)['l0_i2h_bias'] + weights_of(sigmoid)['l0_h2h_bias']      # torch.nn has no such layer
    np.testing.assert_array_equal(to_torch(sigmoid).rnn.b_h.detach().numpy(), added.asnumpy())


@pytest.mark.parametrize('cell, keys', [('gru', ('r', 'z', 'h')), ('lstm', ('i', 'f', 'c', 'o'))])
def test_gate_orders(cell, keys):
    """One gate of the book's marked: it lands in its own rows of PyTorch's stacked weights, and in no others."""
    more = {'reset_after': True} if cell == 'gru' else {}
    for k, gate in enumerate(keys):
        model = build_model(ModelConfig(vocab_size=4, cell=cell, num_hiddens=3, **more))
        for array in weights_of(model).values():
            array[:] = 0
        weights_of(model)[f'W_x{gate}'][:] = np.arange(12).reshape(4, 3)
        weight = to_torch(model, layer=True).rnn.weight_ih_l0.detach().numpy()
        np.testing.assert_array_equal(weight[3 * k:3 * k + 3], np.arange(12).reshape(4, 3).T)
        assert np.count_nonzero(weight) == 11


def test_a_state_dict_of_the_ports_own_model_is_taken():
    """Dive-into-DL-PyTorch's RNNModel: `rnn`, a torch.nn layer, and `dense`."""
    layer, dense = torch.nn.LSTM(6, 4), torch.nn.Linear(4, 6)
    port = torch.nn.Module()
    port.rnn, port.dense = layer, dense
    model = from_torch(port.state_dict(), ModelConfig(vocab_size=6, cell='lstm', impl='gluon', num_hiddens=4))
    X = np.array([[0, 3, 5], [1, 1, 2]])
    outputs, _ = layer(torch.nn.functional.one_hot(torch.tensor(X).T, 6).float())
    logits, _ = model(nd.array(X), model.begin_state(2))
    np.testing.assert_allclose(logits.asnumpy(), dense(outputs.reshape(-1, 4)).detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('change, wanted', [
    (lambda d: d.update({'rnn.weight_hh_l1': d['rnn.weight_hh_l1'].T}),
     r'rnn.weight_hh_l1 must have shape \(9, 3\), got \(3, 9\)'),
    (lambda d: d.pop('rnn.bias_hh_l0'), r"missing \['rnn.bias_hh_l0'\], unexpected none"),
    (lambda d: d.update({'rnn.bias_hh_l2': d['dense.bias']}), r"missing none, unexpected \['rnn.bias_hh_l2'\]"),
])
def test_what_does_not_fit_is_named_and_nothing_is_written(change, wanted):
    from gluon_rnn.torch_parity.layout import load_state_dict
    config = ModelConfig(vocab_size=5, cell='gru', impl='gluon', num_hiddens=3, num_layers=2)
    state_dict = OrderedDict(to_torch(random_model(config, 1)).state_dict())
    change(state_dict)
    model, untouched = random_model(config, 2), random_model(config, 2)
    with pytest.raises(ValueError, match=wanted):
        load_state_dict(model, state_dict)
    assert_same_weights(model, untouched)
    with pytest.raises(ValueError, match=wanted):
        from_torch(state_dict, config)


def test_what_cannot_be_carried_is_refused():
    book = build_model(ModelConfig(vocab_size=5, cell='gru', num_hiddens=3))
    with pytest.raises(ValueError, match=r'nn.GRU resets after .* different networks'):
        to_torch(book, layer=True)
    two_biases = random_model(ModelConfig(vocab_size=5, cell='gru', impl='gluon', num_hiddens=3, num_layers=2))
    with pytest.raises(ValueError, match=r'second bias of the candidate \(layer0.b_hh\) is not zero'):
        to_torch(two_biases, layer=False)
    with pytest.raises(ValueError, match='whose second direction reads forward has no counterpart'):
        to_torch(build_model(ModelConfig(vocab_size=5, num_hiddens=3, bidirectional=True, both_forward=True)))
    with pytest.raises(ValueError, match='pass its ModelConfig'):
        from_torch(to_torch(book).state_dict())
    with pytest.raises(ValueError, match='got a int'):
        from_torch(3, book.config)
