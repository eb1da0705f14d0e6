"""Which step a trainer takes: the whole one where nothing needs more, and any labels that the plain one takes."""
import pytest
from numpy.testing import assert_array_equal

from gluon_rnn import TrainConfig, Trainer
from gluon_rnn.training.optimizer import Optimizer
from gluon_rnn.training.source import TextBatches
from gluon_rnn.training.step import PlainStep, WholeStep
from tests.models.networks import TEXT, model


def test_an_optimizer_with_a_step_of_its_own_is_not_passed_over():
    class Counting(Optimizer):
        steps = 0

        def step(self):
            self.steps += 1
            return super().step()

    built, config = model('numba', cell='rnn'), TrainConfig(num_epochs=1, num_steps=6, batch_size=8, lr=0.5)
    counting = Counting(built.parameters(), 'sgd', config.lr, config.clipping_theta)
    source = TextBatches(TEXT, config)
    list(Trainer(built, config, optimizer=counting).epochs_on(source))
    assert counting.steps == len(source)


def test_labels_one_a_row_of_logits_are_the_same_as_those_beside_their_characters():
    class Flat(TextBatches):
        def batches(self, epoch):
            return ((X, Y.T.reshape((-1,))) for X, Y in super().batches(epoch))

    config, records = TrainConfig(num_epochs=1, num_steps=6, batch_size=8, lr=0.5), []
    for source in TextBatches, Flat:
        trainer = Trainer(model('numba', cell='rnn'), config)
        assert isinstance(trainer.step, WholeStep)
        records += [record.perplexity for record in trainer.epochs_on(source(TEXT, config))]
    assert records[0] == records[1]


@pytest.mark.parametrize('grad_req', ['null', 'add'])
def test_gradients_that_are_not_overwritten_are_left_to_the_plain_step(grad_req):
    """A weight without a gradient stays as it is, whatever decays."""
    built = model('numba', cell='gru')
    config = TrainConfig(num_epochs=1, num_steps=6, batch_size=8, lr=0.5, weight_decay=0.1)
    W_xz = built.parameters()['W_xz']
    W_xz.attach_grad(grad_req)
    before = W_xz.asnumpy()
    trainer = Trainer(built, config)
    for trained in (trainer, Trainer(built, config)):
        assert type(trained.step) is PlainStep
        list(trained.epochs(TEXT))
        assert (W_xz.asnumpy() == before).all() == (grad_req == 'null')


def test_gradients_are_as_they_were_when_the_step_is_chosen():
    built = model('numba', cell='gru')
    for param in built.parameters().values():
        param.grad[:] = 3
    assert isinstance(Trainer(built, TrainConfig()).step, WholeStep)
    for param in built.parameters().values():
        assert_array_equal(param.grad.asnumpy(), 3)
