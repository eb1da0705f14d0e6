"""Trials of hyperparameters, and what the answer says of other figures."""
import pytest

from gluon_rnn.book.exercises import hyperparameters
from gluon_rnn.book.exercises.trials import BASE, Trial, one_at_a_time
from tests.book.exercises.made_up import says, training


def trial(factor, value, perplexities, *, updates=8, held_out=500.0, known=0.1, seconds=1.0):
    run = training(f'{factor} {value:g}', perplexities, held_out=held_out, seconds=seconds,
                   diverged='' if perplexities else 'the loss')
    return Trial(factor, value, run, updates, known if perplexities else float('nan'))


def answer(base, *others, other_seed=None):
    """base: its perplexities; others: trials of num_steps or batch_size."""
    stands = [trial(factor, BASE[factor], base) for factor in ('num_steps', 'batch_size')]
    trials = sorted([*stands, *others], key=lambda t: t.factor)
    return hyperparameters._answer(trials, trial('base, another seed', 0, other_seed or base))


def test_more_updates_are_named():
    said = answer([300.0, 200.0, 150.0, 100.0], trial('batch_size', 8, [90.0, 30.0, 20.0, 10.0], updates=32, held_out=400.0))
    assert says(said, ('The text is known best with batch_size 8 (10)', '训练文本上最好的是批量大小 8（10）'),
                ('But batch_size 8 updates the weights 32 times an epoch, the base settings 8 times; after the same 32 updates '
                 'it stands at 90, not clearly different from the base settings with 100', '32 次后它为 90，没有明显不同于'),
                ('Held-out text is known best with batch_size 8 (400), too', '留出文本上最好的也是批量大小 8（400）'))
    assert 'another question' not in said[0] and '另一个问题' not in said[1]


@pytest.mark.parametrize('first, stands', [(50.0, ('still ahead of', '仍领先于')), (200.0, ('behind the base', '落后于'))])
def test_after_as_many_updates(first, stands):
    assert says(answer([300.0, 100.0], trial('batch_size', 8, [first, 10.0], updates=16)), stands)


def test_no_more_updates_no_such_remark():
    said = answer([300.0, 100.0], trial('num_steps', 70, [90.0, 10.0], updates=4, held_out=900.0))
    assert 'updates the weights' not in said[0] and '每周期更新' not in said[1]
    assert says(said, ('Held-out text is known best with the base settings (500), which is another question',
                       '留出文本上最好的是基准设置（500），这是另一个问题'))


def test_the_base_settings_are_called_that():
    said = answer([300.0, 100.0], trial('batch_size', 8, [400.0, 200.0], updates=16))
    assert says(said, ('The text is known best with the base settings (100).', '训练文本上最好的是基准设置（100）。'))
    assert 'num_steps 35 (' not in said[0]


def test_what_chance_may_have_done_is_no_difference():
    said = answer([300.0, 100.0], trial('batch_size', 8, [300.0, 95.0], held_out=490.0))
    assert says(said, ('(95) and the base settings (100): no clear difference', '基准设置（100），没有明显差别'),
                ('On held-out text there is no clear difference', '留出文本上没有明显差别'),
                ('No hyperparameter makes a clear difference', '没有哪个超参数有明显影响'),
                ('The time of an epoch shows no clear difference', '每周期用时没有明显差别'))
    said = answer([300.0, 100.0], trial('batch_size', 8, [300.0, 60.0]), other_seed=[300.0, 50.0])       # chance: a factor of 2
    assert says(said, ('(60) and the base settings (100): no clear difference', '没有明显差别'))


def test_trials_that_broke_off():
    said = answer([300.0, 100.0], trial('batch_size', 8, []))
    assert says(said, ('batch_size moves it most (to where a training breaks off)', '批量大小（直到训练中断）'),
                ('Broken off: batch_size 8', '中途失败的：批量大小 8'))
    said = answer([], trial('batch_size', 8, []))
    assert says(said, ('every training broke off', '所有训练都中断'))
    said = answer([], trial('batch_size', 8, [300.0, 200.0]))
    assert says(said, ('known best with batch_size 8 (200)', '最好的是批量大小 8（200）'))


def test_updates_are_counted(bench):
    trials, other = one_at_a_time(bench, 'rnn', 2)
    base = next(t for t in trials if t.is_base)
    settings = base.run.settings
    row = 360 // settings.batch_size         # nine tenths of a quick workbench's text
    assert base.updates == (row - 1) // settings.num_steps and {t.factor for t in trials} == {'clipping_theta'}
    assert base.after(2 * base.updates) == base.run.records[1].perplexity and base.after(base.updates - 1) is None
    assert base.after(3 * base.updates) is None
    assert other.run.settings.seed == settings.seed + 1 and other.perplexity != base.perplexity
