# Needs git, make and CPython 3.12 or 3.13; `make` alone lists the targets.
# PYTHON=... names the interpreter that .venv is made with; without it .ci/find_python.sh looks.

SHIPPED := outputs/shipped
ESTIMATE := run -m 'assumptions=glob(*)' name=shipped
UV ?= uv

# Paths are relative to this folder, so that a checkout path may contain spaces.
PIP := .venv/bin/python -m pip
INSTALL := $(PIP) install --quiet --require-hashes --no-build-isolation \
	--only-binary :all: --no-binary antlr4-python3-runtime
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONHOME PYTHONPATH

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help estimate report test quick lint docs calibrate backtest bench bench-wars fix
.PHONY: datapackage lock release-check clean distclean

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1 \2/p' Makefile | \
		while read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done

estimate: .venv/.installed ## run every shipped assumption set; results and report.html in outputs/shipped
	.venv/bin/estimator $(ESTIMATE)
	.venv/bin/estimator report $(SHIPPED) --no-fits

report: .venv/.installed ## the report with all that needs fits: audit, break-even, tornado (after estimate; long)
	.venv/bin/estimator run -m experiment=tornado name=tornado
	.venv/bin/estimator audit $(SHIPPED)
	.venv/bin/estimator report $(SHIPPED) outputs/tornado

# A file of tests runs in one worker, so that its fits are made once. Two workers take both cores of a
# small machine; each holds up to 2 GB. More: make test WORKERS=4.
WORKERS ?= 2
PYTEST = .venv/bin/python -m pytest --numprocesses $(WORKERS) --dist loadscope \
	--no-loadscope-reorder --durations 10
test quick: export OMP_NUM_THREADS := 1

test: lint ## lint, then the tests with coverage
	$(PYTEST) --cov

quick: lint ## lint, then the tests that take moments: no sampler, no cluster, no browser
	$(PYTEST) -m 'not (sampling or cluster or slow or calibration)'

lint: .venv/.installed-dev ## style, types, import layers and spelling
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/codespell

# Anew each time: a notebook shows what the code does now. It calls `estimator`, as a reader would.
docs: .venv/.installed-docs ## the site, with all notebooks run, in docs/_build/html
	PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/sphinx-build -E -W --keep-going -q \
		-c docs -d docs/_build/doctrees . docs/_build/html

calibrate: .venv/.installed-dev ## ranks, coverage, broken worlds, reweighting in simulated worlds (one to two hours)
	.venv/bin/estimator calibrate name=calibration
	.venv/bin/python -m pytest -m calibration
	THOROUGH=10 .venv/bin/python -m pytest tests/ingest/test_any_table.py

backtest: .venv/.installed ## forecasts of claims that came later, as of each month since June 2023
	.venv/bin/estimator backtest

bench: .venv/.installed-dev ## time commands, and four ways of a sweep; BEFORE=FOLDER: beside a checkout
	BEFORE="$(BEFORE)" .venv/bin/python -m tests.benchmarks.run
	.venv/bin/python -m tests.benchmarks.sweep

bench-wars: .venv/.installed-dev ## wars whose truth is known, from table to answer (about an hour)
	.venv/bin/python -m tests.benchmarks.wars --output outputs/wars

fix: .venv/.installed-dev ## mend style where ruff can
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

datapackage: .venv/.installed ## write data/datapackage.json again, after a change of the tables or their schema
	.venv/bin/python -m estimator.evidence.datapackage

release-check: .venv/.installed-dev ## build, install the wheel anew, run it, compare with the golden table
	.venv/bin/python -m tests.release_check

# pip before 23.3 does not see that a pin without an extra is meant by a requirement with one. Keeps the pins
# that still fit; LOCK=--upgrade takes the newest of all, LOCK='-P numpy' of one.
COMPILE = $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.12 \
	--generate-hashes --no-header --no-strip-extras $(LOCK)
lock: ## pin requirements*.txt from pyproject.toml again (needs uv)
	$(COMPILE) --group build -o requirements.txt
	$(COMPILE) --group build --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --group build --group docs -c requirements-dev.txt -o requirements-docs.txt

clean: ## remove caches and builds; keeps outputs/ and .venv
	rm -rf build dist docs/_build docs/commands htmlcov .coverage .coverage.* .hypothesis
	rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . \( -path ./.venv -o -path ./.git \) -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean ## clean, and remove .venv
	rm -rf .venv

# An environment that is missing, broken, moved or of an unsuitable Python is made from nothing.
ifneq ($(shell sh .ci/find_python.sh --check-venv .venv && echo usable),usable)
.PHONY: .venv/pyvenv.cfg
endif
.venv/pyvenv.cfg:
	@python=$$(sh .ci/find_python.sh) && rm -rf .venv && \
		echo "making .venv with $$python" && "$$python" -m venv .venv

# setuptools comes first, by its own hash: antlr4-python3-runtime has no wheel, and with build
# isolation pip would fetch an unpinned setuptools to build it. Everything else has to be a wheel.
.venv/.installed: .venv/pyvenv.cfg requirements.txt pyproject.toml
	pwd -P > .venv/.location
	awk '/^[a-z]/ { keep = /^setuptools==/ } keep' requirements.txt > .venv/setuptools.txt
	$(INSTALL) -r .venv/setuptools.txt
	$(INSTALL) -r requirements.txt
	$(PIP) install --quiet --no-build-isolation --no-deps -e .
	touch $@

.venv/.installed-dev .venv/.installed-docs: .venv/.installed-%: .venv/.installed requirements-%.txt
	$(INSTALL) -r requirements-$*.txt
	touch $@
