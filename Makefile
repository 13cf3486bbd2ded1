# Everything runs from two virtual environments that make themselves on first use and update themselves when
# pyproject.toml or constraints.txt change: .venv (the base install, without torch) and .venv-dev (training, tests).
# `make audit` has a third one.
# Another Python than python3:  make PYTHON=/path/to/python3.11 demo

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BASE := .venv
DEV := .venv-dev
AUDIT := .venv-audit
INPUTS := pyproject.toml constraints.txt src/creativeai/__init__.py
PIP := python -m pip --disable-pip-version-check install -qq --constraint constraints.txt

# Reads the container files just as `docker compose up` would, where it is there.
COMPOSE := docker compose --profile train --profile train-gpu

SCRIPTS := .ci/run deploy/build deploy/run deploy/options.sh

TORCH := $(shell sed -n 's/^torch==//p' constraints.txt)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

# Two busy processes with default OpenMP threads slow each other down 20 to 50 times.
export OMP_NUM_THREADS := 1

##@ Use
.PHONY: demo
demo: $(BASE)/.installed ## Set up the base install and serve the page
	@exec $(BASE)/bin/creativeai demo

##@ Develop
.PHONY: test test-quick lint check-format format types build
test: chromium lint check-format types ## Set up everything; lint, format, types and all tests
	@$(DEV)/bin/python -m pytest

test-quick: $(DEV)/.installed ## All tests but the browser's, stop at the first failure
	@$(DEV)/bin/python -m pytest --exitfirst --ignore=tests/e2e

lint: $(DEV)/.installed ## Lint Python, shell and container files
	@$(DEV)/bin/ruff check .
	@$(DEV)/bin/shellcheck --external-sources $(SCRIPTS)
	@$(DEV)/bin/hadolint deploy/Dockerfile
	@if docker compose version >/dev/null 2>&1; then $(COMPOSE) config --quiet; \
	   $(COMPOSE) --file compose.yaml --file deploy/compose.dev.yaml config --quiet; fi

check-format: $(DEV)/.installed ## Check the format
	@$(DEV)/bin/ruff format --check .

format: $(DEV)/.installed ## Mend what lint and format can mend
	@$(DEV)/bin/ruff check --fix .
	@$(DEV)/bin/ruff format .

types: $(DEV)/.installed ## Check the types
	@$(DEV)/bin/mypy

build: $(DEV)/.installed ## Set up everything and build the wheel into dist/
	@$(DEV)/bin/python -m hatchling build --target wheel

##@ Keep house
.PHONY: audit constraints clean help
audit: $(AUDIT)/.installed ## Look for known vulnerabilities of the versions in constraints.txt
	@$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

constraints: $(DEV)/.installed ## Write the versions in .venv-dev to constraints.txt
	@{ sed -n '/^#/p' constraints.txt; \
	   { $(DEV)/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//'; \
	     grep -E '^(colorama|waitress)==' constraints.txt; } | sort --ignore-case --unique; } > constraints.tmp
	@mv constraints.tmp constraints.txt

clean: ## Remove the environments and all caches; runs and datasets stay
	@rm -rf $(BASE) $(DEV) $(AUDIT) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {print "\n" substr($$0, 5)} \
	      /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- how the environments come about ---

.PHONY: python chromium
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "CreativeAI needs Python 3.11 or newer as $(PYTHON); name another: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) can't make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(BASE)/.installed: $(INPUTS) | python
	@echo "Setting up $(BASE): engine, server and page"
	@[ -x $(BASE)/bin/python ] || $(PYTHON) -m venv $(BASE)
	@$(BASE)/bin/$(PIP) --editable .
	@touch $@

# torch first and by itself: its CPU build, from where pip looks already or else from PyTorch's index. Asked for in one go
# with the rest, Linux gets PyPI's CUDA build of several GB. (Where there is no +cpu file, as on macOS, PyPI's is the one.)
$(DEV)/.installed: $(INPUTS) | python
	@echo "Setting up $(DEV): training and tests (a few minutes)"
	@[ -x $(DEV)/bin/python ] || $(PYTHON) -m venv $(DEV)
	@$(DEV)/bin/$(PIP) "torch==$(TORCH)+cpu" 2>/dev/null || \
	  $(DEV)/bin/$(PIP) "torch==$(TORCH)" --extra-index-url $(TORCH_INDEX)
	@$(DEV)/bin/$(PIP) --editable '.[train,data,store,dev]'
	@touch $@

# By itself: what it needs is not to count as ours.
$(AUDIT)/.installed: Makefile | python
	@echo "Setting up $(AUDIT): pip-audit"
	@[ -x $(AUDIT)/bin/python ] || $(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/python -m pip --disable-pip-version-check install -qq pip-audit==2.10.1
	@touch $@

chromium:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium for the page's tests" && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  else \
	    echo "The page's tests need Chromium; on Debian: sudo apt-get install chromium. Or: make test-quick" >&2; exit 1; \
	  fi; }
