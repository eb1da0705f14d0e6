"""The lines before the first epoch say what will be done."""
from __future__ import annotations

import pytest


@pytest.mark.parametrize(('flags', 'lines'), [
    ((), ['text: lyrics, 400 characters on 37 lines, ', 'network: gru, 1 layer of 8 hidden units, ',
          'runs on: gluon, cpu(0), ',
          'training: 4 epochs of 6 batches, each 8 x 8 characters; sgd, lr 100', 'folder: ']),
    (('--valid-fraction', 0.2, '--cell', 'lstm', '--num-layers', 2, '--bidirectional', '--impl', 'gluon',
      '--ctx', 'cpu(0),cpu(1)', '--optimizer', 'adam', '--lr-schedule', 'cosine'),
     ['text: lyrics, 400 characters on 37 lines, 185 different; 80 held out', 'network: bidirectional lstm, 2 layers of 8 hidden '
      'units, ', 'runs on: gluon, cpu(0), cpu(1), ', 'training: 4 epochs of 4 batches, each 8 x 8 characters; adam, lr 0.01 '
      '(cosine)', 'folder: ']),
])
def test_the_header_says_what_will_be_done(script, small, tmp_path, flags, lines):
    ended = script('train', *small, *flags, '--out', tmp_path / 'run')
    assert ended.status == 0, ended.err
    printed = ended.out.splitlines()
    assert [line[:len(wanted)] for line, wanted in zip(printed, lines)] == lines
    assert printed[4] == f'folder: {tmp_path / "run"}' and printed[5].startswith('epoch 2, ')
    from gluon_rnn.runs import checkpoint
    number = sum(value.size for name, value in checkpoint.read(tmp_path / 'run' / 'checkpoint.npz').arrays.items()
                 if name.startswith('params/'))
    assert f', {number:,} parameters' in printed[1]
