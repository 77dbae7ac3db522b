# What one does with this repository; `make` alone lists it.
#
#   make serve ARGS=production.ini     ARGS goes on to the command behind a target
#   make test ARGS='-k project'
#   make venv PYTHON=python3.11        PYTHON chooses the interpreter of a new .venv

.DEFAULT_GOAL := help
.PHONY: help serve trace test pymysql soak cluster-test bench calibrate screenshots docs lint audit format lock venv clean

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
UV_VERSION := 0.13.9

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
# Each is tried, not only looked for: a version manager's stubs are on PATH, but may not run.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

# exec: the server takes the shell's place, so that a signal to make reaches it.
serve: $(VENV)/.serve ## Run the server on development.ini, with a database of its own
	@exec $(BIN)/ar_targets_serve $(ARGS)

trace: export OTEL_SERVICE_NAME ?= ar_targets
trace: export OTEL_TRACES_EXPORTER ?= console
trace: export OTEL_METRICS_EXPORTER ?= none
trace: export OTEL_LOGS_EXPORTER ?= none
trace: $(VENV)/.develop ## As serve, with each request's OpenTelemetry span on the terminal
	@exec $(BIN)/opentelemetry-instrument $(BIN)/ar_targets_serve $(ARGS)

# Python's and pytest's caches, where they are turned off: dozens of processes start here.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.develop $(VENV)/.production ## Run the tests, in a process for each core; ARGS='-n 0' in one
	$(BIN)/pytest --numprocesses=auto --dist=worksteal $(ARGS)

pymysql: $(VENV)/.develop ## Run the functional tests with the driver in Python
	AR_TARGETS_TEST_DRIVER=pymysql $(BIN)/pytest --no-cov --numprocesses=auto \
		--dist=worksteal tests/functional tests/nouns $(ARGS)

soak: $(VENV)/.develop $(VENV)/.production ## Run the long experiments; ARGS='--faults 10 --seed 7'
	$(BIN)/pytest -m soak --no-cov -s $(ARGS)

cluster-test: $(VENV)/.develop $(VENV)/.production ## Run the experiments on a cluster of three databases
	$(BIN)/pytest -m 'soak or not soak' --no-cov -s tests/cluster $(ARGS)

bench: $(VENV)/.develop $(VENV)/.production ## Measure the server alone; needs wrk
	$(BIN)/python benchmarks/bench.py

calibrate: $(VENV)/.develop ## Compare targets' ratings with MindAR; needs the network, npm, Chromium and Debian
	$(BIN)/python -m tests.calibration
	$(BIN)/python -m tests.calibration.similar var/calibration --half 1 --seed 78 --most 60

screenshots: $(VENV)/.develop ## Take the pictures of the panel in docs/images
	$(BIN)/pytest --no-cov -n 0 tests/browser/screenshots.py $(ARGS)

docs: $(VENV)/.develop ## Build docs/ as a site, in docs/_build
	$(BIN)/sphinx-build -W --keep-going --nitpicky --quiet docs docs/_build

lint: $(VENV)/.develop ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

audit: $(BIN)/pip ## Look up known vulnerabilities of what is pinned; needs the network
	$(BIN)/pip install --quiet 'pip-audit>=2.10,<3'
	$(BIN)/pip-audit --no-deps --disable-pip --strict -r requirements-production.lock $(ARGS)

format: $(VENV)/.develop ## Put the code into its one format
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

lock: $(BIN)/pip ## Renew the lock files from what both packages need; ARGS=--upgrade takes newer versions
	$(BIN)/pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
		setup.py -o requirements.lock $(ARGS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
		setup.py --extra mariadb -c requirements.lock -o requirements-production.lock $(ARGS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
		setup.py clients/python/pyproject.toml requirements-dev.in \
		-c requirements.lock -o requirements-dev.lock $(ARGS)
	# Left by reading setup.py; its entry points would soon be stale.
	rm -rf ar_targets.egg-info

venv: $(VENV)/.develop ## Make .venv with all that tests and checks need

clean: ## Remove caches and build output; never var/, where the data is
	rm -rf build dist *.egg-info clients/python/build clients/python/dist clients/python/*.egg-info
	rm -rf docs/_build .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .coverage .coverage.* htmlcov
	find alembic ar_targets clients tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is as old as the last installation: it is repeated when what it read has changed.
$(VENV)/.serve: requirements.lock setup.py | $(BIN)/pip
	$(BIN)/pip install --quiet -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The driver in C: built where a compiler and the library are, or can be installed. Tests run
# on PyMySQL where they are not, and say so.
$(VENV)/.production: requirements-production.lock $(VENV)/.develop
	@command -v mariadb_config >/dev/null && command -v cc >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && \
		DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
			gcc libc6-dev libmariadb-dev; } || true
	@if command -v mariadb_config >/dev/null && command -v cc >/dev/null; then \
		$(BIN)/pip install --quiet -r requirements-production.lock; \
	else \
		echo "MariaDB's connector is not built: install gcc and libmariadb-dev" \
			"(apt-get install gcc libmariadb-dev), or test with PyMySQL alone" >&2; \
	fi
	@touch $@

$(VENV)/.develop: requirements-dev.lock setup.py clients/python/pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e . -e clients/python
	@touch $@

$(BIN)/pip:
	@python="$(PYTHON)"; "$${python:-false}" -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "ar_targets needs Python 3.11 or newer. Install one, or say where one is:" \
			"make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments." \
			"On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
