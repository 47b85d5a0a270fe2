# `make demo` and `make test` are all a fresh clone needs; what they need goes into the virtual environment $(VENV).

# Python 3.11 or later; `make test PYTHON=python3.13` chooses another one.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$python && break; done)
VENV ?= .venv
# Another SQLAlchemy than the newest, in an environment of its own:
#   make test VENV=.venv-2.0 SQLALCHEMY='sqlalchemy<2.1'
SQLALCHEMY ?=
# What to run and how, e.g. `make test TESTS=tests/rules PYTEST='-n0 -x'`.
TESTS ?=
PYTEST ?= -n2
# `make soak SOAK_ROUNDS=100000` goes on for longer.
SOAK_ROUNDS ?= 10000

override VENV := $(abspath $(VENV))
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
DEMO_CACHE := $(VENV)/demo-cache

.PHONY: help venv demo test lint soak benchmarks clean
MAKEFLAGS += --no-print-directory

help:
	@echo 'make demo        run the example project under --dbguard, on SQLite and on PostgreSQL, and show the findings'
	@echo 'make test        run all tests, with coverage'
	@echo 'make lint        check format, lint and types'
	@echo 'make soak        run the recorder for a long time under a random load'
	@echo 'make benchmarks  measure start-up, cost per statement and memory'
	@echo 'make clean       remove what these commands made'

venv: $(READY)

$(READY): pyproject.toml
	@sh tests/make_venv.sh '$(PYTHON)' '$(VENV)' '$(SQLALCHEMY)'
	@touch $@

# The findings make pytest end with status 1: that is what the demo shows. A failed test or another status is an error.
define show_findings
	@echo; echo '$$ cd example_project && pytest --dbguard --dbguard-database $(1)'
	@cd example_project && { status=0; \
	$(RUN) -m pytest --cache-clear -o cache_dir='$(DEMO_CACHE)' --dbguard --dbguard-database $(1) || status=$$?; \
	if [ $$status -ne 1 ] || [ -e '$(DEMO_CACHE)/v/cache/lastfailed' ]; then \
	echo "make demo: expected passing tests and new findings (status 1), but pytest ended with status $$status"; \
	exit 1; fi; }
endef

demo: $(READY)
	$(call show_findings,sqlite)
	$(call show_findings,postgres-embedded)
	@echo; echo 'The tests pass; dbguard fails the build on what production would feel. `dbguard explain RULE` tells more.'

# `pytest --cov` would start measuring after a plugin's own lines are imported.
test: $(READY)
	@$(RUN) -m coverage erase
	@status=0; $(RUN) -m coverage run -m pytest $(PYTEST) $(TESTS) || status=$$?; \
	$(RUN) -m coverage combine -q && $(RUN) -m coverage report; exit $$status

lint: $(READY)
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy --strict

soak: $(READY)
	@SOAK_ROUNDS=$(SOAK_ROUNDS) $(RUN) -m pytest tests/soak

benchmarks: $(READY)
	@$(RUN) tests/benchmarks/startup.py
	@$(RUN) tests/benchmarks/overhead.py
	@$(RUN) tests/benchmarks/memory.py

clean:
	@rm -rf '$(VENV)' .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
