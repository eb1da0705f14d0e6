"""MXNet without SciPy at its start; with it where its sparse arrays need it."""
import subprocess
import sys

import pytest

CODE = """
import sys
import gluon_rnn
import mxnet as mx
assert not {'scipy', 'sklearn'} & set(sys.modules), 'MXNet has loaded SciPy'
import scipy.sparse
X = scipy.sparse.csr_matrix([[0, 2.0], [3.0, 0]])
A = mx.nd.sparse.csr_matrix(X)
assert (A.asscipy() != X).nnz == 0
assert mx.nd.sparse.array(X).stype == mx.nd.array(X).stype == 'csr'
assert mx.test_utils.ss.norm.cdf(0) == 0.5
import sklearn
print('all there')
"""


@pytest.mark.slow
def test_scipy_loads_when_it_is_wanted():
    ended = subprocess.run([sys.executable, '-c', CODE], capture_output=True, text=True, timeout=120)
    assert ended.stdout == 'all there\n', ended.stderr
