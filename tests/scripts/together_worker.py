"""One worker of test_together.py: trains each of CASES with the others, and leaves its weights and records in a folder."""
import dataclasses
import json
import sys
from pathlib import Path

import gluon_rnn

# isort: split
import mxnet as mx
import numpy as np

from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model
from gluon_rnn.training.kvstore import Store

TRAIN = {'num_steps': 5, 'batch_size': 7, 'num_epochs': 2, 'seed': 3, 'lr': 1.0, 'clipping_theta': 0.1}
CASES = {       # the model, the training, contexts of each worker
    'hybrid-consecutive': ({'impl': 'hybrid'}, {}, 1),
    'scratch-random': ({'cell': 'rnn'}, {'sampling': 'random'}, 1),
    'gluon-deep': ({'impl': 'gluon', 'cell': 'lstm', 'num_layers': 2}, {'optimizer': 'adam', 'lr': 0.01}, 1),
    'bidirectional-two-contexts': ({'impl': 'hybrid', 'bidirectional': True}, {'sampling': 'random'}, 2),
}


def train(case, store):
    """Train one case. Returns its trainer and the records of its epochs."""
    model, training, num_contexts = CASES[case]
    corpus = gluon_rnn.load_corpus('lyrics', max_chars=300)
    gluon_rnn.seed(1)
    config = ModelConfig(**{'cell': 'gru', 'num_hiddens': 8, 'vocab_size': corpus.vocab_size, **model})
    contexts = [mx.cpu(i) for i in range(num_contexts if store else 1)]
    first, *replicas = [build_model(config, ctx) for ctx in contexts]
    trainer = Trainer(first, TrainConfig(**{**TRAIN, **training}), replicas=replicas, store=store)
    return trainer, list(trainer.epochs(corpus.indices))


def main(folder):
    with Store('dist_sync') as store:
        assert store.broadcast(b'from rank 0 \x00\xff' * 99 if store.rank == 0 else None) == b'from rank 0 \x00\xff' * 99
        assert store.broadcast(b'' if store.rank == 0 else None) == b''
        for case in CASES:
            trainer, records = train(case, store)
            np.savez(folder / f'{case} {store.rank}.npz', **{k: v.asnumpy() for k, v in trainer.model.parameters().items()})
            (folder / f'{case} {store.rank}.json').write_text(json.dumps([dataclasses.asdict(record) for record in records]))


if __name__ == '__main__':
    main(Path(sys.argv[1]))
