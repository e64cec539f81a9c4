# Everything runs in .venv, which the first target that needs it builds; only Python 3.11+ and git must be there.
PYTHON ?= python3
BIN := .venv/bin
LOWEST := .venv-lowest/bin
# The tests start the program some hundred times: without its bytecode it would be compiled each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-scenarios test-slow test-lowest lint types imports check format fuzz bench trace simulate test-clients test-conformance test-callers test-openapi test-faults test-window test-view release clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "  make %-16s %s\n", $$1, $$2}'

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null \
	  || { echo "Python 3.11 or newer is needed, and there is no $(PYTHON) here. Name one: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name one: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv .venv

.venv/runtime.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Setting up .venv (once, about a minute) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp
	@echo "Adding the test tools to .venv (once) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

tests/clients/node_modules/.stamp: .venv/dev.stamp tests/clients/package.json tests/clients/environments.py
	@echo "Setting up the clients (once, some minutes) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[clients]'
	@$(BIN)/python -m tests.clients.node
	@$(BIN)/python -m tests.clients.environments
	@touch $@

tests/conformance/node_modules/.stamp: .venv/dev.stamp tests/conformance/package.json
	@echo "Setting up the conformance tests (once, some seconds) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[clients]'
	@$(BIN)/python -m tests.clients.node tests/conformance
	@touch $@

tests/callers/node_modules/.stamp: .venv/dev.stamp tests/callers/package.json
	@echo "Setting up the identity provider (once, some seconds) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[clients]'
	@$(BIN)/python -m tests.clients.node tests/callers
	@touch $@

tests/openapi/node_modules/.stamp: .venv/dev.stamp tests/openapi/package.json
	@echo "Setting up the tools for OpenAPI (once, some seconds) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[openapi]'
	@$(BIN)/python -m tests.clients.node tests/openapi
	@touch $@

.venv/window.stamp: .venv/dev.stamp
	@echo "Adding playwright to .venv (once) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[window]'
	@touch $@

tests/view/node_modules/.stamp: .venv/window.stamp tests/view/package.json
	@echo "Setting up the host side of MCP Apps (once, some seconds) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[clients]'
	@$(BIN)/python -m tests.clients.node tests/view
	@touch $@

# The lowest versions that pyproject.toml allows of what the product needs; the test tools are those of .venv.
.venv-lowest/dev.stamp: pyproject.toml constraints.txt tests/lowest_dependencies.py | $(BIN)/python
	@echo "Setting up .venv-lowest (once, about a minute) ..."
	@$(BIN)/python -m venv --clear .venv-lowest
	@$(LOWEST)/python -m tests.lowest_dependencies > .venv-lowest/constraints.txt
	@$(LOWEST)/python -m pip install -q --disable-pip-version-check -c .venv-lowest/constraints.txt -e '.[dev]'
	@touch $@

demo: .venv/runtime.stamp  ## Load a sample file into the embedded org and look at what happened
	@$(BIN)/salesforce-bulk-ingest demo

test: .venv/dev.stamp  ## Run the tests
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile

test-scenarios: .venv/dev.stamp  ## Run loads from start to end, as callers that follow each answer
	@HYPOTHESIS_PROFILE=many $(BIN)/python -m pytest -q -n 2 --dist loadfile -m '' tests/scenarios

test-slow: .venv/dev.stamp  ## Run what make test leaves out: large inputs, started programs, many examples
	@HYPOTHESIS_PROFILE=many $(BIN)/python -m pytest -q -n 2 --dist loadfile -m 'slow or hypothesis'

test-faults: .venv/dev.stamp  ## Try every fault in every operation, and look where each row is
	@$(BIN)/python -m pytest -q -n 2 tests/faults

test-lowest: .venv-lowest/dev.stamp  ## Run the tests and scenarios on the lowest dependencies that are allowed
	@$(LOWEST)/python -m pytest -q -n 3 --dist loadfile
	@$(LOWEST)/python -m pytest -q -n 2 --dist loadfile tests/scenarios

test-clients: tests/clients/node_modules/.stamp  ## Drive the org and the MCP server with the clients that people use
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/clients

test-conformance: tests/conformance/node_modules/.stamp  ## Hold the MCP server to the protocol's own conformance tests
	@$(BIN)/python -m pytest -q tests/conformance

test-callers: tests/callers/node_modules/.stamp  ## Sign in at a real identity provider, and try to get past the guard
	@$(BIN)/python -m pytest -q tests/callers

test-openapi: tests/openapi/node_modules/.stamp  ## Lint the OpenAPI document of /v1, and hold a server to it
	@$(BIN)/python -m pytest -q tests/openapi

test-window: .venv/window.stamp  ## Look through the embedded org's window in headless Chromium
	@$(BIN)/python -m pytest -q tests/window

test-view: tests/view/node_modules/.stamp  ## Look at the page of a job in headless Chromium, in the host side of MCP Apps
	@$(BIN)/python -m pytest -q -n 2 tests/view

fuzz: .venv/dev.stamp  ## Try the embedded org with new files and requests for some minutes
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -q -n 2 -o timeout=600 tests/salesforce_emulator/test_properties.py

SEEDS ?= 300
FROM ?= 0
simulate: .venv/dev.stamp  ## Simulate loads in a world that goes wrong (SEEDS=300 FROM=0, or SEED=17 to replay one)
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --from $(FROM))

lint: .venv/dev.stamp  ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/dev.stamp  ## Check the types, strictly, in source and tests
	@$(BIN)/mypy

imports: .venv/dev.stamp  ## Check which part may import which
	@$(BIN)/lint-imports

check: lint types imports  ## All static checks

format: .venv/dev.stamp  ## Rewrite the code in the one format
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format -q .

bench: .venv/dev.stamp  ## Measure the gateway and the embedded org (make bench PART=org for one)
	@$(BIN)/python -m tests.bench $(PART)

trace: .venv/dev.stamp  ## Print the files and functions that two calls visit, in order
	@$(BIN)/python -m tests.trace

release: .venv/dev.stamp  ## Build wheel and sdist into dist/, and try each in a clean environment
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation > .venv/build.log 2>&1 || { cat .venv/build.log; exit 1; }
	@$(BIN)/python -m tests.release dist

clean:  ## Remove what the targets made
	rm -rf .venv .venv-lowest .venv-clients dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache tests/clients/node_modules tests/conformance/node_modules tests/callers/node_modules tests/openapi/node_modules tests/view/node_modules
