"""The one schema of a run: the flags of train.py, config.json, the book's sections and `TrainingJob` read it."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, get_args, get_type_hints

# Names of former versions, in flags and in config.json, and what they are now.
ALIASES = {'period': 'pred_period', 'prefix': 'prefixes', 'length': 'pred_len'}
COUNTS = ('pred_period', 'pred_len', 'checkpoint_period', 'min_count')      # 1 or more


def flag(group: str, default: Any, text: str, *, unless: str = '', may_change: bool = False) -> Any:
    """A setting that is a flag of train.py.

    group: the heading it stands under; text: its help; unless: the default in words, where it depends on others; may_change:
    whether it may be changed when a run is resumed.
    """
    metadata = {'group': group, 'help': text, 'default': unless, 'may_change': may_change}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """The settings of a run of any task, as a config.json holds them."""

    @classmethod
    def read(cls, saved: Mapping[str, Any]) -> Any:
        """The settings that a config.json holds, of this version or an older one.

        A missing setting has its default, an unknown one is ignored. Raises ValueError for a value that cannot be what
        was written.
        """
        hints = get_type_hints(cls)
        known = {new: value for name, value in saved.items() if (new := ALIASES.get(name, name)) in hints}
        for name, value in known.items():
            allowed = tuple(getattr(kind, '__origin__', kind) for kind in get_args(hints[name]) or (hints[name],))
            allowed += (int,) * (float in allowed) + (tuple, str) * (name == 'periods')
            if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
                raise ValueError(f'{name} is {value!r}')
        return cls(**known)

    def changed(self, given: Mapping[str, Any]) -> Any:
        """The settings of a resumed run, with these changed. Raises ValueError for those that cannot be changed."""
        for field in dataclasses.fields(self):
            before, value = getattr(self, field.name), given.get(field.name)
            if field.name in given and value != before and not field.metadata['may_change']:
                raise ValueError(f'{field.name} is {before!r} in the run to go on with, got {value!r}: leave it out, or start '
                                 f'a new run')
        return dataclasses.replace(self, **given)


@dataclass(frozen=True)
class RunSettings(Settings):
    """All settings of a run. `ModelConfig` and `TrainConfig` pick theirs by name, and check them.

    A setting whose default depends on others, as `lr` does, is filled in where it is None.
    Raises ValueError for those that no other room checks.
    """
    corpus: str = flag('text', 'lyrics', '{corpora}, or a text file, plain, .gz or a .zip of one, ZIP:MEMBER, a folder of '
                       'texts, or several of these with commas between them')
    max_chars: Optional[int] = flag('text', None, 'characters to keep from the start, 0: all', unless="10000 of the book's two "
                                    'texts, as the book does, all of any other')
    tokens: str = flag('text', 'char', 'what is predicted; words of a Chinese text need rjieba')
    min_count: int = flag('text', 1, 'words seen less often become <unk>')
    keep_lines: bool = flag('text', False, 'line breaks are kept, as characters or as a word <eos>, instead of becoming '
                            'spaces as in the book')
    encoding: Optional[str] = flag('text', None, 'of the text files, as gb18030', unless='as a byte-order mark says, else utf-8')
    valid_fraction: float = flag('text', 0, 'hold out this part at the end of the text and report its perplexity, too')
    valid_text: Optional[str] = flag('text', None, 'a held-out text of its own file, in place of --valid-fraction')
    init_from: Optional[str] = flag('network', None, 'begin with the weights of this run; its network and vocabulary are kept, '
                                    'characters that it lacks are added')
    cell: str = flag('network', 'gru', 'the recurrent network: sections 6.4, 6.7 and 6.8, or a Clockwork RNN')
    impl: Optional[str] = flag('network', None, 'scratch: by hand, to be read; hybrid: the same as a graph; gluon: the '
                               'gluon.rnn layer; numba: the numbers of scratch, fast, on a CPU',
                               unless='numba on one CPU; gluon on a GPU, where it has the equations; else hybrid')
    num_hiddens: int = flag('network', 256, 'hidden units of a layer, in each direction')
    num_layers: int = flag('network', 1, 'layers, section 6.9')
    embed_size: int = flag('network', 0, 'columns of an embedding that the network reads, as words need it; 0: one-hot vectors, '
                           'as in the book')
    dropout: float = flag('network', 0, 'part of the hidden states between layers set to zero in training')
    bidirectional: bool = flag('network', False, 'a second direction from the end of each batch, section 6.10; it reads the '
                               'answer, so perplexity near 1 means nothing and its verses are poor')
    backward_hiddens: Optional[int] = flag('network', None, 'hidden units of the second direction', unless='as the first')
    activation: str = flag('network', 'tanh', 'of the rnn')
    reset_after: Optional[bool] = flag('network', None, 'of the gru: reset the product with W_hh, as Gluon, cuDNN and PyTorch '
                                       'do, instead of the state, as the book does',
                                       unless="the book's form by hand, the other in Gluon")
    periods: Optional[List[int]] = flag(       # noqa: RUF009
        'network', None, 'of the clockwork: one for each group of hidden units', unless='1 2 4 8')
    sigma: Optional[float] = flag('network', None, 'standard deviation of the new weights', unless="0.01, the book's")
    residual: bool = False                      # each layer adds what it reads to what it gives
    both_forward: bool = False                  # a second direction that reads forward, too
    sampling: str = flag('training', 'consecutive', 'mini-batches, section 6.3')
    num_steps: int = flag('training', 35, 'characters in an example')
    batch_size: int = flag('training', 32, 'examples in a batch')
    num_epochs: int = flag('training', None, 'epochs', unless='250 for the rnn, 160 for the others', may_change=True)
    lr: float = flag('training', None, 'learning rate', unless='100 for sgd, 0.01 for other optimizers', may_change=True)
    lr_schedule: str = flag('training', 'constant', 'step: times --lr-decay at each epoch after the first --lr-decay-after; '
                            'cosine: falls to --lr-decay times lr; plateau: times --lr-decay where held-out text gets no better '
                            'in --lr-decay-after epochs')
    warmup: int = flag('training', 0, 'updates in which the learning rate rises to its full height')
    lr_decay: Optional[float] = flag('training', None, 'what the learning rate is multiplied by', may_change=True,
                                     unless='0.97 for step, 0 for cosine, 0.5 for plateau')
    lr_decay_after: Optional[int] = flag('training', None, 'epochs before it is', unless='10 for step, 1 for plateau',
                                         may_change=True)
    optimizer: str = flag('training', 'sgd', 'the name of any MXNet optimizer, or adamw')
    weight_decay: float = flag('training', 0, 'of the matrices: under adamw the part of a weight, times lr, that each update '
                               'takes away; else added to the gradient')
    patience: Optional[int] = flag('training', None, 'stop after so many epochs that were no better on held-out text',
                                   may_change=True)
    clipping_theta: float = flag('training', 1e-2, 'largest global norm of the gradients, 0: no clipping', may_change=True)
    ctx: str = flag('training', 'auto', "where to train: auto (a GPU if there is one), cpu, gpu, 'gpu(1)', or several that "
                    "share each batch: 'gpu(0),gpu(1)'", may_change=True)
    seed: int = flag('training', 0, 'one seed gives one result')
    pred_period: int = flag('verses', None, 'epochs from one printing to the next', unless='50 for the rnn, 40 for the others',
                            may_change=True)
    prefixes: Optional[List[str]] = flag(      # noqa: RUF009
        'verses', None, 'what verses start with', unless='分开 and 不分开, or the first characters of a text that does not have '
        'them', may_change=True)
    pred_len: int = flag('verses', 50, 'characters, or words, to add to each prefix', may_change=True)
    checkpoint_period: int = flag('the run', 10, 'epochs from one checkpoint to the next', may_change=True)
    tensorboard: bool = flag('the run', False, 'write an event file for TensorBoard, too', may_change=True)
    corpus_sha256: Optional[str] = None         # of the text that the run has started with

    def __post_init__(self) -> None:
        rnn = self.cell == 'rnn'
        for name, default in (('num_epochs', 250 if rnn else 160), ('pred_period', 50 if rnn else 40),
                              ('lr', 1e2 if self.optimizer == 'sgd' else 1e-2)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)
        check_lr(self, 1e-2)
        for name in COUNTS:
            if getattr(self, name) < 1:
                raise ValueError(f'{name} must be 1 or more, got {getattr(self, name)}')
        if self.dropout and self.num_layers == 1:
            raise ValueError(f'dropout acts between layers: num_layers must be 2 or more, got {self.num_layers}')


def check_lr(settings: Any, default: float) -> None:
    """Raise ValueError for a learning rate other than the default, or a schedule of it, of an optimizer that takes none."""
    moved = settings.lr != default or getattr(settings, 'lr_schedule', 'constant') != 'constant' or getattr(settings, 'warmup', 0)
    if settings.optimizer == 'adadelta' and moved:
        raise ValueError('lr does nothing under adadelta, which finds its own steps: leave out lr, lr_schedule and warmup')


def pick(config: Any, settings: Settings, **more: Any) -> Any:
    """A `ModelConfig` or a `TrainConfig` with its part of the settings."""
    names = {field.name for field in dataclasses.fields(config)} - more.keys()
    return config(**{name: getattr(settings, name) for name in names if hasattr(settings, name)}, **more)
