# Every target sets itself up first: a .venv from the hash-locked requirements, nothing outside this folder.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# The locked one in .venv writes the locks; to install with it would replace it while it runs.
UV := $(filter-out $(CURDIR)/.venv/%,$(shell command -v uv 2>/dev/null))
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Without byte code every stage would start four times slower.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.PHONY: help repro report fresh retrain test browser bench proof faults endure lint lock sbom audit clean

help:   ## Show this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

repro: .venv/.requirements   ## Run the seven stages where something changed, then show the scores
	@dvc repro || { python -m src repair && dvc repro; } || \
	    { echo "error: the pipeline stopped; what is broken, and what mends it:" >&2; python -m src doctor >&2; exit 1; }
	@python -m src scores

report: .venv/.requirements   ## Write all that is known of the candidate to reports/index.html, one page that opens from disk
	@python -m src report

fresh: .venv/.requirements   ## Prove without data or cache that no stage would run: dvc.lock is what code and parameters make
	@said=$$(dvc repro --dry --allow-missing --keep-going 2>&1) || true; \
	if [ "$${said##*$$'\n'}" != "Data and pipelines are up to date." ]; then \
	    stages=$$(sed -nE "/^(Running stage|ERROR: failed to reproduce|WARNING: Stages?) /p" <<<"$$said" | \
	        { grep -oE "'[a-z_]+'" || true; } | tr -d "'" | sort -u | paste -sd ' '); \
	    echo "error: expected that no stage would run, but these would: $${stages:-DVC says $${said##*$$'\n'}};" \
	        "\`make repro\`, then commit dvc.lock" >&2; exit 1; \
	fi

# END and DRY_RUN reach the shell from the environment, where make leaves them as they are: END=... make retrain.
# A refusal is no failure: status 1 passes where this run's report says so, for 1 is a crash of Python, too.
retrain: .venv/.requirements   ## Retrain up to END, promote what the gate lets pass, push it; DRY_RUN=true only reports
	@rm -f reports/retrain.md reports/retrain.json
	@case "$${DRY_RUN:-false}" in true) dry_run=--dry-run ;; false) dry_run= ;; \
	    *) echo "error: expected DRY_RUN=true or false, got $$DRY_RUN" >&2; exit 2 ;; esac; \
	python -m src retrain $${END:+--end="$$END"} $$dry_run || { [ $$? -eq 1 ] && grep -qs '"outcome": "refused"' reports/retrain.json; }

# Threads of OpenBLAS wait busily for each other, and here the other processes need the cores.
test: .venv/.requirements-dev lint browser   ## Prove it: lint, types, unit tests, contracts, properties, end to end
	@OPENBLAS_NUM_THREADS=1 python -m pytest --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

browser:   ## Install Debian's Chromium, in which the tests open the report page; nothing if there is a browser
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null || \
	    { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && echo "browser: installing chromium" && apt-get update -qq && \
	      DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium fonts-liberation >/dev/null; } || \
	    { echo "error: expected a browser on the path; install chromium (Debian: sudo make browser) or google-chrome" >&2; exit 2; }

bench: .venv/.requirements-dev   ## Time ours against the alternatives in one run, about 4 minutes; needs `make repro` before
	@python -m tests.bench

proof: .venv/.requirements-dev   ## Count what the gate promotes among noise and candidates known to be worse or better, about 50 minutes
	@python -W ignore -m tests.proof

faults: .venv/.requirements-dev   ## Kill, fill disks and damage files at many points; write what was seen to docs/faults.md, at most 10 minutes
	@python -m tests.faults

# MINUTES and SEED reach the shell from the environment. Without SEED it goes on where it was stopped, else with the next seed.
endure: .venv/.requirements-dev   ## Long tests, then all faults at random places for MINUTES, 80 if unset; goes on where it was stopped, adds to docs/faults.md
	@python -m tests.faults.endure $${MINUTES:+--minutes="$$MINUTES"} $${SEED:+--seed="$$SEED"}

lint: .venv/.requirements-dev   ## Style, types, layers, and the workflows as an attacker reads them; offline
	@ruff check .
	@ruff format --check .
	@mypy
	@lint-imports --no-cache
	@zizmor --offline --quiet --strict-collection --persona auditor .github
	@check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml

# A constraint with a marker lets uv resolve the serving set for PyPy, too, for which there is no onnxruntime.
# --no-build: a package without a wheel cannot be locked. The first lock holds every package of the others.
# A week: most releases that were tampered with are found within days.
lock: COMPILE = $(if $(filter all,$(UPGRADE)),UV_EXCLUDE_NEWER='1 week') uv pip compile --quiet --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url $(if $(filter all,$(UPGRADE)),--upgrade,$(addprefix --upgrade-package ,$(UPGRADE)))
# On another Python or system the marker of every pin is false, so pip would install nothing and exit 0. This requirement is wanted
# there, and cannot be met: it names no package, and no file has its hash.
lock: GUARD = This_lock_is_for_Python_3.11_on_Linux_or_macOS==0 ; python_full_version < '3.11' or python_full_version >= '3.12' or (sys_platform != 'linux' and sys_platform != 'darwin') --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000
lock: .venv/.requirements-dev   ## Renew the requirements*.lock from pyproject.toml; UPGRADE=name moves one, UPGRADE=all each
	$(COMPILE) --no-build --group dev --output-file requirements-dev.lock
	$(COMPILE) --group commands --constraints requirements-dev.lock --output-file requirements.lock
	$(COMPILE) --group model --constraints requirements-dev.lock --output-file requirements-model.lock
	sed 's/ [;\\].*//; /^ /d' requirements-dev.lock | $(COMPILE) --group serve --constraints - --output-file requirements-serve.lock
	@for lock in requirements*.lock; do \
	    { sed 2q "$$lock"; echo "$(GUARD)"; sed 1,2d "$$lock"; } > "$$lock.aside"; mv "$$lock.aside" "$$lock"; \
	done

sbom: .venv/.requirements-dev   ## Write what the locks install: sbom.cdx.json of the serving set, and docs/licences.md of all
	@python scripts/sbom.py

audit: .venv/.requirements-dev   ## Ask the advisory service about every pin; it needs the network, and fails without
	@python scripts/audit.py

clean:   ## Remove the environment and what the tools left
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis dvc_plots

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	    { echo "error: expected Python 3.11, got $$($(PYTHON) --version 2>&1); install it, or: make PYTHON=/path/to/python3.11" >&2; exit 2; }
ifdef UV
	@uv venv --quiet --no-python-downloads --python "$(PYTHON)" .venv
else
	@$(PYTHON) -m venv .venv
endif

# A lock names every package, so none is looked for; pip would ask for the one that pyproject.toml overrides.
.venv/.requirements: requirements.lock | .venv/bin/python
.venv/.requirements-dev: requirements-dev.lock .venv/.requirements | .venv/bin/python
.venv/.requirements .venv/.requirements-dev:
	@echo "setup: installing $< into .venv"
ifdef UV
	@uv pip install --quiet --python .venv/bin/python --compile-bytecode --no-build --no-deps --require-hashes --requirement $<
else
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --compile --no-deps --require-hashes --requirement $<
endif
	@touch $@
