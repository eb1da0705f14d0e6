"""gluon_rnn: chapter 6 (recurrent neural networks) of 《动手学深度学习》, MXNet edition.

Importing this package prepares the machine for MXNet 1.9.1 (see `gluon_rnn.runtime`). MXNet itself loads with the first name that
needs it, so that what needs none of it, an exported model, runs where there is none. Where MXNet cannot run, that name raises
ImportError, in one plain sentence.
"""
from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any, List

from . import runtime

try:
    runtime.prepare()
except ImportError as error:
    # without NumPy nothing runs but the diagnosis: while Python looks for `python -m gluon_rnn.runtime`, it has '-m' here
    if not importlib.util.find_spec('numpy') and sys.argv[:1] != ['-m']:
        raise
    runtime.refuse_mxnet(str(error))

from .runtime import seed, try_all_gpus, try_gpu
from .version import __version__

if TYPE_CHECKING:
    from .corpora.corpus import Corpus, load_corpus
    from .models.generation import generate
    from .models.language_model import LanguageModel, ModelConfig, build_model, copy_params
    from .models.scoring import score
    from .runs.checkpoint import load_model
    from .training.config import EpochRecord, TrainConfig
    from .training.trainer import Trainer, train

__all__ = [
    'Corpus', 'EpochRecord', 'LanguageModel', 'ModelConfig', 'TrainConfig', 'Trainer', '__version__', 'build_model',
    'copy_params', 'generate', 'load_corpus', 'load_model', 'runtime', 'score', 'seed', 'train', 'try_all_gpus', 'try_gpu',
]

_LATER = {
    'corpora.corpus': ('Corpus', 'load_corpus'),
    'models.generation': ('generate',),
    'models.language_model': ('LanguageModel', 'ModelConfig', 'build_model', 'copy_params'),
    'models.scoring': ('score',),
    'runs.checkpoint': ('load_model',),
    'training.config': ('EpochRecord', 'TrainConfig'),
    'training.trainer': ('Trainer', 'train'),
}


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name in names:
            return getattr(importlib.import_module(f'{__name__}.{module}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__})
