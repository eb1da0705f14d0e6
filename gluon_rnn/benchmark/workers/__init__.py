"""The programs of measured processes: one file an implementation, started by `gluon_rnn.benchmark.measuring` through `run.py`.

A worker is a file with `prepare(options) -> epoch`, where `epoch()` trains one epoch, or does whatever else is to be timed, waits
until it is done and returns its perplexity; or a dict, with 'perplexity' where there is one, with 'seconds' where the worker
takes the time itself, and with all that `Measurement.answers` is to have. It is run as a file and not as a module of this
package, so that nothing is loaded beside what it asks for.
"""
