# Every target works as the only command in a fresh clone, given make and Python 3.10 or newer
# with venv. Choose another Python with `make demo PYTHON=python3.12`.

VENV    := .venv
READY   := $(VENV)/.ready
READY_FOR_DEMO := $(VENV)/.ready-for-demo
DOCS    := $(VENV)/.docs
BIN     := $(VENV)/bin
OUTPUT  := demo-output
COMMA   := ,
# More arguments for pytest: `make test PYTEST_ARGS="-k fusion -m 'not slow'"`
PYTEST_ARGS ?=
export PYTEST_ARGS
# Tests run in as many processes as there are cores, each with one thread: with more, the threads
# of several processes wait for each other.
PYTEST  = OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} "$(CURDIR)/$(BIN)/pytest" \
    -n auto --maxprocesses 8 --dist worksteal $(PYTEST_ARGS)

# Location of the Slicer module: this clone, or the tree of an installed extension, e.g.
# `make test-slicer MODULE_FOLDER=.../lib/Slicer-5.8/qt-scripted-modules`
MODULE_FOLDER ?= $(CURDIR)/MIMIR
# Without the user's settings and extensions.
SLICER_OPTIONS = --no-splash --disable-settings --additional-module-paths "$(MODULE_FOLDER)"

CANDIDATES := python3.11 python3.12 python3.13 python3.10 python3.14 python3 python
SUITABLE   := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))

.DEFAULT_GOAL := help
.PHONY: help demo test test-engine test-module test-processors test-without-posix test-slicer lint docs bench \
    bench-slicer fuzz torture validation \
    validation-checks validation-others validation-module clean

help:
	@echo "make demo   measure a synthetic study; results go to $(OUTPUT)/ (and a picture after make test)"
	@echo "make test   run all tests of the engine and of the Slicer module"
	@echo "make test-processors   run the numerical tests as on older and newer processors (ALL=1: all tests)"
	@echo "make test-without-posix   run a cohort and tests with what Windows has, on Linux"
	@echo "make test-slicer SLICER=/path/to/Slicer   run the module's tests inside 3D Slicer"
	@echo "make fuzz   try damaged inputs; CASES=100000 takes about half an hour (resumes if stopped)"
	@echo "make torture   disturb runs at every place; measure 300 studies of which 20 are hostile (hours)"
	@echo "make lint   run ruff and mypy"
	@echo "make docs   build the documentation and the API reference in docs-output/"
	@echo "make bench  time each step from archive to image"
	@echo "make bench-slicer SLICER=/path/to/Slicer  time Slicer's event loop while MIMIR measures"
	@echo "make validation  make all tables and figures of docs/validation.md (hours; resumes if stopped)"
	@echo "make validation-checks  try the checks of scans on fresh phantoms (an hour; resumes if stopped)"
	@echo "make validation-others  try changes, drift and harmonisation on fresh phantoms (an hour; resumes if stopped)"
	@echo "make validation-module  measure 200 new phantoms with the module phantom, as images and archives"
	@echo "make clean  remove $(VENV), outputs and caches"

demo: $(READY_FOR_DEMO)
	@$(BIN)/mimir demo --output $(OUTPUT)

# The second half runs even if the first fails.
test: $(READY)
	@status=0; for half in test-engine test-module; do \
	    $(MAKE) --no-print-directory $$half || status=1; \
	done; exit $$status

test-engine: $(READY)
	@cd engine && $(PYTEST)

# The parts of the Slicer module that do not need Qt, on Slicer's own MRML core.
test-module: $(READY)
	@cd MIMIR/Testing && $(PYTEST)

# The numerical tests (all tests with ALL=1) as they run on other processors and thread counts.
test-processors: $(READY)
	@.ci/processors

# On Linux, as on a system without what POSIX adds.
test-without-posix: $(READY)
	@.ci/without-posix

# The same module in the application, with its DICOM database; once with and once without a main
# window. On a machine without a screen: xvfb-run -a make test-slicer SLICER=...
test-slicer: _slicer
	@cd "$$(mktemp -d)" && for window in "" --no-main-window; do \
	    echo "== Slicer $$window"; \
	    "$(SLICER)" $(SLICER_OPTIONS) $$window --testing --python-code \
	        "import slicer.testing; slicer.testing.runUnitTest(['$(MODULE_FOLDER)'], 'MIMIR')" \
	        || exit 1; \
	done

