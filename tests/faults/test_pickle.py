"""A program hidden in a file of weights: it is never run."""
from __future__ import annotations

import io
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from gluon_rnn.runs import checkpoint
from gluon_rnn.torch_parity import modules


class Program:
    """Unpickled, it leaves a file."""

    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return Path.touch, (self.proof,)


def npz(arrays, others=()):
    """An .npz of arrays and of files of any kind."""
    archive = io.BytesIO()
    np.savez(archive, **arrays)
    with zipfile.ZipFile(archive, 'a') as file:
        for name, data in others:
            file.writestr(name, data)
    return archive.getvalue()


def objects(program, name):
    return npz({name: np.array([program], dtype=object)})


def description(run):
    with np.load(run / 'checkpoint.npz') as file:
        return file['description']


IN_NPZ = {
    'in place of it': lambda program, run: pickle.dumps(program),
    'as its description': lambda program, run: objects(program, 'description'),
    'as one of its arrays': lambda program, run: npz({'description': description(run),
                                                      'params/W_xz': np.array([program], dtype=object)}),
    'beside its arrays': lambda program, run: npz({'description': description(run)},
                                                  [('params/W_xz.pkl', pickle.dumps(program))]),
    'as an array that is none': lambda program, run: npz({'description': description(run)},
                                                               [('params/W_xz.npy', pickle.dumps(program))]),
}


def torch_file(what, **options):
    file = io.BytesIO()
    torch.save(what, file, **options)
    return file.getvalue()


IN_TORCH = {
    'in place of it': lambda program: pickle.dumps(program),
    'as all of it': lambda program: torch_file(program),
    'as its weights': lambda program: torch_file({'format': modules.FORMAT, 'state_dict': program}),
    'as its vocabulary': lambda program: torch_file({'format': modules.FORMAT, 'settings': {}, 'vocabulary': program,
                                                     'state_dict': {}}),
    'in the old form of torch files': lambda program: torch_file({'format': modules.FORMAT, 'settings': program},
                                                                 _use_new_zipfile_serialization=False),
}


@pytest.fixture
def proof(tmp_path):
    """What would be there if the program had been run. That it runs where it is let, is tried first."""
    path = tmp_path / 'it was run'
    pickle.loads(pickle.dumps(Program(path)))
    assert path.exists()
    path.unlink()
    return path


@pytest.fixture
def run(trained_in, tmp_path):
    return trained_in(tmp_path / 'run', '--num-epochs', 1)


@pytest.mark.parametrize('where', IN_NPZ)
def test_in_a_checkpoint(refused, run, proof, tmp_path, tally, where):
    data = IN_NPZ[where](Program(proof), run)
    (run / 'checkpoint.npz').write_bytes(data)
    with pytest.raises(ValueError, match='is not a whole checkpoint'):
        checkpoint.read(run / 'checkpoint.npz')
    said = 'is not a whole checkpoint'
    refused(said, 'generate', run, '--prefix', '分')
    refused(said, 'train', '--out', run, '--resume', '--num-epochs', 2)
    refused(said, 'export', run, '--format', 'torch', '--out', tmp_path / 'model.pt')
    refused(said, 'look', run, '--text', '不分开', '--out', tmp_path / 'look')
    refused(said, 'fill_in', 'predict', '分_开', '--out', run)
    for where_to in ('6.7/scratch', 'any.npz'):
        path = tmp_path / where_to
        path.parent.mkdir(exist_ok=True)
        shutil.copy(run / 'checkpoint.npz', path)
        refused(said, 'generate', path, '--prefix', '分')
    assert not proof.exists()
    tally(f'a pickled program in a `.npz`, {where}, given to 5 commands', {'refused in one line, never run': 1})


@pytest.mark.parametrize('where', IN_TORCH)
def test_in_a_torch_file(proof, tmp_path, tally, where):
    (tmp_path / 'model.pt').write_bytes(IN_TORCH[where](Program(proof)))
    with pytest.raises(ValueError, match=r'model\.pt is no whole model') as error:
        modules.load_model(tmp_path / 'model.pt')
    assert '\n' not in str(error.value)
    assert not proof.exists()
    tally(f'a pickled program in a torch file, {where}', {'refused in one line, never run': 1})
