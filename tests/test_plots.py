"""Pictures: what stands in the figures, and saving them."""
import pytest

from gluon_rnn.corpora.images import load_images
from gluon_rnn.models.classifier import confusion_matrix
from gluon_rnn.models.waveform import target_wave
from gluon_rnn.plots import plot_confusion, plot_perplexity, plot_waves, save_figure
from gluon_rnn.training.config import EpochRecord


def test_perplexity():
    records = [EpochRecord(epoch, 10.0 / epoch, 1.0, 1.0, 1.0, 20.0 / epoch) for epoch in (1, 2)]
    axes, = plot_perplexity({'train': records}).axes
    found = {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()}
    assert found == {'train': [10, 5], 'train, held out': [20, 10]}


def test_a_figure_is_saved_whole(tmp_path):
    figure = plot_perplexity({'train': []})
    save_figure(figure, tmp_path / 'curve.png')
    assert (tmp_path / 'curve.png').read_bytes().startswith(b'\x89PNG')
    with pytest.raises(OSError):
        save_figure(figure, tmp_path / 'none' / 'curve.png')


def test_confusion():
    _, test = load_images('digits')
    answers = test.y.copy()
    for wrong in (0, 45):
        answers[:wrong] = (answers[:wrong] + 1) % 10
        left, right = plot_confusion(confusion_matrix(test.y, answers, 10), test, answers, most=6).axes
        assert left.get_title() == f'{(test.y == answers).mean():.2%} of {len(answers)} right'
        assert right.get_title() == ('6 of the 45 misread: shown → answered' if wrong else 'none misread')


def test_waves():
    target = target_wave(20)
    *waves, errors = plot_waves(target, {'rnn': target, 'lstm': -target}, {'rnn': [1, .5], 'lstm': [1, .2]}).axes
    assert [axes.get_title('left') for axes in waves] == ['rnn: error 0.500', 'lstm: error 0.200']
    assert [line.get_ydata().tolist() for line in errors.get_lines()] == [[1, .5], [1, .2]]
