# `make demo` and `make test` need Python 3.11 or newer and nothing else: they make .venv and install into it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO ?=
TEST ?=

.PHONY: help demo test test-all lint docs clean

help:
	@echo "make demo      run a whole experiment: server, simulated listener, audiogram, replay"
	@echo "make test      the tests that a contributor runs"
	@echo "make test-all  the longer suites only"
	@echo "make lint      ruff and mypy"
	@echo "make docs      write the generated parts of the documentation anew"
	@echo "make clean     remove what the others made"

$(READY): constraints.txt setup.py pyproject.toml clients/python/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Fechner needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[dev]' -e clients/python
	@touch $@

demo: $(READY)
	$(BIN)/python examples/audiogram_demo.py $(DEMO)

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not long' $(TEST)

# pytest's exit code 5 says that no test is marked long.
test-all: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m long $(TEST) || [ $$? -eq 5 ]

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(addprefix .types/fechner/,server strategies database) clients/python/fechner_client tests/clients tests/database tests/server

docs: $(READY)
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
