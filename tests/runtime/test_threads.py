"""Who computes with threads: MXNet's own thread has a team, the main thread none, whatever it does beside training."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The book's size: arrays below 200,000 numbers are nobody's work for several threads.
TRAINING = '''
import os, sys
from pathlib import Path
import gluon_rnn
from gluon_rnn import Corpus, ModelConfig, TrainConfig, Trainer, build_model, copy_params, generate
from gluon_rnn.runs.checkpoint import Checkpoint, read, save

def threads():
    return len(os.listdir('/proc/self/task'))

def first_epoch(model):
    trainer = Trainer(model, TrainConfig(num_epochs=3, num_steps=5, batch_size=8))
    return trainer, next(trainer.epochs(corpus.indices))

text = ''.join(chr(0x4e00 + i % 1027) for i in range(2000))
corpus = Corpus.from_text(text)
config = dict(cell='gru', num_hiddens=256, vocab_size=corpus.vocab_size)
trainer, _ = first_epoch(build_model(ModelConfig(impl='hybrid', **config)))
before = threads()
def done(what):
    print(what, threads() - before, flush=True)

checkpoint = Checkpoint.take(trainer, corpus.idx_to_char)
done('take')
save(Path(sys.argv[1]), checkpoint)
read(Path(sys.argv[1])).resume(trainer)
done('resume')
copy_params(trainer.model, build_model(ModelConfig(impl='scratch', **config)))
done('copy')
for record in trainer.epochs(corpus.indices, corpus.indices[:500]):
    done('epoch with held-out text')
generate(trainer.model, corpus.idx_to_char, text[:3], 20)
generate(trainer.model, corpus.idx_to_char, text[:3], 20, temperature=1, seed=0)
done('text')
'''


@pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='threads are counted in /proc')
@pytest.mark.slow
def test_the_main_thread_has_no_team_of_its_own(tmp_path):
    """With it, libgomp counts more threads than CPUs, and none spins any more: each meeting of a step is a sleep."""
    variables = {name: value for name, value in os.environ.items() if name != 'MXNET_CPU_PARALLEL_SIZE'}
    ended = subprocess.run([sys.executable, '-c', TRAINING, str(tmp_path / 'x.npz')], cwd=ROOT, text=True, capture_output=True,
                           env={**variables, 'OMP_NUM_THREADS': '2', 'PYTHONPATH': str(ROOT)}, timeout=300)
    assert ended.returncode == 0, ended.stderr
    grown = [line.rsplit(' ', 1) for line in ended.stdout.splitlines()]
    assert [what for what, _ in grown] == ['take', 'resume', 'copy', *['epoch with held-out text'] * 2, 'text']
    assert {number for _, number in grown} == {'0'}, ended.stdout
