"""Where the time of a batch goes, operator by operator, and the floor beneath it.

The floor is what the products of a batch take at the rate of the largest of them, and what must be moved takes at the bandwidth
of memory; both are measured beside the batches, round after round, so that a machine that slows down slows down all three. It is
a measure and no law: a product of another shape has another rate, and what a cache still holds need not come from memory.
"""
from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Tuple

import mxnet as mx
from mxnet import nd

from .. import runtime
from ..cells.build import IMPLS
from ..cells.weights import GATES
from ..tables import Table, markdown_lines
from .implementations import WORKERS, Setting
from .measuring import check_measuring

Operators = Dict[str, Tuple[float, float]]      # operator -> how often, milliseconds
# what MXNet's engine does between operators, and what contains others
_NO_OPERATORS = ('DeleteVariable', 'WaitForVar', 'WaitForAll', '_backward_CustomFunction', 'CustomFunction', '_CachedOp',
                 '_backward_CachedOp', 'pure_python', 'ResourceNativeRandomSetSeed')
_KEPT = {'rnn': 0, 'gru': 3, 'lstm': 5}     # beside H: the gates, of which an RNN's is H itself, and C
_NUMBER = 4                     # bytes of a float32
_ARRAY_BYTES = 64 << 20         # of each array that is added: more than the caches hold


def settle(model: Any) -> None:
    """Wait until all that is queued for a model's weights and gradients is done."""
    for array in model.parameters().values():
        array.grad.wait_to_read()
        array.wait_to_read()


def profiled(work: Callable[[], Any], model: Any) -> Operators:
    """Count by `mx.profiler`, while work() trains the model, each operator: how often it ran and for how long.

    Operators that MXNet runs in bulk are seen as one, unless MXNET_EXEC_BULK_EXEC_TRAIN was 0 when it was loaded.
    """
    with tempfile.TemporaryDirectory() as folder:
        mx.profiler.set_config(profile_symbolic=True, profile_imperative=True, profile_memory=False, profile_api=False,
                               aggregate_stats=True, filename=str(Path(folder) / 'profile.json'))
        settle(model)
        mx.profiler.dumps(reset=True)
        mx.profiler.set_state('run')
        try:
            work()
            settle(model)
        finally:
            mx.profiler.set_state('stop')
        kinds = json.loads(mx.profiler.dumps(reset=True, format='json'))['Time']
    found: Dict[str, Tuple[float, float]] = {}
    for kind in ('operator', 'Custom Operator'):        # the second: what runs in a gradient written by hand, as '::::dot'
        for name, figures in kinds.get(kind, {}).items():
            name = name.lstrip(':')
            if name not in _NO_OPERATORS:
                calls, ms = found.get(name, (0, 0.0))
                found[name] = calls + figures['Count'], ms + figures['Total']
    return found


