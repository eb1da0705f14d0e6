"""The base of the scripts: errors in one line, and a parser that explains itself. Imported before all that may be missing."""
from __future__ import annotations

import argparse
import contextlib
import difflib
import errno
import io
import os
import re
import select
import signal
import sys
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Dict, List, NoReturn, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))     # `python scripts/x.py` finds the library beside it


def run(main: Callable[[], Any]) -> NoReturn:
    """Call main and end the process: an expected error is one line on standard error and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):     # what it cannot hold is printed as \\u5206
            stream.reconfigure(errors='backslashreplace', line_buffering=True)     # a pipe gets each line as it is printed
    warnings.formatwarning = format_warning
    try:
        status = main()
        sys.stdout.flush()
    except KeyboardInterrupt as stopped:
        fail(str(stopped) or 'stopped', 130)
    except BrokenPipeError:         # the reader of our output has gone, as `| head` does
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:
        if not expected(error):
            raise
        if type(error).__module__.partition('.')[0] == 'mxnet':
            end_at_once()       # at its end MXNet would raise once more what its threads have met, out of memory for one
        fail(with_flags(one_line(error)))
    sys.exit(status or 0)


def expected(error: BaseException) -> bool:
    """Whether an error is the user's or the machine's, to be told in one line, and no bug."""
    return (isinstance(error, (ValueError, ArithmeticError, OSError, ImportError, MemoryError))
            or type(error).__module__.partition('.')[0] == 'mxnet')        # MXNet's own carry a stack of C++ frames


def one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f'{error.filename}: ' if error.filename else ''
        full = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
        hint = ': free some space, what was saved before is whole' if error.errno in full else ''
        return f'{where}{error.strerror}{hint}'
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if 'Error: ' in line or 'Check failed' in line]      # MXNet's begin with a stack
    return (said or lines or [type(error).__name__])[0]


def with_flags(message: str) -> str:
    """An error of the library with the flags of the command in place of the parameters that it names.

    'num_steps must be ...' -> '--num-steps must be ...', "ctx='cpu'" -> '--ctx cpu', 'resume=True' -> '--resume'. Flags of one
    word only where the message begins with it, or with a value; nothing in brackets.
    """
    def with_value(found: re.Match[str]) -> str:
        return f'{_flags[found[1]]} {found[3] or ""}'.rstrip() if found[1] in _flags else found[0]
    message = re.sub(r"\b([a-z_]+)=(True|'([^']*)')", with_value, message)

    def flag(found: re.Match[str]) -> str:
        name, first = found[0], not found.start()
        return _flags.get(name, name) if first or ('_' in name and not message.startswith(' is ', found.end())) else name
    return re.sub(r'\([^()]*\)|(?<![\w/.-])[a-z_0-9]+(?![\w/.-])', flag, message)


def fail(message: str, status: int = 2) -> NoReturn:
    try:
        if status == 130 and not select.select([], [sys.stdout], [], 0)[1]:
            raise BlockingIOError       # a full pipe that nobody reads: it was stopped while it waited for that
        sys.stdout.flush()
    except OSError:     # what was printed fits nowhere; Python would complain of it once more when it ends
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with contextlib.suppress(OSError):
        print(f'{Path(sys.argv[0]).name}: {message}', file=sys.stderr)
    if _end_at_once:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def fail_to_import(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End a script that cannot begin: a Python, a NumPy or an MXNet that cannot work, or a package that is missing."""
    if isinstance(error, ModuleNotFoundError):      # a Python that MXNet cannot run on is told before what else is missing there
        try:
            from gluon_rnn import runtime
            runtime.prepare()
        except ImportError as reason:
            error = reason
    if isinstance(error, KeyboardInterrupt):        # while modules load
        fail('stopped', 130)
    if isinstance(error, (ImportError, OSError)):
        fail(one_line(error) + ': pip install -r requirements.txt' * isinstance(error, ModuleNotFoundError))
    sys.__excepthook__(kind, error, trace)


def forget_half_made_arrays(lost: Any) -> None:
    """Ctrl-C in the middle of making or freeing one of MXNet's arrays: its `__del__` would show a traceback."""
    if not (getattr(lost.object, '__module__', '').startswith('mxnet') and
            isinstance(lost.exc_value, (AttributeError, KeyboardInterrupt))):
        sys.__unraisablehook__(lost)


def format_warning(message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None) -> str:
    """One line for what is said to a user, as why a GPU is not used."""
    if issubclass(category, UserWarning):
        return f'{Path(sys.argv[0]).name}: {message}\n'
    return _format_warning(message, category, filename, lineno, line)


