"""A training of a classifier of digits, from its settings to its folder."""
from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from .. import runtime
from ..corpora.images import NUM_CLASSES, ImageBatches, load_images
from ..models.base import redraw_uniform
from ..models.classifier import Classifier, ClassifierConfig, classify
from ..models.language_model import redraw_weights
from ..training.config import EpochRecord, TrainConfig
from ..training.trainer import Trainer
from .folder import RunFolder
from .settings import Settings, check_lr, flag, pick
from .task import TaskJob, choose_network


@dataclass(frozen=True)
class DigitsSettings(Settings):
    """All settings of the training of a classifier."""
    data: str = flag('images', 'digits', "digits: scikit-learn's, 8 x 8; mnist: 28 x 28, its files in a folder mnist of the "
                     'data folder')
    cell: str = flag('network', 'lstm', 'the recurrent network')
    impl: Optional[str] = flag('network', None, 'how it is implemented',
                               unless='numba on a CPU; on a GPU gluon where it has the equations, else hybrid')
    num_hiddens: int = flag('network', 128, 'hidden units of a layer, in each direction')
    num_layers: int = flag('network', 2, 'layers')
    dropout: float = flag('network', 0, 'part of the hidden states between layers set to zero in training')
    bidirectional: bool = flag('network', False, 'a second direction, from the bottom row up')
    sigma: Optional[float] = flag('network', None, 'standard deviation of the new weights; the book has 0.01',
                                  unless='as PyTorch draws them, uniform within one over the root of the hidden units')
    num_epochs: int = flag('training', None, 'epochs', unless='2 for mnist, 30 for digits', may_change=True)
    batch_size: int = flag('training', None, 'images in a batch', unless='64 for mnist, 32 for digits')
    lr: float = flag('training', 0.003, 'learning rate', may_change=True)
    optimizer: str = flag('training', 'adam', 'the name of any MXNet optimizer, or adamw')
    clipping_theta: float = flag('training', 1, 'largest global norm of the gradients, 0: no clipping', may_change=True)
    ctx: str = flag('training', 'auto', "where to train: auto (a GPU if there is one), cpu, gpu, 'gpu(1)'", may_change=True)
    seed: int = flag('training', 0, 'one seed gives one result, but for times')
    images_sha256: Optional[str] = None         # of the images that the run has started with

    def __post_init__(self) -> None:
        mnist = self.data == 'mnist'
        for name, default in (('num_epochs', 2 if mnist else 30), ('batch_size', 64 if mnist else 32)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)
        check_lr(self, 0.003)


class DigitsFolder(RunFolder):
    """The folder of a run on digits; digits.png: the confusion matrix and the misread images."""
    settings = DigitsSettings
    format = 'gluon_rnn digits run 1'
    files = ('config.json', 'metrics.jsonl', 'digits.png', 'checkpoint.npz')
    derived = ('loss',)


class DigitsJob(TaskJob):
    """One training of a classifier, from its settings, without a folder.

    Raises ValueError for settings that cannot train, and for images that have changed since the run started.
    """
    names = tuple(map(str, range(NUM_CLASSES)))

    def __init__(self, settings: DigitsSettings):
        ctx, config = runtime.parse_ctx(settings.ctx), pick(TrainConfig, settings, sampling='random')
        choose_network(ClassifierConfig, settings, ctx, num_inputs=1, num_classes=2)    # what is wrong with it comes first
        self.train, self.test = load_images(settings.data)
        digest = hashlib.sha256(self.train.X.tobytes() + self.train.y.tobytes()).hexdigest()
        if settings.images_sha256 not in (None, digest):
            raise ValueError(f'the images {settings.data} have changed since the run started: restore them, or start a new run')
        network = choose_network(ClassifierConfig, settings, ctx, num_inputs=self.train.X.shape[2], num_classes=NUM_CLASSES)
        self.settings = replace(settings, impl=network.impl, images_sha256=digest)
        self.source = ImageBatches(self.train, config.batch_size, seed=config.seed, ctx=ctx)
        runtime.seed(settings.seed)
        model = Classifier.build(network, ctx)
        if settings.sigma is None:
            redraw_uniform(model)
        else:
            redraw_weights(model, settings.sigma)
        self.trainer = Trainer(model, config)

    def measure(self, record: EpochRecord) -> EpochRecord:
        """The record with the part of the test images that are read rightly."""
        return replace(record, accuracy=float(np.mean(self.answers() == self.test.y)))

    def answers(self) -> np.ndarray:
        """The predicted class of each test image."""
        return classify(self.trainer.model, self.test.X)
