"""The workbench: its trainings, and its note on the text that was read."""
import math

from gluon_rnn.book.exercises import Workbench


def test_the_workbench_trains_as_the_library_does(bench):
    steps = []
    bench_two = Workbench('lyrics', quick=True, seed=3, on_step=lambda *at: steps.append(at))
    one, two = (bench_two.train('x', cell='gru', verses=True, num_epochs=2, pred_period=1, valid_fraction=0.3) for _ in range(2))
    assert [r.perplexity for r in one.records] == [r.perplexity for r in two.records] and len(steps) > 2
    assert [epoch for epoch, _ in one.verses] == [1, 2] and one.verses == two.verses
    assert one.model.config.impl == 'numba' and one.model.config.num_hiddens == 8
    assert one.best_held_out == min((r.valid_perplexity, r.epoch) for r in one.records)
    assert bench.train('x', cell='gru', num_epochs=2).perplexity != one.perplexity


def test_a_divergence_is_a_result(bench):
    training = bench.train('wild', cell='rnn', activation='relu', clipping_theta=0, lr=1e12, num_epochs=2)
    assert 'no longer finite' in training.diverged and training.records == [] and training.perplexity == math.inf
    assert training.best_held_out == (math.inf, 0)


def test_the_note_says_which_text_an_exercise_has_read():
    bench = Workbench('lyrics', seed=4)
    assert bench.note() == ('text lyrics; seed 4', '文本 lyrics；随机种子 4')
    bench.begin()
    assert bench.note() == ('no text; seed 4', '不用文本；随机种子 4')
    whole = bench.corpus(0)
    bench.corpus(0)
    assert bench.note()[0] == f'text lyrics, {len(whole):,} characters, {whole.vocab_size:,} different; seed 4'
    part = bench.corpus(300)
    assert bench.note()[1].endswith(f'，300 个字符，其中不同的 {part.vocab_size} 个；随机种子 4')
    bench.begin()
    assert bench.note()[0] == 'no text; seed 4'


def test_says_where_another_text_takes_the_books_place(monkeypatch):
    monkeypatch.setattr('gluon_rnn.book.exercises.workbench.corpus_here', lambda name: ('lyrics', 'it is nowhere'))
    bench = Workbench(quick=True)
    en, zh = bench.note()
    assert 'jaychou is not here, lyrics takes its place.' in en and '找不到 jaychou，以 lyrics 代替。' in zh
    assert bench.fallback == 'it is nowhere' not in en + zh      # which is said once, by the script
