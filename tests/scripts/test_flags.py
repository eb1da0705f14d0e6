"""Flags that several scripts have mean the same in each and have the same default; each --help says how long it takes."""
import argparse
import importlib
from pathlib import Path

import _cli
import pytest
from _flags import make_room

SCRIPTS = sorted(path.stem for path in Path(_cli.__file__).parent.glob('[a-z]*.py'))
MADE_ELSEWHERE = {'demo', 'launch'}     # no --out of their own
TEXTS = {'--overwrite': 'replace what an earlier call has left', '--seed': 'one seed gives one result'}


def parsers(name):
    """The parser of a script, and those of its commands."""
    module = importlib.import_module(name)
    found = [module.parser()] if hasattr(module, 'parser') else [_cli.ArgumentParser(description=module.__doc__)]
    for action in found[0]._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += list(action.choices.values())
    return found


def flags(parser):
    return {flag: action for action in parser._actions for flag in action.option_strings}


@pytest.mark.parametrize('name', SCRIPTS)
def test_help_says_how_long_it_takes(name):
    assert any(word in parsers(name)[0].format_help() for word in ('second', 'minute', 'hour', 'as long as'))


@pytest.mark.parametrize('name', [name for name in SCRIPTS if name not in MADE_ELSEWHERE])
def test_results_lie_in_runs_and_are_not_replaced_unless_told(name):
    for parser in parsers(name):
        known = flags(parser)
        if '--out' in known and not parser.prog.endswith(' predict'):
            default = known['--out'].default
            assert not known['--out'].required and ((default is None and '(default: ' in known['--out'].help) or
                                                    default.parts[0] == 'runs'), parser.prog
            assert known['--overwrite'].default is False, parser.prog


@pytest.mark.parametrize('name', SCRIPTS)
def test_one_flag_means_one_thing(name):
    for parser in parsers(name):
        known = flags(parser)
        for flag, text in TEXTS.items():
            if flag in known and name != 'train':
                assert text in known[flag].help, parser.prog
        if '--seed' in known:
            assert known['--seed'].default in (0, argparse.SUPPRESS)
        if '--quick' in known:
            assert known['--quick'].default is False and known['--quick'].help.startswith('as small as still runs')


def test_what_is_there_is_told_before_any_work(tmp_path, refused, script, small):
    (tmp_path / 'there').write_text('')
    make_room([tmp_path / 'there'], True)
    make_room([tmp_path / 'new'], False)
    with pytest.raises(ValueError, match='there is there already: choose another --out, or replace it by --overwrite'):
        make_room([tmp_path / 'new', tmp_path / 'there'], False)
    script('train', *small, '--num-epochs', 1, '--out', tmp_path / 'run')
    flags = ('export', tmp_path / 'run', '--format', 'html')
    assert script(*flags).status == 0
    refused('run.html is there already', *flags)
    assert script(*flags, '--overwrite').status == 0
    for name, file in (('waveform', 'waveform.png'), ('alphabet', 'alphabet.json'), ('bptt_cost', 'cost.png')):
        (tmp_path / file).write_text('')
        refused(f'{file} is there already', name, '--out', tmp_path)


@pytest.mark.parametrize('command', [('score', 'none', '想'), ('waveform', '--num-samples', 1),
                                     ('benchmark', 'epochs', '--num-chars', 10), ('export', 'none', '--format', 'onnx')])
def test_what_is_refused_leaves_no_folder(script, tmp_path, command):
    assert script(*command, '--out', tmp_path / 'new' / 'it').status == 2
    assert not any(tmp_path.iterdir())


def test_a_count_that_is_none_says_so(refused):
    refused("argument --num-samples: invalid whole number value: 'x'", 'waveform', '--num-samples', 'x')
    refused('--num-samples must be', 'waveform', '--num-samples', 0)
