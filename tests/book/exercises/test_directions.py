"""What the directions give and see."""
import numpy as np
import pytest

from gluon_rnn.book.exercises import bi_layers, directions


def test_shapes_of_unequal_directions():
    found = directions.shapes(3, 5, vocab_size=30, batch_size=2)
    assert found['H_t'] == (2, 8) and found['W_hq'] == (8, 30)
    assert found['forward.W_hh'] == (3, 3) and found['backward.W_hh'] == (5, 5) and found['backward.W_xh'] == (30, 5)
    above = directions.shapes(3, 5, num_layers=2)
    assert above['layer1.forward.W_xh'] == (8, 3) and above['layer1.backward.W_xh'] == (8, 5)


def test_each_layer_but_the_first_sees_everything():
    sight = bi_layers.seen(2, num_steps=5)
    before = np.tril(np.ones((5, 5), dtype=bool))
    assert (sight['layer 1 forward'] == before).all() and (sight['layer 1 backward'] == before.T).all()
    assert sight['layer 2 forward'].all() and sight['layer 2 backward'].all()


@pytest.mark.parametrize('backward', [0, 3])
def test_gaps_are_learned_with_and_without_a_second_direction(backward, bench):
    ways = {'bidirectional': True, 'backward_hiddens': backward} if backward else {}
    one, two = (directions.learn(bench, 'x', num_hiddens=5, num_epochs=2, **ways) for _ in range(2))
    assert one.scores == two.scores and len(one.scores) == 2 and one.best.perplexity == min(s.perplexity for s in one.scores)
    assert one.scores[1].perplexity < one.scores[0].perplexity


NAN = float('nan')


@pytest.mark.parametrize('single, perplexities, noise, english, chinese', [
    (300.0, (200.0, 210.0, 220.0), 5.0, ['4 + 4 is clearly best', 'clearly worse than any split'],
     ['4 + 4 明显最好', '不如任何一种']),
    (214.0, (200.0, 203.0, 220.0), 5.0, ['4 + 4, 2 + 6 are best, with no clear', 'worse than the best split'],
     ['4 + 4、2 + 6 最好，', '明显不如最好的分法']),
    (202.0, (200.0, 203.0, 201.0), 5.0, ['no clear difference between them', 'no clear difference from the best split'],
     ['它们之间没有明显差别', '与最好的分法没有明显差别']),
    (100.0, (200.0, 203.0, 201.0), 5.0, ['clearly better than any split'], ['明显好于任何一种分法']),
    (NAN, (200.0, NAN, NAN), 5.0, ['which cannot be compared'], ['无法比较']),
    (NAN, (NAN, NAN, NAN), NAN, ['No split came to a finite perplexity'], ['没有一种分法得到有限的困惑度'])])
def test_of_splits_it_says_what_was_measured(single, perplexities, noise, english, chinese):
    rows = [(8, 0, 9, 0.1, single, noise, 1.0),
            *((n, 8 - n, 9, 0.1, value, 1.0, 1.0) for n, value in zip((4, 2, 1), perplexities))]
    en, zh = directions._directions_answer([(1, 7, '2 x 8', '1 x 1', '7 x 7', '8 x 30')], rows)
    assert all(word in en for word in english) and all(word in zh for word in chinese), (en, zh)


@pytest.mark.parametrize('perplexities, noise, english, chinese', [
    ((316.0, 368.0, 578.0), 5.0, '1 layer fills clearly best', '1 层明显最好'),
    ((316.0, 310.0, 578.0), 8.0, '1 and 2 layers fill best, with no clear difference between them', '1 层和 2 层最好，它们'),
    ((400.0, 310.0, 312.0), 8.0, '2 and 3 layers fill best, with no clear difference', '2 层和 3 层最好，它们'),
    ((400.0, 310.0, 350.0), 8.0, '2 layers fill clearly best', '2 层明显最好'),
    ((316.0, 310.0, 312.0), 8.0, 'no clear difference between them, the seeds', '它们之间没有明显差别，随机种子'),
    ((NAN, NAN, NAN), NAN, 'no network came to a finite perplexity', '没有网络得到有限的困惑度')])
def test_of_layers_it_says_what_was_measured(perplexities, noise, english, chinese):
    looked = [(k + 1, 'forward', '', 8 if k else 1, 8, 0) for k in range(3)]
    rows = [(k + 1, 2 * k + 2, 9, 0.1, value, noise, 1.0) for k, value in enumerate(perplexities)]
    en, zh = bi_layers._answer(looked, rows, 4, 6)
    assert f'In 6 epochs from weights of N(0, 0.01): {english}' in en and f'训练 6 个迭代周期：{chinese}' in zh, (en, zh)
