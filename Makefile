# What a developer does. Every target makes .venv itself from the lock, when it is missing or the lock has changed;
# it needs CPython 3.11 or later (with venv), pip and make, nothing else.

PYTHON ?= $(shell for each in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.ready-bench
BENCHMARKS := $(wildcard benchmarks/*.py)

.PHONY: help demo test test-all check fix docs bench lock clean

help: ## show what there is to do
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/' | expand -t 18

demo: $(READY) ## make the synthetic example study, run it, and say where its report is
	$(BIN)/rarefactor demo --out out/demo --workers $(JOBS)

test: $(READY) ## run the tests, less the slow ones
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

test-all: $(READY) ## run all tests, with new examples where they are drawn
	$(BIN)/python -m pytest -n $(JOBS) --hypothesis-profile=search

check: $(READY) ## check style, types, direction of imports and the examples in docstrings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --doctest-modules src

fix: $(READY) ## mend what can be mended by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(READY) ## write docs/commands.md from the help of each command
	$(BIN)/python docs/write_commands.py

bench: $(BENCH_READY) ## measure speed and agreement beside peer packages; BENCH_OPTIONS=--full takes longer
	@for each in $(BENCHMARKS); do echo "$$each" && $(BIN)/python $$each $(BENCH_OPTIONS) || exit 1; done

lock: $(READY) ## resolve the dependencies anew
	$(PIP) uv
	$(BIN)/uv pip compile pyproject.toml --group dev $(LOCK_OPTIONS) -o requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --group bench -c requirements-dev.lock $(LOCK_OPTIONS) -o requirements-bench.lock

LOCK_OPTIONS := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

clean: ## remove everything that can be made again
	rm -rf $(VENV) build dist out .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -exec rm -rf {} +

$(READY): requirements-dev.lock pyproject.toml hatch_build.py src/rarefactor/stats/_kernel.c
	@test -n "$(PYTHON)" || { echo "CPython 3.11 or later is needed: none was found as python3."; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) --require-hashes -r requirements-dev.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(BENCH_READY): requirements-bench.lock $(READY)
	$(PIP) --require-hashes -r requirements-bench.lock
	@touch $@
