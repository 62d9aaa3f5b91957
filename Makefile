# Everything that is done here by hand, by a hook or by CI is one of these targets.
# pip is called plainly: the machine's own configuration says which package index it uses.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Thousands of small databases would wait for the disk at each commit: they are kept in memory where that has 4 GB free.
MEMORY = $(shell free=$$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1); folder=/dev/shm/hmar-tests-$$(id -u); \
	[ "$${free:-0}" -gt 4000000 ] && mkdir -p -m 700 $$folder && echo TMPDIR=$$folder)
# A process for each core and one more, for some wait for what they started; one thread in each. The order of files is
# that of tests/conftest.py.
PROCESSES = $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 1)')
PYTEST = $(MEMORY) OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

# Stamps: an installation is repeated when what it follows from has changed.
RUNTIME := $(VENV)/runtime.stamp
DEVELOPMENT := $(VENV)/development.stamp

# What 'hmar size' computes with; of rows that measured the same, the newest count.
ROWS = $(addprefix benchmark/results/,$(addsuffix .jsonl,speed-scan-fast-2026-12-01 size-300000-2026-12-01 \
	size-few-windows-2026-12-01 size-indexing-2026-12-01 speed-seen-2026-11-30 speed-pacs-2026-11-30))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-fast check docs figures screenshots bench trust clean

help:
	@echo "make run      install what is needed, and start the product at http://127.0.0.1:8080"
	@echo "make setup    only install, with the tools of development, into $(VENV)"
	@echo "make test     run the tests, on all cores"
	@echo "make test-fast  run the tests that take less than a second each"
	@echo "make check    lint, formatting, types and the layers of imports"
	@echo "make docs     write into docs/ what follows from the code: commands and properties"
	@echo "make figures  write what 'hmar size' computes with, and docs/scaling.md, from rows of benchmarks; MORE=\"FILE ...\" adds some"
	@echo "make screenshots  take the pictures of the page for its manual, with Chromium"
	@echo "make bench    find a real nodule again, and measure how well (hmar demo)"
	@echo "make trust    kill, damage, starve and attack the product, and write docs/trust.md; about an hour"
	@echo "make clean    remove the environment and all caches; data directories stay"
	@echo
	@echo "Settings are environment variables (docs/settings.md), for example:"
	@echo "HMAR_SAMPLE=1 make run      also load a real CT study into an empty archive"
	@echo "HMAR_PORT=9000 make run     listen on another port"

setup: $(DEVELOPMENT)

run: $(RUNTIME)
	$(BIN)/hmar serve

test: $(DEVELOPMENT)
	$(PYTEST)

test-fast: $(DEVELOPMENT)
	$(PYTEST) -q -m "not slow"

check: $(DEVELOPMENT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: $(DEVELOPMENT)
	$(BIN)/python -m hmar.cli.reference docs/cli.md
	$(BIN)/python -m hmar.properties.documented docs/api.md

figures: $(DEVELOPMENT)
	$(BIN)/hmar bench size --no-run $(addprefix --rows ,$(ROWS) $(MORE)) \
		--figures hmar/sizing/figures.json --plots docs --page docs/scaling.md

screenshots: $(DEVELOPMENT)
	$(BIN)/python -m tests.e2e.screenshots docs/images

bench: $(RUNTIME)
	$(BIN)/hmar demo

trust: $(DEVELOPMENT)
	$(BIN)/python -m benchmark.trust --jobs 2 --json benchmark/results/trust.jsonl --page docs/trust.md

clean:
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find benchmark hmar service tests workers -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing hmar-search into $(VENV); the first time takes a few minutes."
	$(INSTALL) -e .
	@touch $@

$(DEVELOPMENT): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing hmar-search with its tools into $(VENV); the first time takes a few minutes."
	$(INSTALL) -e '.[train,dev,otel,trust]'
	@touch $(RUNTIME) $@
