# Every target sets up what it needs. BANK chooses the bank; its data lives in ZHONGTAI_HOME.
BANK ?= xiaocheng
PYTHON ?= python3
BIN := .venv/bin
export ZHONGTAI_HOME ?= $(CURDIR)/$(if $(filter xiaocheng,$(BANK)),var,var-$(BANK))

.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow test-browser ui check bench docs clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: .venv/.ready ## install everything into .venv, by hash

.venv/.ready: requirements.txt pyproject.toml
	@echo "setting up .venv (about two minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## backfill the bank BANK and publish its last business date
	@$(BIN)/zhongtai backfill --bank $(BANK)

test: setup ## unit, contract and end-to-end tests: under five minutes
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not browser"
	@echo "All tests passed. Next: make run; make test-slow for every number of a real bank; make check for the linters."

test-slow: setup ## every number of the PKDD'99 bank against an independent recomputation
	@$(BIN)/python -m pytest -m slow

test-browser: setup ## the Dagster UI in headless Chromium (Debian: apt-get install chromium)
	@$(BIN)/python -m pytest -m browser

ui: setup ## open the Dagster UI on http://localhost:3000
	@$(BIN)/zhongtai ui --bank $(BANK)

check: setup ## linters: Python, SQL, layers, dependencies, dead code, contracts
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/deptry pipelines
	$(BIN)/vulture
	$(BIN)/zhongtai contracts check
	$(BIN)/sqlfluff lint dbt_project --processes 2

bench: setup ## time and memory of one night, as ratios to the bare engine
	@$(BIN)/python benchmarks/night.py

docs: setup ## write the page of every contract to docs/contracts
	@$(BIN)/zhongtai contracts docs

clean: ## remove .venv and caches; data in var stays
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
