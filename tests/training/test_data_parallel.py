"""One model on several contexts: the same as on one, but for rounding."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model, runtime
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.corpora.sampling import consecutive_rows, random_rows
from gluon_rnn.training.data_parallel import Replicas, share
from gluon_rnn.training.kvstore import LOCAL, Store
from gluon_rnn.training.loss import Diverged, cross_entropy

SETTING = {'num_steps': 5, 'batch_size': 7, 'num_epochs': 2, 'seed': 3, 'lr': 1.0, 'clipping_theta': 0.1}
MODELS = {'plain': {}, 'bidirectional': {'bidirectional': True, 'backward_hiddens': 3}, 'deep': {'num_layers': 2, 'cell': 'lstm'}}


def models(corpus, contexts, **options):
    """The same model on each context, the first with weights that a seed draws, the others with weights of their own."""
    built = []
    config = ModelConfig(**{'cell': 'gru', 'num_hiddens': 8, 'vocab_size': corpus.vocab_size, **options})
    for i, ctx in enumerate(contexts):
        mx.random.seed(40 + i)
        built.append(build_model(config, ctx))
    return built


def run(corpus, num_contexts, *, kind='device', settings=None, **options):
    first, *replicas = models(corpus, [mx.cpu(i) for i in range(num_contexts)], **options)
    config = TrainConfig(**{**SETTING, **(settings or {})})
    trainer = Trainer(first, config, replicas=replicas, store=Store(kind) if num_contexts > 1 else None)
    records = list(trainer.epochs(corpus.indices[:120], corpus.indices[120:150]))
    return trainer, records


def assert_same_run(ours, theirs, atol=1e-5):
    """Equal within the rounding of float32 over two epochs."""
    (trainer, records), (reference, expected) = ours, theirs
    for record, other in zip(records, expected):
        assert_allclose([record.perplexity, record.grad_norm, record.valid_perplexity],
                        [other.perplexity, other.grad_norm, other.valid_perplexity], rtol=2e-5)
    assert len(records) == len(expected) == 2
    for name, value in reference.model.parameters().items():
        assert_allclose(trainer.model.parameters()[name].asnumpy(), value.asnumpy(), rtol=1e-4, atol=atol, err_msg=name)


# ------------------------------------------------------------------------------------------------- two contexts are one context

# a state is of one array or two, of each layer or of all; random batches have none to share
@pytest.mark.parametrize('impl, name, sampling', [*((impl, 'deep', 'consecutive') for impl in IMPLS),
                                                  *((impl, 'bidirectional', 'consecutive') for impl in ('scratch', 'gluon')),
                                                  ('numba', 'plain', 'consecutive'), ('scratch', 'plain', 'random')])
def test_two_contexts_equal_one(lyrics, impl, name, sampling):
    """Seven rows, of which one context has three and the other four."""
    settings, options = {'sampling': sampling}, MODELS[name]
    reference = run(lyrics, 1, impl=impl, settings=settings, **options)
    ours = run(lyrics, 2, impl=impl, settings=settings, **options)
    assert_same_run(ours, reference)
    first, second = ours[0].replicas.models
    assert {array.context for array in second.parameters().values()} == {mx.cpu(1)}
    for name, value in first.parameters().items():
        assert_array_equal(second.parameters()[name].asnumpy(), value.asnumpy(), err_msg=name)


@pytest.mark.parametrize('kind, optimizer, num_contexts', [*((kind, 'sgd', 3) for kind in LOCAL), ('device', 'adam', 2),
                                                           ('local', 'nadam', 4)])
def test_any_store_any_optimizer_any_number(lyrics, kind, optimizer, num_contexts):
    settings = {'optimizer': optimizer, 'lr': 1.0 if optimizer == 'sgd' else 0.01}
    # adam divides a gradient by its size, and so makes steps of rounding errors where there is little else
    assert_same_run(run(lyrics, num_contexts, kind=kind, settings=settings), run(lyrics, 1, settings=settings),
                    atol=1e-5 if optimizer == 'sgd' else 1e-4)


def test_one_context_with_a_store_is_one_without(lyrics):
    reference, expected = run(lyrics, 1)
    first, = models(lyrics, [mx.cpu()])
    trainer = Trainer(first, TrainConfig(**SETTING), store=Store('local'))
    records = list(trainer.epochs(lyrics.indices[:120], lyrics.indices[120:150]))
    assert [(r.perplexity, r.grad_norm) for r in records] == [(r.perplexity, r.grad_norm) for r in expected]
    for name, value in reference.model.parameters().items():
        assert_array_equal(first.parameters()[name].asnumpy(), value.asnumpy(), err_msg=name)


def test_one_seed_gives_one_result_on_two_contexts(lyrics):
    """To the last bit, dropout and all: each context draws its own, and the same ones in every run."""
    how = {'settings': {'sampling': 'random'}, 'impl': 'gluon', 'num_layers': 2, 'dropout': 0.4}
    results = [run(lyrics, 2, **how) for _ in range(2)]
    one, _ = run(lyrics, 1, **how)
    (trainer, records), (other, expected) = results
    assert [(r.perplexity, r.grad_norm) for r in records] == [(r.perplexity, r.grad_norm) for r in expected]
    for name, value in trainer.model.parameters().items():
        assert_array_equal(other.model.parameters()[name].asnumpy(), value.asnumpy(), err_msg=name)
    # one context alone draws other masks than two
    assert not np.allclose(*(t.model.book_params()['layer1.W_xh'] for t in (trainer, one)), rtol=1e-2, atol=0)


def test_clipping_is_of_the_whole_batch(lyrics):
    """One step: the norm is that of the summed gradient, not of a part's, and so is the step."""
    settings = {'num_epochs': 1, 'clipping_theta': 1e-3}
    (_, records), (_, expected) = run(lyrics, 2, settings=settings), run(lyrics, 1, settings=settings)
    assert expected[0].grad_norm > 1e-2
    assert_allclose(records[0].grad_norm, expected[0].grad_norm, rtol=1e-5)


