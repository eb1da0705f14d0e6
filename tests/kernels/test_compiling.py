"""The few operations that Numba has no name for, and threads that meet."""
import threading

import numba
import numpy as np

from gluon_rnn import runtime

with runtime.kernel_cache():
    from gluon_rnn.kernels.compiling import arrive, fetch_add, larger, load_now, meet, power_of_two, wait_for


def test_numbers():
    @numba.njit
    def found(exponents, a, b):
        return np.array([power_of_two(x) for x in exponents]), larger(a, b), larger(b, a)

    powers, *largest = found(np.array([-126, -1, 0, 10, 127], np.int32), np.float32(2), np.float32(-3))
    assert powers.tolist() == [2.0 ** -126, 0.5, 1, 1024, 2.0 ** 127] and largest == [2, 2]


def test_each_thread_that_counts_gets_a_number_of_its_own():
    @numba.njit(nogil=True)
    def count(counter, numbers):
        for i in range(numbers.shape[0]):
            numbers[i] = fetch_add(counter, 0)
        return load_now(counter, 0)

    counter, numbers = np.zeros(1, np.int64), np.zeros((3, 5000), np.int64)
    count(counter, numbers[0, :0])
    in_threads(lambda k: count(counter, numbers[k]))
    assert sorted(numbers.ravel()) == list(range(15000)) and counter[0] == 15000


def test_nobody_goes_on_before_all_have_come():
    meeting, came, before = np.zeros(1, np.int64), [], []

    def walk(k):
        for turn in range(20):
            came.append(k)
            meet(meeting, 3)
            before.append(len(came) >= 3 * (turn + 1))
    in_threads(walk)
    assert before == [True] * 60 and meeting[0] == 60


def test_who_waits_goes_on_when_as_many_have_arrived():
    meeting, came, seen = np.zeros(1, np.int64), [], []

    def walk(k):
        if k:
            came.append(k)
            arrive(meeting)
        else:
            wait_for(meeting, 2)
            seen.append(len(came))
    in_threads(walk)
    assert seen == [2]


def in_threads(work):
    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
