# Two commands matter: `make demo` and `make test`. Both install what they need into .venv (Python >= 3.11, git and make
# are enough to start with; Java 17 or 21 is looked for, and installed with apt where it is missing).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
PY := $(VENV)/bin/python
VECTORS ?= ../shared/vectors ../shared/vectors_more
PYTEST_ARGS ?=
WORKERS ?= 2
# The jars of yauaa: fetched once by Maven (into ~/.cache/snowetl); without it what needs them is skipped, and says so.
SNOWETL_YAUAA_JARS ?= nl.basjes.parse.useragent:yauaa:7.11.0
export SNOWETL_YAUAA_JARS
# Tests start hundreds of processes: compiled modules are kept, whatever the environment says.
export PYTHONDONTWRITEBYTECODE =
# The checkout stays Python, also where tests install it: a library beside a source that is edited would go on answering for it.
export SNOWETL_COMPILE = 0
# Debian's pip would otherwise build pyspark in a way that it warns of.
export PIP_USE_PEP517 = 1
WITH_JAVA = JAVA_HOME="$$(.ci/find-java)" && export JAVA_HOME PATH="$(abspath $(VENV))/bin:$$PATH" &&

.PHONY: help demo check test compiled test-compiled test-long test-cluster test-matrix lint coverage conformance bench bench-compare docs fixtures wheel wheels clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.ready-to-run ## a pipeline in ./demo: raw logs of three formats -> tables in PostgreSQL, answers in SQL; called again, nothing is new
	@$(WITH_JAVA) $(PY) -m fixtures.demo

check: $(VENV)/.ready-to-develop lint ## what to run before each commit, a minute or two on two cores: lint, then the unit tests
	@$(PY) -m pytest -m unit -n $(WORKERS) --hypothesis-profile=dev $(PYTEST_ARGS)

test: $(VENV)/.ready-to-develop lint ## lint, then the tests (real Spark, databases, S3 endpoint and HTTP on this machine), but those of test-long and test-cluster; unit tests on the compiled build, too
	@.ci/find-mariadb
ifeq ($(PYTEST_ARGS),)
	@$(WITH_JAVA) $(PY) -m pytest -m unit -n $(WORKERS)
	@$(WITH_JAVA) $(PY) -m pytest -m "not unit and not cluster and not long" -n $(WORKERS) --dist loadfile
	@$(WITH_JAVA) .ci/on-compiled $(PY) -m pytest -m unit -n $(WORKERS)
else
	@$(WITH_JAVA) $(PY) -m pytest -v $(PYTEST_ARGS)
endif

compiled: $(VENV)/.ready-to-develop ## this tree with its hot modules compiled, in build/compiled
	@$(PY) -m bench.compiled

test-compiled: $(VENV)/.ready-to-develop ## the unit tests on the compiled build
	@$(WITH_JAVA) .ci/on-compiled $(PY) -m pytest -m unit -n $(WORKERS) $(PYTEST_ARGS)

test-long: $(VENV)/.ready-to-develop ## tests that take minutes each: jobs on an EMR stand-in that fails at random, packages for each processor
	@$(WITH_JAVA) $(PY) -m pytest -v -m long $(PYTEST_ARGS)

test-cluster: $(VENV)/.ready-to-develop ## the jobs on a real YARN and HDFS with two nodes, from the packed archive; skips, saying why, where that cannot be (needs root, unshare)
	@$(WITH_JAVA) $(PY) -m pytest -v -rs -m cluster $(PYTEST_ARGS)

test-matrix: $(VENV)/.ready-to-develop ## one run, enrich to load, with Spark 3.5, 4.0 and 4.1 on Python 3.11 to 3.13, as far as they are here (some GB in ~/.cache the first time)
	@$(WITH_JAVA) $(PY) -m tests.matrix

coverage: $(VENV)/.ready-to-develop ## which lines and branches of snowetl/ the tests run (without Spark's, and those of time and of minutes); details in htmlcov/
	@$(PY) -m pytest -m "not spark and not cluster and not long and not growth" -n $(WORKERS) --cov --cov-report=html --cov-report=term:skip-covered $(PYTEST_ARGS)

lint: $(VENV)/.ready-to-develop ## ruff, mypy, import layers
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check bench examples fixtures jobs snowetl tests setup.py
	@$(PY) -m mypy snowetl fixtures bench jobs
	@$(VENV)/bin/lint-imports --no-cache

conformance: $(VENV)/.ready-to-develop ## the reference's test vectors in $(VECTORS), on both builds; says so and passes where there are none
	@$(WITH_JAVA) $(PY) -m tests.conformance --vectors $(VECTORS)
	@$(WITH_JAVA) .ci/on-compiled $(PY) -m tests.conformance --vectors $(abspath $(VECTORS))

bench: $(VENV)/.ready-to-develop ## events per second per core: library, Spark job, bare read-write path; memory; each enrichment
	@.ci/find-mariadb
	@$(WITH_JAVA) $(PY) -m bench

bench-compare: $(VENV)/.ready-to-develop ## this tree, compiled, beside REV (a revision; default: that of bench/baseline.json), as ratios of speed
	@$(PY) -m bench compare $(REV)

docs: $(VENV)/.ready-to-document ## the documentation as a web site in site/
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "site/index.html"

fixtures: $(VENV)/.ready-to-develop ## regenerate the sample logs, schemas and databases in fixtures/
	@$(PY) -m fixtures.generate

wheel: $(VENV)/.ready-to-develop ## dist/snowetl-*-none-any.whl: plain Python, for any machine
	@rm -rf build/lib* build/bdist* # what an earlier build left would go into the wheel, too
	@$(PY) -m pip wheel -q --no-deps --wheel-dir dist .
	@ls dist/*.whl

wheels: $(VENV)/.ready-to-develop ## what a release uploads, in dist: the source distribution and, by cibuildwheel in Docker, a wheel for each Python and processor (CIBW_ARCHS=native: this one alone)
	@$(PY) -m pip install -q --disable-pip-version-check 'cibuildwheel>=3.1'
	@rm -rf dist && $(PY) -m build --no-isolation --sdist --outdir dist .
	@$(PY) -m cibuildwheel --platform linux --output-dir dist dist/snowetl-*.tar.gz
	@ls dist

clean: ## remove what the other commands made, .venv included
	rm -rf $(VENV) build dist demo site htmlcov .coverage* *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis spark-warehouse metastore_db
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@.ci/make-venv $(VENV)
	@touch $@

$(VENV)/.ready-to-run: setup.py $(VENV)/.created
	@echo "Installing snowetl with Spark and PostgreSQL into $(VENV) (a minute or two the first time) ..."
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[spark,postgres]'
	@touch $@

$(VENV)/.ready-to-develop: setup.py $(VENV)/.created
	@echo "Installing snowetl with everything into $(VENV) (some minutes the first time) ..."
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[all,dev]'
	@touch $@ $(VENV)/.ready-to-run

$(VENV)/.ready-to-document: $(VENV)/.ready-to-develop
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[docs]'
	@touch $@
