# Every target sets up what it needs; the second time it is quiet and quick.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Hundreds of tests start programs: without their byte code each would compile the whole house again.
export PYTHONDONTWRITEBYTECODE :=
# Tests wait more than they count (for back-offs, for what settles): two of them to a core.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(2 * len(os.sched_getaffinity(0)))" 2>/dev/null || echo auto)

.PHONY: help install demo test lint types contracts bench proof lock clean

help:            ## what one can make
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP)  ## the virtual environment with all test extras

$(STAMP): requirements-dev.lock pyproject.toml
	@echo "Setting up $(VENV) (first time: about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP)   ## the main job end to end on loopback, with the embedded store
	@$(BIN)/connector demo

lint: $(STAMP)
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .

types: $(STAMP)
	@$(BIN)/mypy --no-error-summary

contracts: $(STAMP)
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

test: lint types contracts  ## lint, types, import contracts, tests (the longest in a smaller size)
	@CONNECTOR_BY_TURNS=1 $(BIN)/pytest -n $(WORKERS)

bench: $(STAMP)  ## every benchmark, as ratios against a named peer in the same run
	@$(BIN)/python -m benchmarks

proof: $(STAMP)  ## the slow proofs in full: fuzzing against the official rules, kills at random moments
	@CONNECTOR_PROOF=full $(BIN)/pytest -n auto --timeout=3600

lock: $(STAMP)   ## new lock files from pyproject.toml (needs uv)
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-header -q pyproject.toml --extra test -o requirements-dev.lock
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-header -q pyproject.toml -c requirements-dev.lock -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis build dist
