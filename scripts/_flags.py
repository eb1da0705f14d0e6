"""Flags made from the schema of a run, `gluon_rnn.runs.settings`."""
from __future__ import annotations

import argparse
import dataclasses
from typing import Any, Dict, List, Mapping, Sequence, get_args, get_origin, get_type_hints

from gluon_rnn.runs.settings import ALIASES, RunSettings


def add_settings(parser: argparse.ArgumentParser, choices: Mapping[str, Sequence[str]], **words: str) -> Dict[str, Any]:
    """Add a flag for each of `RunSettings` that has a help text; what is not given is not in the parser's answer.

    choices: the values that a setting may have; words: what stands in the help texts for {names}.
    Returns the groups of flags by their headings.
    """
    hints, groups = get_type_hints(RunSettings), {}
    for field in dataclasses.fields(RunSettings):
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
