# `make run` and `make test` are the only two commands a machine with Python 3.11+ and make needs.
PYTHON ?= python3
RUN := .venv/bin/python
PORT ?= 8321
SECONDS ?= 1800

.DEFAULT_GOAL := help
.PHONY: help setup ui run test check types unit chaos bench fix lock

help: ## What there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: ## Install what is locked, and the project, into .venv
	@$(PYTHON) tools/setup.py

ui: setup ## Build the admin page when its sources changed
	@$(RUN) tools/build_ui.py

run: ui ## Serve everything with sample data on http://127.0.0.1:8321
	@echo "upshot: starting on http://127.0.0.1:$(PORT)"
	@exec .venv/bin/upshot dev --demo --port $(PORT)

test: ui ## Everything CI runs
	@$(MAKE) --no-print-directory -j 2 check types
	@$(MAKE) --no-print-directory unit

check: setup ## Style, layers, and the page's own checks
	@echo "upshot: ruff"
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check -q
	@echo "upshot: layers"
	@.venv/bin/lint-imports --no-logo --no-cache
	@$(RUN) tools/build_ui.py --check

types: setup ## pyright, strict
	@echo "upshot: pyright"
	@$(RUN) -m pyright --warnings

unit: ui ## The tests
	@echo "upshot: tests (a browser is found or installed first)"
	@UPSHOT_TEST_BROWSER_PATH="$$($(RUN) tools/browser.py)" $(RUN) -m pytest -n 2 --dist loadgroup

chaos: setup ## A thousand random kills, dying servers, storms, simulated faults: SECONDS=1800 SEED=...
	@$(RUN) -m tests.crash --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

bench: setup ## Print the figures, one JSON line each, with the peers beside us
	@$(PYTHON) tools/setup.py --bench
	@.venv-bench/bin/python tools/peers.py
	@.venv-bench/bin/python -m benchmarks $(BENCH)

fix: setup ## Put the style right
	@$(RUN) -m ruff check --fix -q || true
	@$(RUN) -m ruff format -q
	@$(RUN) tools/build_ui.py --fix

lock: setup ## Resolve the dependencies anew
	@$(PYTHON) tools/setup.py --lock
