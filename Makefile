# Every target works as the only command in a fresh clone, given make and Python 3.10 or newer
# with venv. Choose another Python with `make demo PYTHON=python3.12`.

VENV    := .venv
READY   := $(VENV)/.ready
READY_FOR_DEMO := $(VENV)/.ready-for-demo
DOCS    := $(VENV)/.docs
BIN     := $(VENV)/bin
OUTPUT  := demo-output
LOCKS   := requirements
# `make test TORCH=cpu` installs PyTorch without the libraries for graphics cards (Linux).
TORCH   ?=
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
.PHONY: help demo test test-engine test-module test-processors test-without-posix test-oldest \
    test-newest test-slicer lint docs bench bench-slicer fuzz torture lock wheelhouse validation \
    validation-checks validation-others validation-module clean

help:
	@echo "make demo   measure a synthetic study; results go to $(OUTPUT)/ (and a picture after make test)"
	@echo "make test   run all tests of the engine and of the Slicer module (TORCH=cpu: without libraries for graphics cards)"
	@echo "make test-processors   run the numerical tests as on older and newer processors (ALL=1: all tests)"
	@echo "make test-without-posix   run a cohort and tests with what Windows has, on Linux"
	@echo "make test-oldest, make test-newest   run all tests with the oldest allowed packages, or the newest (7 GB each)"
	@echo "make test-slicer SLICER=/path/to/Slicer   run the module's tests inside 3D Slicer"
	@echo "make fuzz   try damaged inputs; CASES=100000 takes about half an hour (resumes if stopped)"
	@echo "make torture   disturb runs and removals at every place; measure 300 studies of which 20 are hostile (hours)"
	@echo "make lint   run ruff and mypy"
	@echo "make docs   build the documentation and the API reference in docs-output/"
	@echo "make bench  time each step from archive to image"
	@echo "make bench-slicer SLICER=/path/to/Slicer  time Slicer's event loop while MIMIR measures"
	@echo "make lock   renew the exact versions in $(LOCKS)/ (needs Python 3.11 or newer)"
	@echo "make wheelhouse  gather the engine and what 'mimir infer' needs for a machine without network"
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

# All tests with the oldest releases that engine/pyproject.toml allows, and with the newest that pip
# finds, each in an environment of its own.
test-oldest test-newest:
	@.ci/test_end $(@:test-%=%)

# Damaged inputs of every kind; the same SEED gives the same cases. Faults and their inputs go to
# fuzz-output/.
CASES ?= 10000
SEED  ?= mimir
fuzz: $(READY)
	@$(BIN)/python engine/torture/fuzz.py --cases $(CASES) --seed $(SEED) --output fuzz-output

torture: $(READY)
	@$(BIN)/python engine/torture/disturbed_runs.py
	@$(BIN)/python engine/torture/disturbed_forgetting.py
	@$(BIN)/python engine/torture/disturbed_fusing.py
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
	@$(BIN)/ruff check --config engine/pyproject.toml --extend-ignore T20 .ci

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

# Renew all locks. uv has an environment of its own; delete it to get a newer uv.
lock:
	@test -x .venv-lock/bin/uv || { \
	    python3.11 -m venv .venv-lock || $${PYTHON:-python3} -m venv .venv-lock; \
	    .venv-lock/bin/python -m pip install --quiet uv; }
	@.venv-lock/bin/python .ci/lock.py

# Wheels for `mimir infer` without network, for this system and Python unless OPTIONS says
# otherwise, e.g. OPTIONS="--platform win_amd64 --python-version 3.12 --only-binary :all:".
WHEELHOUSE ?= wheelhouse
OPTIONS    ?=
wheelhouse: $(READY_FOR_DEMO)
	@rm -rf $(WHEELHOUSE) engine/build
	@$(BIN)/python -m pip download --quiet --require-hashes --no-deps $(OPTIONS) \
	    --requirement $(LOCKS)/demo.txt --dest $(WHEELHOUSE)
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir $(WHEELHOUSE) ./engine
	@echo "On the other machine: pip install --no-index --find-links $(WHEELHOUSE) 'mimir-engine[onnx]'"

clean:
	@rm -rf $(VENV) .venv-lock .venv-oldest .venv-newest $(WHEELHOUSE) $(OUTPUT) docs-output fuzz-output \
	    validation-output engine/build engine/*.egg-info engine/.hypothesis \
	    engine/.mypy_cache engine/.pytest_cache engine/.ruff_cache \
	    MIMIR/.mypy_cache MIMIR/.ruff_cache MIMIR/Testing/.pytest_cache
	@find engine MIMIR -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment for all targets, set up again only when the locks change. The demonstration
# needs little; all else is installed into the same environment when another target needs it.
LOCKED := $(addprefix $(LOCKS)/,build.txt core.txt torch-common.txt torch.txt)
$(READY): engine/pyproject.toml $(LOCKED)
	@$(call install,PyTorch is large; allow some minutes,$(LOCKED))
	@touch $(READY_FOR_DEMO) $@

$(READY_FOR_DEMO): engine/pyproject.toml $(LOCKS)/build.txt $(LOCKS)/demo.txt
	@$(call install,a download of some 55 MB,$(LOCKS)/build.txt $(LOCKS)/demo.txt)
	@touch $@

$(DOCS): $(READY) $(LOCKS)/docs.txt
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes \
	    --requirement $(LOCKS)/docs.txt
	@touch $@

# Make the environment if there is none, then install exact versions and the engine:
# $(call install,NOTE,LOCKS). With TORCH=cpu, PyTorch comes first, from where pip's configuration
# offers that build; it has no hash in the lock.
PIP = $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off
locked = $(shell sed -n 's/^$(1)==\([^ ;]*\).*/\1/p' $(LOCKS)/torch.txt)
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
failed() { tail -n 30 $$log >&2; echo "$$1; all of the output: $$log" >&2; exit 1; }; \
if [ "$(TORCH)" = cpu ] && [ -n "$(filter %/torch.txt,$(2))" ]; then \
    $(PIP) --no-deps "torch==$(call locked,torch)+cpu" "torchvision==$(call locked,torchvision)+cpu" >$$log 2>&1 || \
        failed "pip's configuration offers no CPU build of PyTorch $(call locked,torch): add an index that does, or leave out TORCH=cpu"; \
fi; \
$(PIP) --require-hashes $(addprefix --requirement ,$(if $(filter cpu,$(TORCH)),$(filter-out %/torch.txt,$(2)),$(2))) >>$$log 2>&1 && \
$(PIP) --no-deps --no-build-isolation --editable engine >>$$log 2>&1 || failed "The installation failed"
endef
