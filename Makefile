PYTHON ?= python3
SCENARIO ?= night
PYTEST_ARGS ?= -n auto --dist worksteal
HOURS ?= 200000
ZIP_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
DEMO := $(VENV)/.demo
READY := $(VENV)/.ready
TEMPLATE := $(filter-out %/versions.tf %_override.tf,$(wildcard deploy/terraform/*.tf)) deploy/rfs/versions.tf
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --no-strip-extras --python-version 3.9 --generate-hashes --custom-compile-command "make lock"
SOURCES := index.py build_zip.py set_up.py sms_watch sms_watch_cli simulated_cloud packaging_zip tests benchmarks
# The modules and wings of the contract "pure" in pyproject.toml, as patterns of paths.
PURE = $(shell sed -n '/^id = "pure"/,/^forbidden/ s|^    "\(sms_watch.*\)",|\1|p' pyproject.toml | tr . / | sed 's|.*|&.py,&/*|' | paste -sd, -)

.PHONY: help demo test test-fast proof coverage mutants check format format-check lint types imports soak bench pictures zip release template lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(DEMO) ## watch a simulated night: make demo SCENARIO=night
	@$(BIN)/sms-watch simulate $(SCENARIO)

test: $(READY) ## run the tests, with a sample of each proof: make test PYTEST_ARGS=tests/run
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

test-fast: $(READY) ## run those that one runs while working
	@$(BIN)/python -m pytest -q --hypothesis-profile=quick -m "not slow" tests/unit tests/adapters tests/run

proof: $(READY) ## run the whole of the proofs: all pairs, all interleavings, long months
	@PROOF=whole $(BIN)/python -m pytest $(PYTEST_ARGS) tests/proof

# The proofs go through the same lines thousands of times, and what is built runs in processes of
# its own: measured these take twice as long, and reach next to nothing that the others do not.
coverage: $(READY) ## see that the tests reach 95 %, of the rules 100 %
	@$(BIN)/python -m pytest $(PYTEST_ARGS) --ignore=tests/proof --ignore=tests/repository --cov --cov-report=
	@$(BIN)/coverage report --fail-under=95
	@$(BIN)/coverage report --fail-under=100 --include="$(PURE)"

mutants: $(READY) ## plant small mistakes, and list those that no test sees
	@rm -rf mutants
	@$(BIN)/mutmut run
	@$(BIN)/mutmut results

check: format-check lint types imports test proof coverage ## all that CI runs

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
	@SOAK_HOURS=$(HOURS) $(BIN)/python -m pytest -q -n auto tests/proof/test_soak.py tests/proof/test_faults.py

bench: $(READY) ## measure what a run costs, into docs/benchmarks.md
	@$(BIN)/python -m benchmarks

pictures: $(READY) ## make the pictures of the README, into docs/pictures
	@$(BIN)/python -m tests.support.pictures

zip: $(READY) ## build dist/sms-watch.zip: make zip ZIP_ARGS="--plain"
	@$(BIN)/python build_zip.py $(ZIP_ARGS)

release: $(READY) ## build every zip of a release, with bills and checksums, into dist
	@$(BIN)/python build_zip.py --release

template: ## build dist/sms-watch-rfs.zip for Resource Formation Service
	@mkdir -p dist
	@$(PYTHON) -m zipfile -c dist/sms-watch-rfs.zip $(TEMPLATE)
	@echo "dist/sms-watch-rfs.zip: $(notdir $(TEMPLATE))"

lock: $(READY) ## bring the locked versions up to date
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(LOCK) --fork-strategy fewest requirements.in -o requirements.txt
	@$(LOCK) requirements-demo.in -o requirements-demo.txt
	@$(LOCK) requirements-dev.in -o requirements-dev.txt

clean: ## remove all that can be made again
	@rm -rf $(VENV) dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage mutants
	@find . -name __pycache__ -prune -exec rm -rf {} +

# The stamps are touched last, so that a half-made environment is made again.
$(DEMO): requirements-demo.txt
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.9 or later, or name it: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) set_up.py $<
	@touch $@

$(READY): requirements-dev.txt $(DEMO)
	@$(BIN)/python set_up.py $< --on-top
	@touch $@
