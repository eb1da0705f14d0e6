"""scripts/score.py: runs and exported models side by side, a text given or from a file, the picture."""
import re

import pytest


@pytest.fixture
def runs(script, trained_in, tmp_path):
    for name, flags in (('one', ()), ('two', ('--cell', 'lstm'))):
        trained_in(tmp_path / name, *flags)
    assert script('export', tmp_path / 'one', '--format', 'onnx', '--out', tmp_path / 'one.onnx').status == 0
    return tmp_path


def test_side_by_side(script, runs):
    text = runs / 'verse.txt'
    text.write_text('分开\n不分开', encoding='utf-8')
    ended = script('score', runs / 'one', runs / 'two', runs / 'one.onnx', text, '--least', 2, '--out', runs / 'a' / 'b.png')
    assert (ended.status, ended.err) == (0, '')
    told = re.findall(r': log-probability (-[\d.]+) nats, perplexity ([\d.]+) a token of 6, ([\d.]+) bits a character', ended.out)
    assert len(told) == 3 and told[0] == told[2] != told[1]
    assert len(re.findall(r"least expected: '.' at \d \(p [\d.e-]+\), '.' at \d \(p", ended.out)) == 3
    assert (runs / 'a' / 'b.png').read_bytes().startswith(b'\x89PNG')
    again = script('score', runs / 'one', '分开 不分开', '--out', runs / 'c.png')
    assert again.out.split(': ', 1)[1].splitlines()[0] == ended.out.split(': ', 1)[1].splitlines()[0]


def test_refused(script, refused, runs):
    refused("'Q' is not in the vocabulary", 'score', runs / 'one', 'Q', '--out', runs / 'x.png')
    refused('the same RUN is given twice', 'score', runs / 'one', runs / 'one', '分开')
    refused('--least must be 1 or more', 'score', runs / 'one', '分开', '--least', 0)
    refused('is neither a run with a checkpoint', 'score', runs / 'none', '分开', '--out', runs / 'x.png')
    (runs / 'there.png').write_bytes(b'')
    refused('there.png is there already', 'score', runs / 'one', '分开', '--out', runs / 'there.png')
    assert not (runs / 'x.png').exists()