class Machine:
    """The speeds behind the floor, measured: the output layer's product of a setting, and adding one large array to another."""

    def __init__(self, setting: Setting):
        rows, self.num_outputs = setting.num_steps * setting.batch_size, setting.vocab_size
        self.H = nd.random.normal(shape=(rows, setting.num_hiddens))
        self.W = nd.random.normal(shape=(self.num_outputs, setting.num_hiddens))
        self.logits = nd.zeros((rows, self.num_outputs))
        self.sum, self.ones = (nd.ones(_ARRAY_BYTES // _NUMBER) for _ in range(2))

    def product(self, times: int = 10) -> float:
        """Seconds of one product, the mean of so many."""
        return _seconds(lambda: nd.FullyConnected(self.H, self.W, no_bias=True, num_hidden=self.num_outputs, out=self.logits),
                        times)

    def addition(self, times: int = 4) -> float:
        """Seconds of one addition in place, the mean of so many."""
        return _seconds(lambda: nd.elemwise_add(self.sum, self.ones, out=self.sum), times)


def _seconds(work: Callable[[], nd.NDArray], times: int) -> float:
    work().wait_to_read()
    start = time.perf_counter()
    for _ in range(times):
        result = work()
    result.wait_to_read()
    return (time.perf_counter() - start) / times


def operations(setting: Setting) -> Dict[str, int]:
    """Multiplications and additions in the products of a batch, by where they are.

    Each product is there three times: forward, for the gradient of what is multiplied, and for that of the weight. The input
    takes none: a one-hot vector times a weight is a row of the weight.
    """
    rows, h = setting.num_steps * setting.batch_size, setting.num_hiddens
    return {'output layer': 3 * 2 * rows * h * setting.vocab_size,
            'recurrent weights': 3 * 2 * rows * h * h * len(GATES[setting.cell])}


def bytes_moved(setting: Setting) -> Dict[str, int]:
    """The bytes that must go to memory and back for a batch, by what they are, counted as by an ideal program.

    weights: W_h and W_hq are read forward and once back, whatever the number of steps; biases, and for each character a row
        of each W_x, are read forward.
    update: each gradient is written, read for the norm and read again for the step, which reads and writes the weight.
    output layer: logits are written and read by the softmax; their gradient is written and read by two products.
    states: of each step H is written, and read by the output layer and for the gradients of W_hq and W_h; what else must be kept,
        C and the gates, is written and read again; the gradient of H from the output layer and that inside each gate are
        written and read, the latter both for W_h and for W_x.
    """
    rows, h, vocab_size = setting.num_steps * setting.batch_size, setting.num_hiddens, setting.vocab_size
    gates, kept = len(GATES[setting.cell]), _KEPT[setting.cell]
    products, biases = gates * h * h + h * vocab_size, gates * h + vocab_size
    numbers = {'weights': 2 * products + biases + gates * rows * h,
               'update': 5 * (products + biases + gates * vocab_size * h),
               'output layer': 5 * rows * vocab_size,
               'states': (4 + 2 * kept + 2 + 3 * gates) * rows * h}
    return {name: _NUMBER * number for name, number in numbers.items()}


@dataclass(frozen=True)
class Profile:
    """One implementation's batch at one setting. Seconds are one figure a round, the calls of operators an average batch's."""
    setting: Setting
    impl: str
    threads: int
    operators: Operators                # a batch
    batch: Tuple[float, ...]            # seconds of a batch, in bulk and without the profiler
    product: Tuple[float, ...]          # seconds of the output layer's product
    addition: Tuple[float, ...]         # seconds of adding one array of 64 MiB to another in place

    @property
    def rate(self) -> float:
        """Operations a second in the output layer's product."""
        return operations(self.setting)['output layer'] / 3 / statistics.median(self.product)

    @property
    def bandwidth(self) -> float:
        """Bytes a second: adding in place reads both arrays and writes one."""
        return 3 * _ARRAY_BYTES / statistics.median(self.addition)

    @property
    def floor(self) -> Tuple[float, float]:
        """Seconds of a batch's products at the rate, and of its bytes at the bandwidth."""
        return sum(operations(self.setting).values()) / self.rate, sum(bytes_moved(self.setting).values()) / self.bandwidth

    @property
    def reached(self) -> float:
        """Seconds of a batch, the median."""
        return statistics.median(self.batch)

    @property
    def times_the_floor(self) -> float:
        return self.reached / sum(self.floor)

    @property
    def rows(self) -> List[Tuple[str, float, float, float, float]]:
        """Operator, calls, milliseconds, microseconds a call, share of all operators' time; the longest first."""
        total = sum(ms for _, ms in self.operators.values())
        return sorted(((name, calls, ms, 1000 * ms / calls, ms / total) for name, (calls, ms) in self.operators.items()),
                      key=lambda row: (-row[2], row[0]))

    def to_dict(self) -> Dict[str, Any]:
        """In plain types."""
        columns = ('operator', 'calls', 'milliseconds', 'microseconds_a_call', 'share')
        return {**asdict(self), 'operators': [dict(zip(columns, row)) for row in self.rows],
                'operations': operations(self.setting), 'bytes': bytes_moved(self.setting), 'operations_a_second': self.rate,
                'bytes_a_second': self.bandwidth, 'floor_products': self.floor[0], 'floor_bytes': self.floor[1],
                'floor': sum(self.floor), 'reached': self.reached, 'times_the_floor': self.times_the_floor}


def profile(setting: Setting, impl: str, *, rounds: int = 5, threads: int | None = None, timeout: float = 900) -> Profile:
    """Measure one implementation, in two processes: one that runs operators in bulk, as always, for the seconds, and one that
    runs them one by one for the operators.

    threads: of each; None: as many as there are CPUs. timeout: seconds that each may take. Raises ValueError for what cannot be
    measured, and OSError where a process fails.
    """
    if impl not in IMPLS:
        raise ValueError(f'impl must be one of {", ".join(IMPLS)}, got {impl!r}')
    check_measuring(setting, rounds, threads)
    threads = threads or runtime.usable_cpus()
    options, environment = {**asdict(setting), 'impl': impl}, runtime.child_environment(threads)
    taken = _ask({**options, 'operators': False}, environment, rounds, timeout)
    one_by_one = {**environment, 'MXNET_EXEC_BULK_EXEC_TRAIN': '0', 'MXNET_EXEC_BULK_EXEC_INFERENCE': '0'}
    counted, = _ask({**options, 'operators': True}, one_by_one, 1, timeout)
    batches = setting.tokens // (setting.batch_size * setting.num_steps)
    operators = {name: (calls / batches, ms / batches) for name, (calls, ms) in counted['operators'].items()}
    seconds = {key: tuple(answer[key] for answer in taken) for key in ('seconds', 'product', 'addition')}
    return Profile(setting, impl, threads, operators, tuple(epoch / batches for epoch in seconds['seconds']), seconds['product'],
                   seconds['addition'])


def _ask(options: Mapping[str, Any], environment: Mapping[str, str], rounds: int, timeout: float) -> List[Dict[str, Any]]:
    """The worker's answers in its rounds, after one to warm up."""
    command = [sys.executable, str(WORKERS / 'run.py'), str(WORKERS / 'operators.py'), json.dumps(options)]
    try:
        ended = subprocess.run(command, env=dict(environment), input='epoch\n' * rounds, capture_output=True, encoding='utf-8',
                               timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f'no answer within {timeout:g} seconds') from None
    if ended.returncode:
        said = [line.strip() for line in ended.stderr.splitlines() if line.strip()]
        raise ChildProcessError(said[-1] if said else f'the measured process ended with status {ended.returncode}')
    _, *answers, _ = map(json.loads, ended.stdout.splitlines())
    return answers


def operator_table(found: Profile) -> str:
    """A row an operator, and the floor beside what was reached, for a terminal."""
    calls, ms = (sum(column) for column in zip(*found.operators.values()))
    rows = [*found.rows, ('all operators', calls, ms, 1000 * ms / calls, 1)]
    work, moved = sum(operations(found.setting).values()), sum(bytes_moved(found.setting).values())
    products, memory = (1000 * seconds for seconds in found.floor)
    lines = markdown_lines(Table(('', ''), ('a batch', 'calls', 'ms', 'us/call', 'share'), rows))
    lines += ['',
              f'products  {work / 1e6:9.1f} million operations at {found.rate / 1e9:6.1f} GFLOP/s  {products:9.3f} ms',
              f'memory    {moved / 1e6:9.1f} million bytes      at {found.bandwidth / 1e9:6.1f} GB/s     {memory:9.3f} ms',
              f'floor     {"":48}{products + memory:9.3f} ms',
              f'reached   {"":48}{1000 * found.reached:9.3f} ms, {found.times_the_floor:.2f} times the floor '
              f'({1000 * min(found.batch):.3f} to {1000 * max(found.batch):.3f})']
    return '\n'.join(lines)
