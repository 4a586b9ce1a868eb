# Everything runs in its own virtual environment, .venv, with the versions of constraints.txt.
#   make demo   run the benchmark on the embedded corpus        make test   run all tests
#   make check  run the tests that are quick
#   make lint   ruff and mypy                                   make clean  remove .venv, results and caches
#   make docs   the documentation as a site, in site/; every link is checked
#   make bench   every stage and metric beside a peer or bound, as ratios (docs/performance.md)
#   make bench-models   what srbench adds to a network's own cost, as ratios
#   make bench-publish   seconds to check, merge and show 50 upscalers of 3000 utterances
#   make bench-score   srbench score against one LSD of librosa, as a ratio
#   make soak   hundreds of kills, 20 000 mutated inputs, 70 misbehaving models: half an hour of two cores
#   make mutants   mutate srbench/metrics: which change does no test notice? (MUTANTS_ARGS=--fresh for all of them)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check lint docs bench bench-models bench-publish bench-score soak mutants clean

demo: $(VENV)/ready
	$(BIN)/srbench run --model spline --model sinc --model linear --model stacked --model additive --workers 2 --results results
	mkdir -p results/leaderboard && cp leaderboard/published.csv results/leaderboard/
	$(BIN)/srbench publish results/demo --leaderboard results/leaderboard --site results/site

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)

check: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile -m "not slow" $(PYTEST_ARGS)

lint: $(VENV)/ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	mkdir -p .typing && ln -sfn ../baselines .typing/srbench_baselines && ln -sfn ../models .typing/srbench_models \
		&& ln -sfn ../systems .typing/srbench_systems
	$(BIN)/mypy

docs: $(VENV)/ready-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --clean
	@echo 'site/index.html; with the search: python3 -m http.server --directory site'

bench: $(VENV)/ready-dev
	$(BIN)/python benchmarks/bench.py $(BENCH_ARGS)

bench-publish: $(VENV)/ready-dev
	$(BIN)/python benchmarks/bench_publish.py

bench-score: $(VENV)/ready-dev
	$(BIN)/python benchmarks/bench_score.py

bench-models: $(VENV)/ready-dev
	$(BIN)/python benchmarks/bench_models.py

soak: $(VENV)/ready-dev
	$(BIN)/python scripts/soak $(SOAK_ARGS)

mutants: $(VENV)/ready-mutants
	$(BIN)/python scripts/mutants.py $(MUTANTS_ARGS)

clean:
	rm -rf $(VENV) mutants results site build dist .pytest_cache .mypy_cache .ruff_cache .typing .hypothesis srbench.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "srbench needs Python 3.10 or newer; say which: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)

# pip is pinned too: the oldest pips in use neither know build constraints nor current metadata.
$(VENV)/ready: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check --upgrade --constraint constraints.txt pip
	$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[models,plots]'
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[dev,perceptual,train]'
	touch $@

$(VENV)/ready-docs: $(VENV)/ready
	$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	touch $@

$(VENV)/ready-mutants: $(VENV)/ready-dev
	$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[mutants]'
	touch $@
