PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin/python
REPO ?= .

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow lint lock clean

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 20

$(VENV)/.installed: requirements.lock setup.cfg
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

install: $(VENV)/.installed  ## Create .venv from the locked versions

demo: install  ## Replay a git history, train and evaluate a small model: make demo [REPO=path]
	$(RUN) -m experiments.demo --repo=$(REPO)

test: install  ## Run the test suite (8 to 15 minutes)
	$(RUN) -m pytest

test-slow: install  ## Run the slow tests: real Vim, kills, many processes
	$(RUN) -m pytest -m slow

lint: install  ## Check format, lint and types
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy data_gen rcfam_jax experiments benchmarks

lock: install  ## Make requirements.lock anew from setup.cfg
	$(RUN) -m pip install --quiet pip-tools
	CUSTOM_COMPILE_COMMAND="make lock" $(RUN) -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
	  --no-emit-find-links --extra=dev --output-file=requirements.lock setup.cfg

clean:  ## Remove the environment and the demo
	rm -rf $(VENV) demo
