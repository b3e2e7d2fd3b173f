# make        set up .venv and run the default workflow on all cores
# make test   set up .venv and run every check
# make help   the other targets

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := run
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

CORES ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
CONFIG ?= config/config.yaml
# The first Python that is new enough; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
DISK_GB := 6

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SNAKEMAKE := $(BIN)/python -m snakemake
# Both options take a list: a target has to come before them.
OPTIONS = --cores $(CORES) --configfile $(CONFIG) $(GPU)
# As many training jobs at once as there are GPUs; each picks its own.
GPUS := $(shell nvidia-smi -L 2>/dev/null | grep -c ^GPU)
GPU := $(if $(filter-out 0,$(GPUS)),--resources gpu=$(GPUS))

# FSPS built for finished SSPs (BPASS), beside the environment so as not to disturb it.
FSPS_VERSION := 0.5.0
FSPS_FLAGS := -DMIST=0 -DC3K_LR=0 -DBPASS=1 -O3
FSPS := build/fsps-$(FSPS_VERSION)
FSPS_ARCHIVE := $(or $(PHOTOZ_TEST_DATA),../shared/data)/fsps_home_static.tar.xz
FSPS_DATA := $(wildcard $(FSPS_ARCHIVE))
RUN_FSPS_TESTS = PHOTOZ_TEST_DATA=$(dir $(abspath $(FSPS_DATA))) PHOTOZ_TEST_FSPS=required \
	PHOTOZ_FSPS_REPORT=$(REPORT) PYTHONPATH=$(abspath $(FSPS)) OMP_NUM_THREADS=1 \
	$(BIN)/python -m pytest tests/fsps

# What keeps a real Slurm from being started on this machine, or nothing.
NO_SLURM = $(BIN)/python -c 'from tests.slurm.cluster import reason_to_skip; print(reason_to_skip() or "")'

.PHONY: run report test test-fsps test-slurm test-faults lint format typecheck workflow-lint unit-test docs env clean help

run: $(READY)  ## set up and run the workflow (CONFIG=file, CORES=n)
	$(SNAKEMAKE) all $(OPTIONS)

report: run  ## run, then Snakemake's own report.html (ours is results/<name>/report.html)
	$(SNAKEMAKE) --report report.html $(OPTIONS)

test: lint typecheck workflow-lint unit-test  ## set up and run every check

lint: $(READY)  ## style of the Python code and of the rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow

typecheck: $(READY)  ## types of the package
	$(BIN)/mypy

workflow-lint: $(READY)  ## Snakemake's own check of the rules
	$(BIN)/python -m snakemake --lint

unit-test: $(READY)  ## tests, one thread each, on all cores; a file stays on one core
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

# Without the data it says so, and builds nothing.
test-fsps: $(READY) $(if $(FSPS_DATA),$(FSPS)/.ready)  ## build FSPS, compare it with ours (REPORT=1 renews docs/fsps.md)
	@$(if $(FSPS_DATA),$(RUN_FSPS_TESTS),echo "make: test-fsps skipped: $(FSPS_ARCHIVE) not found; set PHOTOZ_TEST_DATA to its folder")

# Where Slurm is not installed it says so.
test-slurm: $(READY)  ## start a real Slurm on this machine, run the workflow on it (docs/machines/slurm.md)
	@reason=$$($(NO_SLURM)); \
	if [ -n "$$reason" ]; then echo "make: test-slurm skipped: $$reason"; \
	else $(MAKE) --no-print-directory $(VENV)/.cluster; \
		PHOTOZ_TEST_SLURM=required OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/slurm --durations=0; fi

$(VENV)/.cluster: $(READY)
	@echo "make: installing Snakemake's executors for clusters; log in $(VENV)/install-cluster.log"; \
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[cluster]' \
		> $(VENV)/install-cluster.log 2>&1 || { tail -n 5 $(VENV)/install-cluster.log >&2; exit 1; }
	@touch $@

# Takes about as long as 20 tiny runs: an hour on two cores.
test-faults: $(READY)  ## kill every job of the tiny run at random, resume, compare (KILLS=n; RULES="finetune figures"; REPORT=1 renews docs/reliability.md)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.kills $(if $(KILLS),--kills $(KILLS)) $(if $(RULES),--rules $(RULES)) $(if $(REPORT),--report docs/reliability.md)

# pip keeps what it built by name alone, whatever the flags: hence no cache.
$(FSPS)/.ready: $(READY)
	@for tool in gfortran cmake ninja; do \
		command -v $$tool >/dev/null || { echo "make: $$tool is needed to build FSPS; on Debian and" \
			"Ubuntu: apt install gfortran cmake ninja-build" >&2; exit 1; }; \
	done; \
	rm -rf $(FSPS); mkdir -p $(FSPS); \
	echo "make: building FSPS $(FSPS_VERSION) in $(FSPS); log in $(FSPS)/install.log"; \
	FFLAGS="$(FSPS_FLAGS)" $(BIN)/python -m pip install --disable-pip-version-check --no-cache-dir \
		--no-binary fsps --no-deps --target $(FSPS) fsps==$(FSPS_VERSION) > $(FSPS)/install.log 2>&1 \
		|| { tail -n 5 $(FSPS)/install.log >&2; exit 1; }
	@touch $@

format: $(READY)  ## rewrite code and rules in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

docs: $(READY)  ## write config/README.md from the schema
	$(BIN)/photoz config-docs > config/README.md

env: $(READY)  ## set up .venv only

$(READY): pyproject.toml constraints.txt
	@say() { echo "make: $$1" >&2; exit 1; }; \
	[ -n "$(PYTHON)" ] || say "no Python 3.11 or newer found; install one, or say make PYTHON=/path/to/python"; \
	if [ ! -x $(BIN)/python ]; then \
		free=$$(df -Pk . | awk 'NR == 2 {print int($$4 / 1048576)}'); \
		[ "$$free" -ge $(DISK_GB) ] || say "$$free GB free here, $(DISK_GB) GB are needed for the environment"; \
		$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
			|| say "$(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv"; \
		rm -rf $(VENV); $(PYTHON) -m venv $(VENV) || say "cannot create $(VENV) here"; \
	fi; \
	echo "make: installing photoz and what it needs into $(VENV); log in $(VENV)/install.log"; \
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[workflow,test]' \
		> $(VENV)/install.log 2>&1 || { \
		if grep -qiE 'Connection|name resolution|unreachable|timed out|ProxyError|from versions: none' $(VENV)/install.log; \
		then say "no connection to the package index; check the network or proxy ($(VENV)/install.log)"; \
		elif grep -qi 'No space left' $(VENV)/install.log; then say "the disk is full ($(VENV)/install.log)"; \
		else say "pip failed: $$(grep -m1 ERROR $(VENV)/install.log || tail -n1 $(VENV)/install.log)"; fi; }
	@touch $@

clean:  ## remove the environment, caches and report.html; results are kept
	rm -rf $(VENV) build .snakemake .mypy_cache .ruff_cache .pytest_cache .hypothesis report.html photoz.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/:.*  ## /\t/' | awk -F'\t' '{printf "make %-14s %s\n", $$1, $$2}'