def test_replicas_learn_nothing_by_themselves(lyrics):
    """A second context whose gradient were lost would leave half of the batch out: the twins would differ at once."""
    trainer, _ = run(lyrics, 2)
    grads = trainer.replicas.grads
    assert len(grads) == len(trainer.model.parameters()) and all(len(parts) == 2 for parts in grads)
    assert any(np.abs(parts[1].asnumpy()).max() > 0 for parts in grads)


@pytest.mark.parametrize('impl', IMPLS)
def test_a_step_on_two_contexts_does_not_wait_for_them(lyrics, host_reads, impl):
    first, second = models(lyrics, [mx.cpu(0), mx.cpu(1)], impl=impl)
    trainer = Trainer(first, TrainConfig(**{**SETTING, 'num_epochs': 1}), replicas=[second], store=Store('device'))
    at_step = []
    list(trainer.epochs(lyrics.indices[:280], on_step=lambda *_: at_step.append(len(host_reads))))
    assert at_step == [0] * 7


@pytest.mark.parametrize('num_contexts', [1, 2])
def test_stop_is_heard_in_the_middle_of_an_epoch(lyrics, num_contexts):
    first, *replicas = models(lyrics, [mx.cpu(i) for i in range(num_contexts)], impl='gluon')
    trainer = Trainer(first, TrainConfig(**SETTING), replicas=replicas, store=Store('device') if replicas else None)
    steps = []
    with pytest.raises(KeyboardInterrupt):
        for _ in trainer.epochs(lyrics.indices[:500], on_step=lambda step, _: steps.append(step), stop=lambda: len(steps) == 15):
            pass
    assert trainer.epoch == 1
    assert 15 <= len(steps) <= 15 + 9


