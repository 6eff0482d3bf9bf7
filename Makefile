# Each target sets up what it needs on a fresh machine with Python 3.10 or newer.
PYTHON ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
BENCH_VENV ?= .venv-bench
BENCH_PYTHON := $(BENCH_VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)/python
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development

.PHONY: help run test test-clients check lint selftest bench clean
.DEFAULT_GOAL := help

help:
	@echo "make run    start the mock on 127.0.0.1:8080 (PORT=... and ARGS='...' to change)"
	@echo "make test   run every test"
	@echo "make test-clients  run the vendor's own clients against the mock: Python, Node, Go, Java, Terraform (slow at first)"
	@echo "make check  run every test, the type checker and the linter"
	@echo "make selftest  run the contract suite on implementations that are wrong in one line, and on correct ones"
	@echo "make bench  measure start-up, throughput and the mock's own work"

run: $(RUNTIME)
	@exec $(BIN)/taurus-mock serve $(if $(PORT),--port $(PORT)) $(ARGS)

test: $(DEVELOPMENT)
	$(BIN)/python -m pytest -n auto

# Python, Node, Go, Java and Terraform; CLIENTS="python node" picks some. The first run fetches and builds them.
CLIENTS ?= python node go java terraform
test-clients: $(DEVELOPMENT)
	$(BIN)/python -m pytest -n auto $(addprefix tests/clients/,$(CLIENTS))

check: test lint

lint: $(DEVELOPMENT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

selftest: $(DEVELOPMENT)
	$(BIN)/taurus-mock selftest --profile quick --quiet

bench: $(BENCH_VENV)/.ready
	$(BENCH_PYTHON) bench/report.py $(ARGS)

clean:
	rm -rf $(VENV) $(BENCH_VENV) build dist

$(VENV)/pyvenv.cfg:
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml | $(VENV)/pyvenv.cfg
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(DEVELOPMENT): pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(RUNTIME)

$(BENCH_VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_PYTHON) -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@
