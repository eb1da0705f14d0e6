# make demo: train on the embedded lyrics and sing.   Sets up .venv first, once, as all below do.
# make test: the tests, but for the slow ones, on all cores.   make test-all: the slow ones, too.
# make notebook: the chapter's notebooks in JupyterLab.
# make test-pythons: a short set on every Python found.   make gpu-check: the GPU path, run without a GPU.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.10 python3.9; do \
	$$python -c '' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
GPU_VENV := .venv-gpu
PEERS := .venv-peers
# A GPU that MXNet's kernels run on (drivers before 2021 do not tell the capability, and drive nothing newer)
REQUIREMENTS := $(if $(shell nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | \
	awk '(/^[0-9]/ && $$1 >= 5 && $$1 < 9) || /compute_cap/'),requirements-gpu.txt,requirements.txt)
# The last line of a recipe that needs a Python; said in one line where there is none that MXNet runs on
check_python = $(if $(shell $(PYTHON) -c 'import sys; print((3, 9) <= sys.version_info[:2] <= (3, 12) or "")' 2>/dev/null | grep True),, \
	$(error MXNet 1.9.1 runs on Python 3.9 to 3.12 (it needs NumPy below 2, which newer ones do not have), and \
	'$(PYTHON)' is $(or $(shell $(PYTHON) --version 2>/dev/null),not there): make PYTHON=python3.11))

.PHONY: demo notebook test test-all test-memory test-pythons gpu-check gpu-table faults peers lint clean

$(VENV)/.installed: $(REQUIREMENTS)
	$(check_python)$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r $(REQUIREMENTS)
	$(BIN)/python -m gluon_rnn.runtime install >/dev/null
	touch $@

# The kernels compiled, once for each state of their code: else the first to need them waits, and tests side by side all do.
$(VENV)/.warm: $(VENV)/.installed $(wildcard gluon_rnn/kernels/*.py)
	$(BIN)/python -m gluon_rnn.models.warm
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@

$(PEERS)/.installed: requirements-peers.txt
	$(check_python)$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet -r requirements-peers.txt
	touch $@

$(GPU_VENV)/.installed: requirements-gpu.txt
	$(check_python)$(PYTHON) -m venv --clear $(GPU_VENV)
	$(GPU_VENV)/bin/pip install --quiet -r requirements-gpu.txt hypothesis pytest-xdist
	touch $@

$(GPU_VENV)/driver/libcuda.so.1: scripts/libcuda_stub.c $(GPU_VENV)/.installed
	mkdir -p $(@D)
	gcc -shared -fPIC -Wl,-soname,libcuda.so.1 -o $@ $<

$(GPU_VENV)/pretend/libpretend.so: $(wildcard tests/gpu/*.c) tests/gpu/build.py $(GPU_VENV)/.installed
	$(GPU_VENV)/bin/python tests/gpu/build.py $(@D)

# The tests' arrays are tiny: a second thread would only wait, and spin where tests start processes beside each other.
test test-all test-memory test-pythons gpu-check gpu-table: export OMP_NUM_THREADS ?= 1

notebook: $(VENV)/.warm
	$(BIN)/pip install --quiet jupyterlab ipykernel
	cd notebooks && ../$(BIN)/python -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root)

demo: $(VENV)/.warm
	$(BIN)/python scripts/demo.py

test: $(VENV)/.installed-dev $(VENV)/.warm
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

test-all: $(VENV)/.installed-dev $(VENV)/.warm
	$(BIN)/python -m pytest -n auto --dist worksteal

# What touches memory, with a C library that fills what is freed and aborts where a block's ends were written over (glibc).
test-memory: $(VENV)/.installed-dev
	LD_PRELOAD=libc_malloc_debug.so.0 MALLOC_CHECK_=3 MALLOC_PERTURB_=165 $(BIN)/python -m pytest -m "not slow" \
		tests/faults/test_indices.py tests/kernels tests/models tests/training tests/exchange

# Everything that can go wrong, tried in full; writes what came of it into docs/reliability.md.
faults: $(VENV)/.installed-dev
	$(BIN)/python tests/faults/count.py

# What the benchmark has beside this project in an environment of its own: JAX
peers: $(PEERS)/.installed

test-pythons: $(VENV)/.installed
	$(BIN)/pip install --quiet nox
	$(BIN)/nox --no-error-on-missing-interpreters

# On a machine without a GPU: the installation with a driver that finds none, then everything on two pretend cards.
gpu-check: export LD_LIBRARY_PATH := $(CURDIR)/$(GPU_VENV)/driver
gpu-check: $(GPU_VENV)/.installed $(GPU_VENV)/driver/libcuda.so.1 $(GPU_VENV)/pretend/libpretend.so
	$(GPU_VENV)/bin/python -m pytest tests/gpu/installation.py
	LD_PRELOAD=$(CURDIR)/$(GPU_VENV)/pretend/libpretend.so $(GPU_VENV)/bin/python -m pytest -n auto tests/gpu

# What a training step asks of a GPU, counted afresh into docs/machines.md
gpu-table: export LD_LIBRARY_PATH := $(CURDIR)/$(GPU_VENV)/driver
gpu-table: $(GPU_VENV)/driver/libcuda.so.1 $(GPU_VENV)/pretend/libpretend.so
	LD_PRELOAD=$(CURDIR)/$(GPU_VENV)/pretend/libpretend.so PYTHONPATH=. $(GPU_VENV)/bin/python tests/gpu/counting.py --write

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(GPU_VENV) $(PEERS) .nox
