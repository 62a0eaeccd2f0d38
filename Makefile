# One vocabulary of tasks for people, hooks, .ci/run and GitHub Actions.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# a process that may not write byte code starts twice as slow
unexport PYTHONDONTWRITEBYTECODE

# uv from the PATH, or one of the project's own, made by the first target that needs it
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
PYTHON ?= python3
# --no-sync: `setup` has brought the environment up to date, and keeps what a person added to it
RUN := $(UV) run --no-sync
ARGS ?=
# extent of the fault tests: random kills, steps of each pipeline to kill at (0: all), pairs of runs
KILLS ?= 200
STEPS ?= 60
PAIRS ?= 20
STAMP := .venv/.setup

.PHONY: help setup run features train inference sample rollback simulate simulate-bars test test-long test-fault soak mutation bench bench-years bench-check test-gate test-extras test-models ablation check lint format typecheck imports \
	security audit coverage docs docs-serve screenshots clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'
	@echo 'Settings go in ARGS, for example: make train ARGS="model=logistic_regression"'

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet uv

$(STAMP): pyproject.toml uv.lock $(if $(filter .uv/bin/uv,$(UV)),| .uv/bin/uv)
	$(UV) sync --locked
	@touch $@

setup: $(STAMP) ## install what the project needs into .venv (and uv into .uv if it is missing)

run: setup ## features, model, predictions and verdict; on the embedded sample unless ARGS says otherwise
	$(RUN) start_batch_nlp.py $(ARGS)

features: setup ## take in what is new in data/01_raw
	$(RUN) start_batch_nlp.py pipeline=feature $(ARGS)

train: setup ## train a candidate and publish it if it passes its gate (features first if the store is empty)
	$(RUN) start_batch_nlp.py pipeline=training $(ARGS)

inference: setup ## score what is new in the inbox and apply the rule
	$(RUN) start_batch_nlp.py pipeline=inference $(ARGS)

sample: setup ## write the next generated batch into the inbox (ARGS="sample.part=labels" delivers its labels)
	$(RUN) start_batch_nlp.py pipeline=sample sample.part=batch $(ARGS)

rollback: setup ## make the version before the champion the champion again
	$(RUN) start_batch_nlp.py pipeline=rollback $(ARGS)

simulate: setup ## replay days of batches: when does retraining pay? (ARGS="simulation.scenario=sudden_shift")
	$(RUN) start_batch_nlp.py pipeline=simulate $(ARGS)

# a file goes to one worker, which makes what its tests share once
test: setup ## run the tests, except the long ones (test-long), those of faults (test-fault) and of extras
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore=tests/fault -m "not long" $(ARGS)

test-long: setup ## tests that take long by nature: 50 nights, simulations, upgrades, documented commands, notebooks
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore=tests/fault -m long $(ARGS)

mutation: setup ## small changes to the code that must not be wrong: at least 90 % are noticed by its tests
	$(UV) sync --locked --inexact --group mutation
	rm -rf mutants
	OMP_NUM_THREADS=1 $(RUN) mutmut run --max-children 1
	$(RUN) python tools/mutation.py

test-gate: setup ## 50 candidates of shuffled labels through the gate
	BATCH_NLP_CANDIDATES=25 $(RUN) pytest -n 2 tests/unit/training/test_gate_bars.py $(ARGS)

simulate-bars: setup ## check the promises about retraining by simulations of 50 days through the real runner
	BATCH_NLP_SIMULATION_BARS=1 $(RUN) pytest tests/pipeline/test_simulation.py $(ARGS)

test-extras: setup ## the tests of MLflow, Optuna and joblib, which are extras
	$(UV) sync --locked --inexact --extra mlflow --extra sweeps
	$(RUN) pytest tests/extras $(ARGS)

test-models: setup ## the tests that need torch, with a CPU build in place of the locked one, which brings CUDA
	$(UV) pip install --quiet pip
	.venv/bin/python -m pip install --quiet torch==2.13.0 accelerate sentence-transformers transformers
	$(RUN) pytest tests/model $(ARGS)

ablation: setup ## what each part of the model brings, over five windows of time; a killed one goes on
	$(RUN) start_batch_nlp.py -m pipeline=training '+ablation=glob(*)' training.window=0,1,2,3,4 training.holdout=0.1 \
		sweep=ablation $(ARGS)

test-fault: setup ## kills at every step, damaged files, full disks, clocks, pairs of runs: the promised figures
	BATCH_NLP_KILLS=$(KILLS) BATCH_NLP_STEPS=$(STEPS) BATCH_NLP_PAIRS=$(PAIRS) \
		$(RUN) pytest -n 2 --dist load tests/fault $(ARGS)

soak: setup ## 500 batches with random faults in between; every message is accounted for
	BATCH_NLP_SOAK=500 $(RUN) pytest -s tests/fault/test_soak.py $(ARGS)

bench: setup ## speed and memory of each stage, beside baselines and limits, into docs/performance.md (hours)
	$(RUN) python -m benchmarks $(ARGS)

bench-years: setup ## 2,000 batches of 20 messages: a run costs the same after years (an hour)
	$(RUN) python -m benchmarks.years $(ARGS)

bench-check: setup ## ratios of a small run against their floors
	$(RUN) python -m benchmarks --check $(ARGS)

check: lint typecheck imports security audit docs ## everything that CI asks but the tests

lint: setup ## ruff: rules and format
	$(RUN) ruff check .
	$(RUN) ruff format --check .

format: setup ## ruff: fix and format
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

typecheck: setup ## mypy --strict
	$(RUN) mypy

imports: setup ## the direction of imports (import-linter)
	$(RUN) lint-imports --no-logo

security: setup ## bandit, and the licences of what is installed
	$(RUN) bandit --quiet --configfile pyproject.toml --recursive src tools benchmarks start_batch_nlp.py
	$(RUN) pip-licenses

audit: setup ## known vulnerabilities of what is installed; says so if no advisory service answers
	$(RUN) python tools/audit.py

coverage: setup ## run the tests, the long ones too, and report branch coverage
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore=tests/fault --cov --cov-report=term --cov-report=xml $(ARGS)
	$(RUN) python tools/unreached_errors.py

docs: setup ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict --quiet

docs-serve: setup ## show the documentation while writing it
	$(RUN) mkdocs serve

# needs Chromium or Chrome on the PATH
screenshots: setup ## photograph the reports of the sample for docs/images, at 1,400 and 400 pixels
	$(RUN) python -m tools.screenshots

clean: ## remove environments, caches and reports; data and models stay
	rm -rf .venv .uv .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis site htmlcov mutants
	rm -rf coverage.xml .coverage .coverage.*
