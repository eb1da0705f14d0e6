"""The header of a run: a few lines that are printed before its first epoch."""
from __future__ import annotations

from .. import runtime
from ..corpora.sampling import num_batches
from .fine_tune import describe_beginning
from .run import Run


def header(run: Run) -> str:
    """Text, network, machine, epochs and folder of a run, a line each."""
    settings, config, net, trainer = run.settings, run.trainer.config, run.model_config, run.trainer
    held_out = 0 if run.valid_indices is None else len(run.valid_indices)
    of = f' of {settings.valid_text}' if settings.valid_text else ''
    layers = f'{_count(net.num_layers, "layer")} of {net.num_hiddens} hidden units'
    parameters = _count(trainer.model.num_parameters(), 'parameter')
    devices = ', '.join(str(model.ctx) for model in trainer.replicas.models)
    processes = trainer.replicas.store.num_workers if trainer.replicas.store else 1
    batches = num_batches(len(run.train_indices), config.batch_size, config.num_steps, config.sampling)
    rate = f'{config.optimizer}, lr {config.lr:g}{f" ({config.lr_schedule})" * (config.lr_schedule != "constant")}'
    unit = 'character' if run.idx_to_char.rule == 'char' else 'word'
    begins = [describe_beginning(run.init, settings.init_from, run.corpus.vocab_size)] if run.init and settings.init_from else []
    return '\n'.join((
        f'text: {settings.corpus}, {_count(len(run.corpus), unit)} on {_count(run.corpus.num_lines, "line")}, '
        f'{run.corpus.vocab_size:,} different; {held_out:,}{of} held out',
        f'network: {"bidirectional " * net.bidirectional}{net.cell}, {layers}, {parameters}',
        *begins,
        f'runs on: {net.impl}, {devices}, {_count(runtime.num_threads(), "thread")}'
        f'{f", {processes} processes" * (processes > 1)}',
        f'training: {_count(config.num_epochs, "epoch")} of {_count(batches, "batch", "batches")}, each {config.batch_size} x '
        f'{config.num_steps} {unit}s; {rate}',
        f'folder: {run.folder.folder}'))


def _count(number: int, one: str, several: str = '') -> str:
    return f'{number:,} {one if number == 1 else several or one + "s"}'
