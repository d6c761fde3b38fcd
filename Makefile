# `make demo` and `make test` need Python 3.11 or newer and make, nothing else; see README.md.

PYTHON ?= python3
RUN := .venv/bin/python
# Half as many again as processors: tests with real servers mostly wait.
WORKERS = $(shell $(RUN) -c 'import os; print(min(8, (os.cpu_count() or 1) * 3 // 2))')
# A run that grows slow shows where.
PYTEST = pytest -n $(WORKERS) --dist worksteal --durations 30 --durations-min 10
DEMO := build/demo
BLUEPRINTS := $(sort $(wildcard blueprints/library/*.yaml))
LOCK := $(RUN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --only-binary :all: --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) pyproject.toml --group build

.DEFAULT_GOAL := help
.PHONY: help demo test engine e2e lint format bench lock setup setup-dev clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:
	@$(PYTHON) requirements/install.py run

setup-dev:
	@$(PYTHON) requirements/install.py dev

demo: setup ## check and generate the reference blueprints at all their sites, into build/demo
	@set -e; for blueprint in $(BLUEPRINTS); do \
	  for command in "check $$blueprint" "generate $$blueprint --out $(DEMO)"; do \
	    echo; echo "$$ aifactory $$command"; .venv/bin/aifactory $$command; \
	  done; \
	done; \
	echo; echo "The files are in $(DEMO); read $(DEMO)/STACK/README.md first."

test: setup-dev ## every lane that this machine can run; COVERAGE=1 also holds the bars of line coverage
ifdef COVERAGE
	@$(RUN) -m coverage erase
	@$(RUN) -m coverage run -m $(PYTEST)
	@$(RUN) -m coverage combine --quiet
	@$(RUN) tests/support/room_coverage.py
else
	@$(RUN) -m $(PYTEST)
endif

engine: setup-dev ## make the tools of the proving ground, tests/engine/README.md; needs Go, the first time takes long
	@PYTHONPATH=tests $(RUN) -m support.proving.tools

e2e: engine ## the lanes with real servers alone
	@$(RUN) -m $(PYTEST) tests/engine

lint: setup-dev ## ruff, mypy, pyright, pip check
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(RUN) -m pyright
	@$(RUN) -I -m pip check

format: setup-dev ## write the format that lint checks
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

bench: setup-dev ## measure, and write docs/performance.md; BENCH="--runs 3 --largest 10000" is quicker
	@PYTHONPATH=tests $(RUN) -m benchmarks.report $(BENCH)

lock: setup-dev ## make the lock files again; UPGRADE=1 takes newer versions
	@$(LOCK) --constraints requirements/pins.txt --output-file requirements/run.txt
	@$(LOCK) --constraints requirements/run.txt --group dev --output-file requirements/dev.txt

clean: ## remove what was built and measured, and .venv
	@rm -rf .venv build dist .coverage* .benchmarks .pytest_cache .mypy_cache .ruff_cache .hypothesis
