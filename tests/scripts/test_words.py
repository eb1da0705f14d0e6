"""Runs on words: what they print, how they go on, what is written and exported of them."""
import json
import re

import numpy as np
import pytest

from gluon_rnn.cells.build import IMPLS
from gluon_rnn.runs import checkpoint

TEXT = 'the sea is wide ,\nand the sea is deep .\nwho knows (the sea) ?\n'
FLAGS = ('--tokens', 'word', '--keep-lines', '--embed-size', 5, '--num-hiddens', 7, '--num-steps', 4, '--batch-size', 3,
         '--lr', 1, '--num-epochs', 4, '--period', 2, '--length', 9, '--ctx', 'cpu')


@pytest.fixture
def text(tmp_path):
    path = tmp_path / 'sea.txt'
    path.write_text(TEXT * 4, encoding='utf-8')
    return path


@pytest.mark.parametrize('impl', IMPLS)
def test_a_run_of_words(script, text, tmp_path, impl):
    flags = (*FLAGS, '--corpus', text, '--impl', impl, '--valid-fraction', 0.3, '--prefix', 'the sea\n')
    ended = script('train', *flags, '--out', tmp_path / 'whole')
    assert (ended.status, ended.err) == (0, '')
    a = r'perplexity ([\d.]+) \(([\d.]+) a character\)'
    told = re.search(f'epoch 2, {a}, .* held-out {a}', ended.out)
    saved = checkpoint.read(tmp_path / 'whole' / 'checkpoint.npz')
    words = len(saved.idx_to_char.cut(TEXT * 4))
    assert float(told[2]) == pytest.approx(float(told[1]) ** (words / len(TEXT * 4)), abs=1e-5)
    verse = ended.out[told.start():].splitlines()[1:3]
    assert verse == [' - the sea', '   ' + verse[1][3:]]
    assert script('train', *flags, '--num-epochs', 2, '--out', tmp_path / 'parts').status == 0
    assert script('train', '--out', tmp_path / 'parts', '--resume', '--num-epochs', 4).status == 0
    resumed = checkpoint.read(tmp_path / 'parts' / 'checkpoint.npz')
    assert resumed.idx_to_char == saved.idx_to_char and resumed.idx_to_char.rule == 'marks'
    for name, value in saved.arrays.items():
        np.testing.assert_array_equal(resumed.arrays[name], value, err_msg=name)


def test_what_a_run_of_words_writes_and_exports(script, text, tmp_path):
    run, onnx = tmp_path / 'run', tmp_path / 'run.onnx'
    assert script('train', *FLAGS, '--corpus', text, '--min-count', 5, '--out', run).status == 0
    written = script('generate', run, '--prefix', 'who (an otter', '--length', 12)
    assert written.status == 0 and written.out.startswith('who (an otter')
    assert script('export', run, '--format', 'onnx', '--out', onnx).status == 0
    assert script('generate', onnx, '--prefix', 'who (an otter', '--length', 12).out == written.out
    for kind in ('html', 'torch'):
        refused = script('export', run, '--format', kind, '--out', tmp_path / 'x')
        assert refused.status == 2 and 'export it as ONNX' in refused.err
    refused = script('look', run, '--text', 'the sea is', '--out', tmp_path / 'look')
    assert refused.status == 2 and 'trained on words' in refused.err


def test_words_that_are_refused(script, text, tmp_path):
    for flags, told in ((('--prefix', 'the otter'), "'otter' is not in the vocabulary of 15 words"),
                        (('--min-count', 0), '--min-count must be 1 or more, got 0'),
                        (('--tokens', 'char', '--min-count', 2), '--min-count is for words only'),
                        (('--embed-size', -1), '--embed-size must be 0 (none) or more, got -1')):
        ended = script('train', *FLAGS, '--corpus', text, *flags, '--out', tmp_path / 'run')
        assert ended.status == 2 and told in ended.err, ended.err
        assert not (tmp_path / 'run').exists()


def test_characters_with_their_line_breaks(script, text, tmp_path):
    for keep in (True, False):
        ended = script('train', *('--keep-lines',) * keep, *FLAGS[3:], '--corpus', text, '--prefix', 'sea\nis',
                       '--out', tmp_path / str(keep))
        assert ended.status == 0, ended.err
        assert ('\n' in checkpoint.read(tmp_path / str(keep) / 'checkpoint.npz').idx_to_char) == keep
        assert json.loads((tmp_path / str(keep) / 'config.json').read_text())['keep_lines'] == keep
