"""Flags made from the schema of a run, `gluon_rnn.runs.settings`, and those that mean the same in every script."""
from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Type, get_args, get_origin, get_type_hints

from _cli import at_least

from gluon_rnn.runs.settings import ALIASES, RunSettings, Settings


def add_settings(parser: argparse.ArgumentParser, choices: Mapping[str, Sequence[str]], schema: Type[Settings] = RunSettings,
                 **words: str) -> Dict[str, Any]:
    """Add a flag for each of the schema's settings that has a help text; what is not given is not in the parser's answer.

    choices: the values that a setting may have; words: what stands in the help texts for {names}.
    Returns the groups of flags by their headings.
    """
    hints, groups = get_type_hints(schema), {}
    for field in dataclasses.fields(schema):
        if not field.metadata:
            continue
        heading = field.metadata['group']
        if heading not in groups:
            groups[heading] = parser.add_argument_group(heading)
        kind, *none = get_args(hints[field.name]) or (hints[field.name],)
        options: Dict[str, Any] = {'type': kind}
        if kind is bool:
            options = {'action': argparse.BooleanOptionalAction if none else 'store_true'}
        elif get_origin(kind) is list:
            options = {'type': get_args(kind)[0], 'nargs': '+', 'action': 'extend'}
        if field.name in choices:
            options['choices'] = choices[field.name]
        default = field.metadata['default'] or ('' if kind is bool or field.default is None else str(field.default))
        text = field.metadata['help'].format(**words) + (f' (default: {default})' if default else '')
        groups[heading].add_argument(*flags_of(field.name), dest=field.name, default=argparse.SUPPRESS,
                                     help=text.replace('%', '%%'), **options)
    return groups


def flags_of(name: str) -> List[str]:
    """The flag of a setting, and those of its former names."""
    return [f'--{word.replace("_", "-")}' for word in (name, *(old for old, new in ALIASES.items() if new == name))]


def add_out(parser: argparse.ArgumentParser, default: Path | None, text: str) -> None:
    """Add --out, where results go, and --overwrite. default: None where `text` says it."""
    parser.add_argument('--out', type=Path, default=default, help=text)
    parser.add_argument('--overwrite', action='store_true', default=False, help='replace what an earlier call has left there')


def add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--seed', type=at_least(0), default=0, help='one seed gives one result, but for times')


def add_quick(parser: argparse.ArgumentParser, minutes: str) -> None:
    parser.add_argument('--quick', action='store_true', help=f'as small as still runs, to see that all of it works: its figures '
                        f'mean nothing; {minutes}')


def check_free(paths: Sequence[Path], overwrite: bool) -> None:
    """Raise ValueError where one of these files is there already, unless told to overwrite it."""
    there = [path for path in paths if path.is_file()]
    if there and not overwrite:
        raise ValueError(f'{there[0]} is there already: choose another --out, or replace it by --overwrite')


def make_room(paths: Sequence[Path], overwrite: bool) -> None:
    """The same, and make the folders of these files: for commands that can refuse nothing after it."""
    check_free(paths, overwrite)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
