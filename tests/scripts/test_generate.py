"""scripts/generate.py: several texts, drawn, by beam, as they are written, from a file or from nothing."""
import io
import sys

import pytest


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """A run of a song with its line breaks."""
    from gluon_rnn.runs.folder import RunFolder
    from gluon_rnn.runs.run import Run
    from gluon_rnn.runs.settings import RunSettings
    folder = tmp_path_factory.mktemp('run')
    (folder / 'song.txt').write_text('la la li\nlo la li\n' * 8, encoding='utf-8')
    settings = RunSettings(corpus=str(folder / 'song.txt'), keep_lines=True, num_hiddens=8, num_epochs=2, num_steps=5,
                           batch_size=4, impl='scratch', ctx='cpu', sigma=0.5, lr=1.0)
    with RunFolder(folder / 'run') as opened:
        Run(opened, settings).go()
    return folder / 'run'


def test_several_texts(script, run):
    how = ('--prefix', 'la', '--temperature', 2, '--length', 20)
    several = script('generate', run, *how, '--number', 3, '--seed', 4).out
    assert several == ''.join(script('generate', run, *how, '--seed', seed).out for seed in (4, 5, 6))
    assert len(script('generate', run, '--number', 2, '--top-p', 0.9, '--length', 9).out) == 20     # from no prefix
    beams = script('generate', run, '--prefix', 'la\n', '--beam', 4, '--number', 2, '--length', 9).out
    assert len(beams) == 2 * 13 and beams[:13] == script('generate', run, '--prefix', 'la\n', '--beam', 4, '--length', 9).out


def test_a_prefix_from_a_file(script, run, tmp_path):
    (tmp_path / 'begin.txt').write_bytes('la li\r\nlo\n'.encode('utf-8-sig'))
    found = script('generate', run, '--prefix-file', tmp_path / 'begin.txt', '--prefix', 'li', '--length', 5)
    assert found.status == 0 and found.out[:2] == 'li' and 'la li\r\nlo' in found.out


def test_printed_as_it_is_written(script, run, monkeypatch):
    flushed = []

    class Watched(io.StringIO):
        def flush(self):
            flushed.append(self.getvalue())
    whole = script('generate', run, '--prefix', 'la', '--length', 9, '--temperature', 1).out
    with monkeypatch.context() as patch:
        patch.setattr(sys, 'stdout', Watched())
        script('generate', run, '--prefix', 'la', '--length', 9, '--temperature', 1, '--stream')
    assert flushed[:10] == [whole[:i] for i in range(2, 12)]


@pytest.mark.parametrize('flags, told', [
    (('--number', 2), 'would print one text several times'), (('--number', 2, '--temperature', 0), 'would print one text'),
    (('--number', 3, '--beam', 2), 'would print one text several times'), (('--number', 0), '--number must be 1 or more'),
    (('--beam', 0), 'beam must be 1 or more, got 0'), (('--beam', 2, '--stream'), '--beam draws nothing'),
    (('--beam', 2, '--top-p', 0.5), '--beam draws nothing'), (('--top-p', 2), '--top-p must be above 0 and at most 1'),
    (('--prefix', 'LA'), "prefix 'LA': 'AL' is not in the vocabulary of 6 characters (near: a l)"),
    (('--prefix-file', 'nosuch'), 'nosuch'),
])
def test_refused(refused, run, flags, told):
    refused(told, 'generate', run, *flags)
