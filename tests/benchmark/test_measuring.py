"""The measuring of implementations beside each other."""
from __future__ import annotations

import json
import os

import pytest

from gluon_rnn.benchmark import implementations, measuring
from gluon_rnn.benchmark.implementations import Case, Setting
from gluon_rnn.benchmark.measuring import Measurement
from gluon_rnn.runtime import environment

SMALL = Setting(num_hiddens=8, num_steps=5, batch_size=4, vocab_size=20, num_chars=200)


def worker(tmp_path, body: str, name: str = 'worker') -> Case:
    path = tmp_path / f'{name}.py'
    path.write_text(body)
    return Case(name, path)


def test_each_case_answers_once_a_round_and_in_turns(tmp_path):
    log = tmp_path / 'log'
    body = (f'def prepare(options):\n'
            f'    def epoch():\n'
            f'        print("a worker may print what it likes")\n'
            f'        open({str(log)!r}, "a").write(options["mark"])\n'
            f'        return {{"perplexity": len(options["corpus_indices"]), "seconds": 0.5}}\n'
            f'    return epoch\n')
    cases = [Case(mark, worker(tmp_path, body, mark).worker, {'mark': mark}) for mark in 'AB']
    results = measuring.measure(cases, SMALL, rounds=3, threads=1, repeats=0)
    assert log.read_text() == 'AB' + 'ABABAB'       # warm-up, then three rounds
    for result in results:
        assert not result.error
        assert result.seconds == (0.5,) * 3 and result.perplexity == 200
        assert [answer['perplexity'] for answer in result.answers] == [200] * 3 and 'answers' not in result.to_dict()
        assert result.tokens == SMALL.tokens == 180 and result.tokens_per_second == 360
        assert result.memory >= result.library_memory > 0


def test_a_round_beside_other_programs_is_repeated(tmp_path):
    body = ('used = iter([0, 0.9, 0.8, 0.1, 0, 0.7])\n'
            'def prepare(options):\n    return lambda: {"seconds": (other := next(used)) + 1, "others": other}\n')
    told = []
    result, = measuring.measure([worker(tmp_path, body)], SMALL, rounds=2, threads=1, on_progress=told.append)
    assert result.seconds == (1.1, 1.0)
    wanted = [f'again: other programs kept {used} CPUs busy' for used in ('0.90', '0.80')]
    assert [text for text in told if 'again' in text] == wanted
    busy, = measuring.measure([worker(tmp_path, body)], SMALL, rounds=2, threads=1, busy=True)
    assert busy.seconds == (1.9, 1.8)


def test_peak_memory_is_the_process_s_own(tmp_path):
    body = 'def prepare(options):\n    return lambda: len(bytearray(options["size"]) * 1)\n'
    path = worker(tmp_path, body).worker
    size = 64 << 20
    ballast = bytearray(os.urandom(1 << 20)) * 256      # of the process that measures, not of the one measured
    small, large = measuring.measure([Case('small', path, {'size': 1}), Case('large', path, {'size': size})], SMALL,
                                     rounds=1, repeats=0)
    assert size < large.memory - small.memory < 4 * size
    assert small.memory < len(ballast) / 2