# Damaged inputs of every kind; the same SEED gives the same cases. Faults and their inputs go to
# fuzz-output/.
CASES ?= 10000
SEED  ?= mimir
fuzz: $(READY)
	@$(BIN)/python engine/torture/fuzz.py --cases $(CASES) --seed $(SEED) --output fuzz-output

torture: $(READY)
	@$(BIN)/python engine/torture/disturbed_runs.py
	@$(BIN)/python engine/torture/hostile_cohort.py

bench-slicer: _slicer
	@cd "$$(mktemp -d)" && for script in "$(CURDIR)"/MIMIR/Testing/benchmark_*.py; do \
	    echo "== $$script"; \
	    "$(SLICER)" $(SLICER_OPTIONS) --python-script "$$script" || exit 1; \
	done

.PHONY: _slicer
_slicer:
	@test -x "$(SLICER)" || { \
	    echo "Name the program: make $(MAKECMDGOALS) SLICER=/path/to/Slicer" >&2; exit 2; }

lint: $(READY)
	@cd engine && ../$(BIN)/ruff check . && ../$(BIN)/ruff format --check . && ../$(BIN)/mypy
	@cd MIMIR && ../$(BIN)/ruff check . && ../$(BIN)/ruff format --check . && ../$(BIN)/mypy

# MkDocs reads the docstrings from the source; it does not import the engine.
docs: $(DOCS)
	@$(BIN)/mkdocs build --quiet --strict
	@echo "Open docs-output/index.html"

bench: $(READY)
	@for script in engine/benchmarks/*.py; do \
	    echo "== $$script"; $(BIN)/python "$$script" || exit 1; \
	done

validation: $(READY)
	@$(BIN)/python engine/validation --output validation-output --docs docs

validation-others: $(READY)
	@$(BIN)/python engine/validation/other_scanners.py --output validation-output/other-scanners --docs docs

validation-checks: $(READY)
	@$(BIN)/python engine/validation/scan_checks.py --output validation-output/checks --docs docs

validation-module: $(READY)
	@$(BIN)/python engine/validation/shipped_module.py --output validation-output/module-check

clean:
	@rm -rf $(VENV) $(OUTPUT) docs-output fuzz-output validation-output engine/build engine/*.egg-info engine/.hypothesis \
	    engine/.mypy_cache engine/.pytest_cache engine/.ruff_cache \
	    MIMIR/.mypy_cache MIMIR/.ruff_cache MIMIR/Testing/.pytest_cache
	@find engine MIMIR -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment for all targets, set up again only when the requirements change. The demonstration
# needs little; all else is installed into the same environment when another target needs it.
$(READY): engine/pyproject.toml MIMIR/Testing/requirements.txt
	@$(call install,PyTorch is large$(COMMA) allow some minutes,\
	    'engine[all]' --requirement MIMIR/Testing/requirements.txt)
	@touch $(READY_FOR_DEMO) $@

$(READY_FOR_DEMO): engine/pyproject.toml
	@$(call install,a download of some 55 MB,'engine[onnx]')
	@touch $@

# Make the environment if there is none, then install: $(call install,NOTE,REQUIREMENTS).
define install
python="$(PYTHON)"; \
if [ -z "$$python" ]; then \
    for candidate in $(CANDIDATES); do \
        if $$candidate -c '$(SUITABLE)' >/dev/null 2>&1; then python=$$candidate; break; fi; \
    done; \
fi; \
if ! $${python:-false} -c '$(SUITABLE)'; then \
    echo "No Python 3.10 or newer with venv found (Debian and Ubuntu: apt install python3-venv)." >&2; \
    echo "Name one with PYTHON=/path/to/python3." >&2; exit 1; \
fi; \
echo "Setting up $(VENV) with $$($$python --version), once; $(1)."; \
$(BIN)/python -m pip --version >/dev/null 2>&1 || $$python -m venv --clear $(VENV) || exit 1; \
log=$(VENV)/install.log; \
$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
    --editable $(2) >$$log 2>&1 || \
    { tail -n 30 $$log >&2; echo "The installation failed; all of its output: $$log" >&2; exit 1; }
endef

$(DOCS): $(READY)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable 'engine[docs]'
	@touch $@
