PYTHON ?= python3
SCENARIO ?= night
PYTEST_ARGS ?= -n auto --dist worksteal
HOURS ?= 200000
ZIP_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TEMPLATE := $(filter-out %/versions.tf %_override.tf,$(wildcard deploy/terraform/*.tf)) deploy/rfs/versions.tf
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.9 --generate-hashes --custom-compile-command "make lock"
SOURCES := index.py $(wildcard build_*.py) sms_watch local tests benchmarks

# These tests go through the same lines thousands of times, or in a process of their own: measured
# they take twice as long, and reach next to nothing that the others do not.
LONG := benchmarks decide_machine faults months seeded_bugs two_runs vigil_machine zip
# The modules and wings of the contract "pure" in pyproject.toml, as patterns of paths.
PURE = $(shell sed -n '/^id = "pure"/,/^forbidden/ s|^    "\(sms_watch.*\)",|\1|p' pyproject.toml | tr . / | sed 's|$$|*|' | paste -sd, -)

.PHONY: help demo test coverage long mutants check format format-check lint types imports soak bench zip template lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## watch a simulated night: make demo SCENARIO=night
	@$(BIN)/python -m local simulate $(SCENARIO)

test: $(READY) ## run the tests: make test PYTEST_ARGS=tests/test_run.py
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

coverage: $(READY) ## run tests, and see that they reach 95 %, of the rules 100 %
	@$(BIN)/python -m pytest $(PYTEST_ARGS) $(LONG:%=--ignore=tests/test_%.py) --cov --cov-report=
	@$(BIN)/coverage report --fail-under=95
	@$(BIN)/coverage report --fail-under=100 --include=$(PURE)

long: $(READY) ## run the tests that coverage leaves out
	@$(BIN)/python -m pytest $(PYTEST_ARGS) $(LONG:%=tests/test_%.py)

mutants: $(READY) ## plant small mistakes, and list those that no test sees
	@rm -rf mutants
	@$(BIN)/mutmut run
	@$(BIN)/mutmut results

check: format-check lint types imports coverage long ## all that CI runs

format: $(READY) ## put the code into its usual form
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix-only $(SOURCES)

format-check: $(READY) ## see whether the code has its usual form
	@$(BIN)/ruff format --check $(SOURCES)

lint: $(READY) ## look for mistakes
	@$(BIN)/ruff check $(SOURCES)

types: $(READY) ## check the types
	@$(BIN)/mypy

imports: $(READY) ## check which module may import which
	@$(BIN)/lint-imports

soak: $(READY) ## simulate for long, on all cores: make soak HOURS=200000
	@SOAK_HOURS=$(HOURS) $(BIN)/python -m pytest -q -n auto tests/test_months.py tests/test_faults.py

bench: $(READY) ## measure what a run costs, into docs/benchmarks.md
	@$(BIN)/python -m benchmarks

zip: $(READY) ## build dist/sms-watch.zip: make zip ZIP_ARGS="--plain"
	@$(BIN)/python build_zip.py $(ZIP_ARGS)

template: ## build dist/sms-watch-rfs.zip for Resource Formation Service
	@mkdir -p dist
	@$(PYTHON) -m zipfile -c dist/sms-watch-rfs.zip $(TEMPLATE)
	@echo "dist/sms-watch-rfs.zip: $(notdir $(TEMPLATE))"

lock: $(READY) ## bring the locked versions up to date
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(LOCK) --fork-strategy fewest requirements.in -o requirements.txt
	@$(LOCK) requirements-dev.in -o requirements-dev.txt

clean: ## remove all that can be made again
	@rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage mutants
	@find . -name __pycache__ -prune -exec rm -rf {} +

# The stamp is touched last, so that a half-made environment is made again. The lock is complete:
# without --no-deps, older versions of pip look beyond it for the "toml" extra of coverage.
$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9) and "sms_watch needs Python 3.9 or later, this is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12 ...")'
	@echo "Setting up $(VENV), once; this takes about a minute ..."
	@$(PYTHON) -m venv --clear $(VENV) || { echo "Python has no venv module here; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	@touch $@
