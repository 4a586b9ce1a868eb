# Everything runs in its own virtual environment, .venv, with the versions of constraints.txt.
#   make demo   run the benchmark on the embedded corpus        make test   run the tests
#   make lint   ruff and mypy                                   make clean  remove .venv, results and caches
#   make mutants   mutate srbench/metrics: which change does no test notice? (MUTANTS_ARGS=--fresh for all of them)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint mutants clean

demo: $(VENV)/ready
	$(BIN)/srbench run --model spline --model sinc --model linear --workers 2 --results results

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)

lint: $(VENV)/ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

mutants: $(VENV)/ready-mutants
	$(BIN)/python scripts/mutants.py $(MUTANTS_ARGS)

clean:
	rm -rf $(VENV) mutants results build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis srbench.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "srbench needs Python 3.10 or newer; say which: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)

# pip is pinned too: the oldest pips in use neither know build constraints nor current metadata.
$(VENV)/ready: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check --upgrade --constraint constraints.txt pip
	$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[dev,perceptual]'
	touch $@

$(VENV)/ready-mutants: $(VENV)/ready-dev
	$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[mutants]'
	touch $@