def test_a_loss_that_turns_nan_on_one_context_only(lyrics):
    first, second = models(lyrics, [mx.cpu(0), mx.cpu(1)])
    trainer = Trainer(first, TrainConfig(**SETTING), replicas=[second], store=Store('device'))
    with pytest.raises(Diverged, match='epoch 1, step 3 '):
        for _ in trainer.epochs(lyrics.indices, on_step=lambda step, _: step == 2 and second.parameters()['b_q'].__setitem__(
                slice(None), float('nan'))):
            pass


# ------------------------------------------------------------------------------------------------------------------- the parts

@pytest.mark.parametrize('count, parts', [(10, 4), (7, 2), (3, 3), (32, 5)])
def test_share(count, parts):
    shares = [share(count, k, parts) for k in range(parts)]
    assert [i for part in shares for i in range(count)[part]] == list(range(count))
    sizes = {len(range(count)[part]) for part in shares}
    assert max(sizes) - min(sizes) <= 1


def test_the_parts_of_a_loss_add_up():
    logits, y = nd.random.normal(shape=(10, 6)), nd.array(np.random.randint(0, 6, 10))
    loss, gradient = cross_entropy(logits, y)
    parts = [cross_entropy(logits[rows], y[rows], 10) for rows in (slice(0, 3), slice(3, 10))]
    assert_allclose(sum(part.asscalar() for part, _ in parts), loss.asscalar(), rtol=1e-6)
    assert_allclose(np.concatenate([part.asnumpy() for _, part in parts]), gradient.asnumpy(), rtol=1e-6)


@pytest.mark.parametrize('read', [consecutive_rows, random_rows])
def test_rows_of_batches_are_the_same_whoever_reads_them(read):
    import random

    def batches(rows):
        options = {'rng': random.Random(5)} if read is random_rows else {}
        return list(read(range(100), 6, 4, rows=rows, **options))
    whole = batches(slice(None))
    assert len(whole) >= 3
    parts = [batches(share(6, k, 4)) for k in range(4)]
    for i, XY in enumerate(whole):
        assert_array_equal(np.concatenate([part[i] for part in parts]), XY)


# ---------------------------------------------------------------------------------------------------------------------- errors

def test_more_contexts_than_rows(lyrics):
    first, *others = models(lyrics, [mx.cpu(i) for i in range(3)])
    with pytest.raises(ValueError, match='batch_size must be 3 or more, a row for each context of each process, got 2'):
        Trainer(first, TrainConfig(batch_size=2), replicas=others, store=Store('local'))


def test_replicas_that_are_none(lyrics):
    first, = models(lyrics, [mx.cpu(0)])
    other, = models(lyrics, [mx.cpu(1)], num_hiddens=9)
    with pytest.raises(ValueError, match='replicas must be of one model'):
        Replicas([first, other], Store('local'))
    with pytest.raises(ValueError, match='several contexts need a store'):
        Trainer(first, TrainConfig(), replicas=models(lyrics, [mx.cpu(1)]))


def test_other_batches_are_for_one_context(lyrics):
    first, second = models(lyrics, [mx.cpu(0), mx.cpu(1)])
    with pytest.raises(ValueError, match='batches of text only'):
        next(Trainer(first, TrainConfig(), replicas=[second], store=Store('local')).epochs_on([]))


def test_contexts():
    assert runtime.parse_contexts('cpu(0),cpu(1)') == [mx.cpu(0), mx.cpu(1)]
    assert runtime.parse_contexts('cpu(2), cpu') == [mx.cpu(2), mx.cpu(0)]
    with pytest.raises(ValueError, match='each context once'):
        runtime.parse_contexts('cpu,cpu(0)')
    with pytest.raises(ValueError, match=r"got ''"):
        runtime.parse_contexts('cpu(0),')
    with pytest.raises(ValueError, match='no GPU'):
        runtime.parse_contexts('cpu(0),gpu(7)')
