"""gluon_rnn: chapter 6 (recurrent neural networks) of 《动手学深度学习》, MXNet edition.

Importing this package first prepares the machine for MXNet 1.9.1 (see `gluon_rnn.runtime`), then loads it.
"""
from . import runtime

runtime.prepare()

from .corpus import Corpus, load_corpus  # noqa: E402
from .generation import generate  # noqa: E402
from .language_model import LanguageModel, ModelConfig, build_model, copy_params  # noqa: E402
from .runtime import seed, try_all_gpus, try_gpu  # noqa: E402
from .training import EpochRecord, TrainConfig, Trainer, train  # noqa: E402
from .version import __version__  # noqa: E402

__all__ = [
           'Corpus',
           'EpochRecord',
           'LanguageModel',
           'ModelConfig',
           'TrainConfig',
           'Trainer',
           '__version__',
           'build_model',
           'copy_params',
           'generate',
           'load_corpus',
           'runtime',
           'seed',
           'train',
           'try_all_gpus',
           'try_gpu',
]

