"""The one schema of a run: flags, config.json, the book's sections and `Training` read it."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, get_args, get_type_hints

COUNTS = ('period', 'length', 'checkpoint_period', 'min_count')      # 1 or more
# What a continued run may be told anew; all else is settled when it starts.
MAY_CHANGE = ('num_epochs', 'period', 'prefix', 'length', 'ctx', 'checkpoint_period', 'lr', 'clipping_theta', 'lr_decay',
              'lr_decay_after')


@dataclass(frozen=True)
class RunSettings:
    """All settings of a run; `ModelConfig` and `TrainConfig` pick theirs by name, and check them."""
    corpus: str = 'lyrics'                      # a named one, or a text file or a zip of one
    max_chars: Optional[int] = None             # from the start of the text; None: the corpus's own number, 0: all
    tokens: str = 'char'                        # or 'word'
    min_count: int = 1                          # words seen less often are <unk>
    keep_lines: bool = False                    # line breaks are tokens; else spaces, as in the book
    valid_fraction: float = 0                   # held out at the end of the text
    valid_text: Optional[str] = None            # held-out text of a file of its own
    cell: str = 'gru'
    impl: Optional[str] = None                  # None: what suits the network and where it trains, see `cells/default.py`
    num_hiddens: int = 256
    num_layers: int = 1
    embed_size: int = 0                         # columns of an embedding that the network reads; 0: one-hot vectors
    dropout: float = 0
    bidirectional: bool = False
    backward_hiddens: Optional[int] = None      # of the second direction; None: as the first
    activation: str = 'tanh'
    reset_after: Optional[bool] = None          # of the GRU; None: the implementation's own form
    residual: bool = False
    both_forward: bool = False                  # a second direction that reads forward, too
    sigma: Optional[float] = None               # standard deviation of the new weights; None: the book's
    periods: Optional[List[int]] = None         # of the Clockwork RNN; None: its own
    sampling: str = 'consecutive'
    num_epochs: int = 160
    num_steps: int = 35
    batch_size: int = 32
    lr: float = 1e2
    lr_schedule: str = 'constant'               # constant, step, cosine or plateau
    warmup: int = 0                             # updates in which lr rises to its full height
    lr_decay: Optional[float] = None            # what lr is multiplied by; None: the schedule's own
    lr_decay_after: Optional[int] = None        # epochs before it is; None: the schedule's own
    optimizer: str = 'sgd'
    clipping_theta: float = 1e-2                # largest global norm of the gradients; 0: no clipping
    seed: int = 0
    ctx: str = 'auto'                           # one context, or several with commas between them
    period: int = 40                            # epochs from one printing to the next; the book's pred_period
    prefix: Optional[List[str]] = None          # what verses start with; None: the book's
    length: int = 50                            # characters added to each; the book's pred_len
    checkpoint_period: int = 10                 # epochs from one checkpoint to the next

    def as_dict(self) -> Dict[str, Any]:
        """The settings by name, in this order."""
        return dataclasses.asdict(self)


def damage(saved: Mapping[str, Any]) -> str:
    """The first of the settings in a config.json that cannot be what was written there, as 'name is value', or ''."""
    kinds = get_type_hints(RunSettings)
    for name, value in saved.items():
        kind = kinds.get(name, Optional[str])
        allowed = tuple(getattr(k, '__origin__', k) for k in (get_args(kind) if type(None) in get_args(kind) else (kind,)))
        allowed += (int,) * (float in allowed) + (tuple, str) * (name == 'periods')
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed) or (name in COUNTS and value < 1):
            return f'{name} is {value!r}'
    return ''