def open_closed_streams() -> None:
    """Put the null device where a stream is closed, as by `>&-`: the next file that is opened would take its place."""
    for name in ('stdin', 'stdout', 'stderr'):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, 'r' if name == 'stdin' else 'w', encoding='utf-8'))     # noqa: SIM115


_format_warning = warnings.formatwarning
open_closed_streams()
sys.excepthook = fail_to_import
sys.unraisablehook = forget_half_made_arrays
SILENCE = 8         # seconds, after which a command says that it is still at work
_asked_to_stop = False
_end_at_once = False
_flags: Dict[str, str] = {}     # parameter -> flag, of the command that runs


def end_at_once() -> None:
    """Wait for nothing when the script ends with an error: other processes of the job may never answer again."""
    global _end_at_once
    _end_at_once = True


def stop_on_sigterm(*, at_once: bool = True) -> None:
    """Let a polite kill do what Ctrl-C does, and remember either for `asked_to_stop` and `raise_if_stopped`.

    at_once: raise KeyboardInterrupt wherever the program is; False: only remember.
    """
    global _asked_to_stop
    _asked_to_stop = False

    def stop(*_: Any) -> None:
        global _asked_to_stop
        _asked_to_stop = True
        if at_once:
            raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def asked_to_stop() -> bool:
    return _asked_to_stop


def raise_if_stopped(*_: Any) -> None:
    """Ask this between steps: a KeyboardInterrupt that comes while Python frees an array is lost, as `__del__` loses all."""
    if _asked_to_stop:
        raise KeyboardInterrupt


def at_least(least: int) -> Callable[[str], int]:
    """The type of a flag that takes whole numbers from `least` on."""
    def whole_number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f'must be {least} or more, got {text}')
        return int(text)
    whole_number.__name__ = 'whole number'      # as argparse says it of what is none
    return whole_number


count = at_least(1)


def add_which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--which', choices=['best', 'last'], help='of a run with held-out text: the epoch that was best on it, '
                        'or the last (default: best, where there is one)')


def say_which(run: Path, epoch: int) -> None:
    """On standard error, which epoch of a run was read, where there are two."""
    if run.is_dir() and (run / 'best.npz').exists():
        print(f'{run}: epoch {epoch}', file=sys.stderr)


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults, and leaves the examples at the end as they are."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False, argparse.SUPPRESS):
            return action.help
        return super()._get_help_string(action)


def all_flags(parser: argparse.ArgumentParser) -> List[str]:
    """All flags that its help shows, those of its commands among them."""
    commands = [command for action in parser._actions if isinstance(action, argparse._SubParsersAction)
                for command in action.choices.values()]
    own = [flag for action in parser._actions for flag in action.option_strings if action.help != argparse.SUPPRESS]
    return own + [flag for command in commands for flag in all_flags(command)]


def nearest(flag: str, known: Sequence[str]) -> str:
    """The flag that was meant: its initials, --lr for --learning-rate, the one that it is a part of, or looks like; or ''."""
    initials = '--' + ''.join(word[:1] for word in flag[2:].split('-'))
    parts = [other for other in known if other == initials or (len(flag) > 4 and flag[2:] in other)]
    return next(iter(sorted(parts, key=len) or difflib.get_close_matches(flag, known, 1, 0.6)), '')


class ArgumentParser(argparse.ArgumentParser):
    """A parser whose errors are one line, too."""

    def __init__(self, **kwargs: Any):
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, **kwargs)

    def parse_args(self, *args: Any, **kwargs: Any) -> Any:
        _flags.clear()
        return super().parse_args(*args, **kwargs)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        _flags.update({action.dest: action.option_strings[0] for action in self._actions if action.option_strings})
        self.words = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        message = re.sub(r'^argument (?:-\w/)?(--.*): must', r'\1 must', message)
        unknown = re.findall(r'--[\w-]+', message) if message.startswith('unrecognized arguments') else []
        if 'invalid choice' in message:     # the value of a flag that is unknown was taken for a command
            unknown = [word for word in self.words if re.fullmatch(r'--[\w-]+', word) and word not in self._option_string_actions]
            message = f'unrecognized arguments: {unknown[0]}' if unknown else message
        meant = [f'{best} for {flag}' for flag in unknown if (best := nearest(flag, all_flags(self)))]
        fail(f'{message}{f": did you mean {meant[0]}?" if meant else ""} (--help lists all flags)')
