"""`scripts/train.py` as a user starts it, on the same text: the cost of progress, samples and files shows."""
from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict

_SCRIPT = Path(__file__).resolve().parents[3] / 'scripts' / 'train.py'
_EPOCHS = 8         # of a run; the first few are not counted, in which caches fill and threads start
_NOT_COUNTED = 3


def prepare(options: Dict[str, Any]) -> Callable[[], Dict[str, Any]]:
    def run() -> Dict[str, Any]:
        """Starts a run and returns the median of its epochs, as its own records have them, its first perplexity, and its
        memory: the most that any run so far has taken.
        """
        with tempfile.TemporaryDirectory() as folder:
            text, out = Path(folder) / 'text.txt', Path(folder) / 'run'
            text.write_text(''.join(chr(0x4e00 + index) for index in options['corpus_indices']), encoding='utf-8')
            sizes = {'num-hiddens': 'num_hiddens', 'num-steps': 'num_steps', 'batch-size': 'batch_size', 'lr': 'lr',
                     'clipping-theta': 'clipping_theta', 'cell': 'cell', 'impl': 'impl'}
            flags = [f'--{flag}={options[name]}' for flag, name in sizes.items()]
            subprocess.run([sys.executable, str(_SCRIPT), '--corpus', str(text), '--out', str(out), '--num-epochs', str(_EPOCHS),
                            '--prefix', chr(0x4e00 + options['corpus_indices'][0]), *flags], check=True, stdout=sys.stderr)
            records = [json.loads(line) for line in (out / 'metrics.jsonl').read_text(encoding='utf-8').splitlines()]
        return {'seconds': statistics.median(record['seconds'] for record in records[_NOT_COUNTED:]),
                'perplexity': records[0]['perplexity'], 'memory': resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024}
    return run
