"""The same networks in PyTorch: the only room that imports torch, and nothing else of the project imports it.

    modules.py      the networks: the loops by hand as the PyTorch ports of the book write them, and the torch.nn layers
    layout.py       weights from there to here and back: `to_torch`, `from_torch`
    model_file.py   a trained model as a file that PyTorch reads without MXNet
    lockstep.py     one training step, in MXNet and in PyTorch
    parity.py       proof that both compute the same
    curves.py       both learning from the same weights on the same batches
    worker.py       what a process runs that is measured beside the others (`gluon_rnn/benchmark/cases.py`)
    page.py         all of it as one HTML page
"""
try:
    import torch  # noqa: F401
except ImportError:
    raise ImportError('PyTorch is not installed: pip install torch==2.13.0') from None

from .layout import from_torch, to_torch

__all__ = ['from_torch', 'to_torch']