def test_threads_and_environment(tmp_path, monkeypatch):
    body = ('import os\n'
            'def prepare(options):\n'
            '    raise RuntimeError(" ".join(str(os.environ.get(name)) for name in options["names"]), options["threads"])\n')
    path = worker(tmp_path, body).worker
    names = ['OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'OPENBLAS_CORETYPE', 'OWN']
    monkeypatch.setenv('OPENBLAS_CORETYPE', 'HASWELL')
    monkeypatch.setitem(environment._chosen, 'OPENBLAS_CORETYPE', 'HASWELL')        # as prepare() would have left it
    result, = measuring.measure([Case('env', path, {'names': names}, {'OWN': 'yes'})], SMALL, threads=3, repeats=0)
    assert result.error == "RuntimeError: ('3 3 3 None yes', 3)"
    monkeypatch.setitem(environment._chosen, 'OPENBLAS_CORETYPE', 'ZEN')            # so this one is the user's
    result, = measuring.measure([Case('env', path, {'names': names})], SMALL, threads=2, repeats=0)
    assert result.error == "RuntimeError: ('2 2 2 HASWELL None', 2)"
    result, = measuring.measure([Case('env', path, {'names': names}, {'OMP_NUM_THREADS': '1'})], SMALL, threads=2, repeats=0)
    assert result.error == "RuntimeError: ('1 2 2 HASWELL None', 1)"


# a worker that hangs when it is asked for no more
AT_THE_END = '''import os, sys, time
class Questions:
    def __iter__(self):
        yield from stdin
        {}
        time.sleep(60)
stdin, sys.stdin = sys.stdin, Questions()
def prepare(options):
    return lambda: 1.0
'''


@pytest.mark.parametrize('body, wanted', [
    ('import no_such_module_at_all\n', "No module named 'no_such_module_at_all'"),
    ('def prepare(options):\n    raise SystemExit(7)\n', 'ended with status 7'),
    ('import time\ndef prepare(options):\n    time.sleep(60)\n', 'no answer within 1 seconds'),
    (AT_THE_END.format('pass'), 'no answer within 1 seconds'),
    (AT_THE_END.format('os.close(1)'), 'no answer within 1 seconds'),
    # where only answers should stand, as C++ does
    ('import os\ndef prepare(options):\n    os.write(1, b"a warning\\xff\\n")\n    return lambda: 1.0\n',
     "answered 'a warning\ufffd'"),
])
def test_a_case_that_cannot_run_says_why_and_spoils_no_other(tmp_path, body, wanted):
    good = worker(tmp_path, 'def prepare(options):\n    return lambda: 1.0\n', 'good')
    bad, other = measuring.measure([worker(tmp_path, body, 'bad'), good], SMALL, rounds=2, repeats=0,
                                   timeout=1 if 'sleep' in body else 60)
    assert wanted in bad.error and not bad.seconds
    assert not other.error and len(other.seconds) == 2
    table = measuring.speed_table([bad, other])
    assert wanted in table and 'good' in table
    assert bad.to_dict() == {'name': 'bad', 'error': bad.error}


def test_wrong_questions_are_refused(tmp_path):
    case = Case('same', tmp_path / 'none.py')
    with pytest.raises(ValueError, match='rounds must be 1 or more, got 0'):
        measuring.measure([case], SMALL, rounds=0)
    with pytest.raises(ValueError, match='threads must be 1 or more, or None for all CPUs, got 0'):
        measuring.measure([case], SMALL, threads=0)
    with pytest.raises(ValueError, match='a name of its own'):
        measuring.measure([case, case], SMALL)
    with pytest.raises(ValueError, match='19 characters make no batch of 4 x 5'):
        measuring.measure([case], Setting(num_steps=5, batch_size=4, num_chars=19))


def test_ratios_are_to_the_reference():
    slow = Measurement('slow', (4.0, 2.0, 3.0), 300, 1, 2 << 20, 1 << 20, 5.0)
    fast = Measurement('fast', (1.5,), 300, 1, 2 << 20, 1 << 20, 5.0)
    assert fast.to_dict(slow)['times_as_fast'] == 2 and fast.to_dict()['times_as_fast'] is None
    assert json.loads(json.dumps(slow.to_dict(slow)))['highest'] == 4
    assert cells(measuring.speed_table([slow, fast], 'slow').splitlines()[3])[5] == '2.000'


def test_a_table_has_the_columns_asked_for():
    writer = Measurement('writer', (4.0, 2.0, 3.0), 300, 1, 2 << 20, 1 << 20)
    heading, _, row = map(cells, measuring.speed_table([writer]).splitlines())
    assert heading == ['', 's/epoch', 'lowest', 'highest', 'chars/s', 'times', 'first', 'MiB', 'libs', 'others', 'perplexity']
    assert row == ['writer', '3.000', '2.000', '4.000', '100.0', '1.000', '1', '2', '1', '-', '-']
    heading, _, row = map(cells, measuring.speed_table([writer], unit='text', columns=['highest', 'chars/s']).splitlines())
    assert heading == ['', 's/text', 'highest', 'chars/s'] and row == ['writer', '3.000', '4.000', '100.0']


def cells(line):
    """The cells of a row of a printed table."""
    return [cell.strip() for cell in line.strip('|').split('|')]


@pytest.mark.slow
def test_real_cases_are_measured():
    cases = implementations.book_cases()[:1] + implementations.own_cases(['gluon'])
    results = measuring.measure(cases, SMALL, rounds=2, threads=1, repeats=0)
    assert [r.error for r in results] == ['', '']
    assert all(s > 0 for r in results for s in r.seconds)
    assert all(r.first_seconds > 0 for r in results)
