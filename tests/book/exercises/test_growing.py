"""What the answer about growing verses says of other figures."""
from gluon_rnn.book.exercises import growing
from tests.book.exercises.made_up import says


def test_verses_that_grow():
    said = growing._growing_answer([(1, 600.0, 1, 0.0, 0.0), (2, 90.0, 16, 0.1, 0.0), (3, 5.0, 20, 0.9, 0.6)])
    assert says(said, ('At epoch 1 the verse has 1 different character (', '第 1 个周期的歌词有 1 个不同的字'),
                ('90% of its strings of three and 60% of its strings of six', '90% 的三字串、60% 的六字串'),
                ('characters or more comes at epoch 2 (perplexity 90)', '第 2 个周期（困惑度 90）首次有 15 个以上'),
                ('of six do, at epoch 3', '第 3 个周期（困惑度 5）首次有一半的六字串'))
    assert 'broke off' not in said[0]


def test_verses_that_do_not():
    nan = float('nan')
    said = growing._growing_answer([(1, 600.0, 1, 0.0, nan), (2, 700.0, 1, 0.0, nan)], 'the loss')
    assert says(said, ('No verse had 15 different characters', '没有一次歌词有 15 个不同的字'), ('broke off', '此后训练中断'),
                ('0% of its strings of three', '0% 的三字串'))
    assert 'six' not in said[0] and '六字串' not in said[1]
