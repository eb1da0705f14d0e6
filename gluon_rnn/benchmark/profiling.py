"""Which of MXNet's operators run, how often and for how long."""
from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

import mxnet as mx

# what MXNet's engine does between operators, and what contains others
_NO_OPERATORS = ('DeleteVariable', 'WaitForVar', 'WaitForAll', '_backward_CustomFunction', 'CustomFunction', '_CachedOp',
                 '_backward_CachedOp', 'pure_python', 'ResourceNativeRandomSetSeed')


def profiled(work: Callable[[], Any]) -> Dict[str, Tuple[float, float]]:
    """Count by `mx.profiler`, while work() runs, each operator: how often it ran, and milliseconds in all.

    Operators that MXNet runs in bulk are seen as one, unless MXNET_EXEC_BULK_EXEC_TRAIN was 0 when it was loaded.
    """
    with tempfile.TemporaryDirectory() as folder:
        mx.profiler.set_config(profile_symbolic=True, profile_imperative=True, profile_memory=False, profile_api=False,
                               aggregate_stats=True, filename=str(Path(folder) / 'profile.json'))
        mx.nd.waitall()
        mx.profiler.dumps(reset=True)
        mx.profiler.set_state('run')
        try:
            work()
            mx.nd.waitall()
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
