# Every target sets up what it needs. BANK chooses the bank; its data lives in ZHONGTAI_HOME.
BANK ?= simbank
PYTHON ?= python3
BIN := .venv/bin
# The simulated bank: so many customers, a history of 120 days in one file per contract, then three nights.
CUSTOMERS ?= 20000
SEED ?= 1
# Faults: so many nights killed at random, so many readers beside as many publications, so many of the other faults
# (all of them, where it is empty), and where the table goes.
KILLS ?= 200
AT_ONCE ?= 50
SAMPLE ?=
FAULTS ?= tests/faults
TABLE ?= docs/faults.md
BENCH ?= var-bench
HISTORY := 2025-01-01 2025-04-30
NIGHTS := 2025-05-01 2025-05-02 2025-05-03
# Tests make and delete tens of thousands of small files: in memory, where a machine has 8 GB of it to spare.
IN_MEMORY := $(shell test "$$(df -k --output=avail /dev/shm 2>/dev/null | tail -1)" -gt 8000000 2>/dev/null && echo /dev/shm)
test test-slow faults: export TMPDIR := $(or $(IN_MEMORY),$(TMPDIR),/tmp)
export ZHONGTAI_HOME ?= $(CURDIR)/$(if $(filter simbank,$(BANK)),var,var-$(BANK))

.DEFAULT_GOAL := help
.PHONY: help setup run test test-servers test-slow test-browser faults ui check bench bench-audit bench-simulate bench-identity bench-graph identity-worlds identity-stability results docs docs-bank clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: .venv/.ready ## install everything into .venv, by hash

.venv/.ready: requirements.txt pyproject.toml
	@echo "setting up .venv (about two minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

ifeq ($(BANK),simbank)
SIMULATE := $(BIN)/zhongtai simulate --customers $(CUSTOMERS) --seed $(SEED) --out "$$ZHONGTAI_HOME/simulated"
run: setup ## simulate a bank of 20,000 customers, backfill its history, run three nights, publish
	@$(SIMULATE) --from $(firstword $(HISTORY)) --to $(lastword $(HISTORY)) --history-to $(lastword $(HISTORY))
	@$(BIN)/zhongtai backfill --bank $(BANK) --to $(lastword $(HISTORY))
	@for night in $(NIGHTS); do \
		$(SIMULATE) --from $$night --to $$night && $(BIN)/zhongtai nightly --bank $(BANK) --date $$night || exit; \
	done
else
run: setup
	@$(BIN)/zhongtai backfill --bank $(BANK)
endif

test: setup ## unit and contract tests, and two nights of an invented bank
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not servers and not browser"
	@echo "All tests passed. Next: make run; make test-servers and test-slow for more; make check for the linters."

test-servers: setup ## deliveries from S3, SFTP, HTTP and PostgreSQL servers of this machine
	@$(BIN)/python -m pytest -m "servers and not slow"

test-slow: setup ## half an hour: both banks night by night, every number of PKDD'99 recomputed (HALF=x: half of it)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=40 -m "slow and not faults" \
		$(if $(HALF),--half $(HALF))

faults: setup ## nights that are killed (KILLS=200 at random), starved and spoiled: hours; writes docs/faults.md
	@$(BIN)/python -m pytest -n 2 $(FAULTS) --kills $(KILLS) --at-once $(AT_ONCE) $(if $(SAMPLE),--sample $(SAMPLE)) \
		--seed $(SEED) --table $(TABLE)

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
	@$(BIN)/python -m benchmarks.night

bench-audit: setup ## the audit as a share of a night, beside its bare SQL, and memory, of CUSTOMERS in BENCH
	@$(BIN)/python -m benchmarks.audit $(BENCH) --customers $(CUSTOMERS)

bench-simulate: setup ## rows per second and memory of the simulated bank
	@$(BIN)/python -m benchmarks.simulate

bench-identity: setup ## time and memory of identity resolution: a million records, and a night's delta
	@$(BIN)/python -m benchmarks.identity --write docs/identity.md

bench-graph: setup ## components and PageRank of 5 million relations, beside bare scipy
	@$(BIN)/python -m benchmarks.graph

identity-worlds: setup ## half an hour: how right identity is, on five worlds, under harder noise, on Febrl4
	@$(BIN)/python -m benchmarks.identity_worlds

identity-stability: setup ## ten minutes: how steady party ids are, and 30 nights against one full run
	@$(BIN)/python -m benchmarks.identity_stability --write docs/identity.md

results: setup ## hours: what lists, warnings and scores are worth, on 200,000 customers and on PKDD'99
	@$(BIN)/python -m benchmarks.results var-results --write docs/results.md

docs: setup ## write the page of every contract to docs/contracts
	@$(BIN)/zhongtai contracts docs

docs-bank: setup ## write docs/simulated-bank.md with its plots from one simulated year
	@$(BIN)/python -m benchmarks.simulated_bank

clean: ## remove .venv and caches; data in var stays
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
