# `make` alone lists the targets. Everything is installed into .venv from
# pyproject.toml, with the versions of constraints.txt.

# A Python of your choice: make PYTHON=/path/to/python3.12 test
PYTHON ?=
VENV ?= .venv
BIN := $(VENV)/bin
PYTHONS := $(if $(PYTHON),'$(PYTHON)',python3.11 python3 python3.13 python3.12)

# More arguments for pytest: make test PYTEST_ARGS='-k setups'
PYTEST_ARGS ?=
# Pages of the gallery: make notebooks NOTEBOOKS='first_map bands'
NOTEBOOKS ?=
# The benchmarks' own switch; empty for the full run.
BENCHMARK_ARGS ?= --quick

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs linkcheck notebooks benchmark clean distclean

help:
	@echo 'make demo       clean the bundled demo map into demo_output/'
	@echo 'make test       run the whole test suite'
	@echo 'make lint       check the code and its docstrings'
	@echo 'make format     format the code'
	@echo 'make docs       build the documentation into docs/_build/html/'
	@echo 'make notebooks  run the notebooks of the gallery'
	@echo 'make linkcheck  check the links of the documentation (needs internet)'
	@echo 'make benchmark  run every benchmark with $(BENCHMARK_ARGS)'
	@echo 'make clean      remove what the targets above made, but not $(VENV)'
	@echo 'make distclean  remove $(VENV) too'

# pip is the last thing that venv writes, so an interrupted one is redone.
$(BIN)/pip:
	@for candidate in $(PYTHONS); do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	      >/dev/null 2>&1; then \
	    echo "Creating $(VENV) with $$("$$candidate" --version)"; \
	    exec "$$candidate" -m venv '$(VENV)'; \
	  fi; \
	done; \
	echo 'Python 3.11 or later with its venv module is needed, and none of these is one:' >&2; \
	echo "    $(PYTHONS)" >&2; \
	echo 'Install it (Debian and Ubuntu: apt install python3 python3-venv) or name one:' >&2; \
	echo '    make PYTHON=/path/to/python3.11 ...' >&2; \
	exit 1

# One stamp file for each extra; redone when the requirements change.
.PRECIOUS: $(VENV)/.installed-%
$(VENV)/.installed-%: pyproject.toml constraints.txt | $(BIN)/pip
	@echo 'Installing photutils-pconv[$*] into $(VENV) (the first time takes a few minutes)'
	@$(BIN)/python -m pip install -q -q -c constraints.txt -e '.[$*]'
	@touch '$@'

demo: $(VENV)/.installed-plot
	@rm -rf demo_output
	$(BIN)/photutils-pconv demo -o demo_output

test: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --slow -n 2 $(PYTEST_ARGS)

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/python tools/check_changelog.py
	$(BIN)/python tools/check_wording.py
	$(BIN)/python tools/write_stubs.py --check
	$(BIN)/python -m mypy
	$(BIN)/python tools/check_docstrings.py

format: $(VENV)/.installed-lint
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .
	$(BIN)/python tools/write_stubs.py

# Always from scratch: pages of names that are gone would stay in docs/api, and
# sphinx-automodapi misses pages that came since the environment was saved.
docs: $(VENV)/.installed-docs
	@rm -rf docs/api docs/sg_execution_times.rst
	$(BIN)/python -m sphinx -E -W --keep-going -q -b html -d docs/_build/doctrees docs docs/_build/html
	$(BIN)/python tools/check_pages.py docs/_build/html
	@echo 'The documentation is in docs/_build/html/index.html'

notebooks: $(VENV)/.installed-notebooks
	$(BIN)/python tools/run_notebooks.py $(NOTEBOOKS)

# Links to other sites; those within are checked by `make docs`.
linkcheck: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -q -b linkcheck -D plot_gallery=0 -d docs/_build/doctrees docs docs/_build/linkcheck

benchmark: $(VENV)/.installed-benchmark
	@set -e; for script in benchmarks/[!_]*.py; do \
	  if [ -e "$$script" ]; then \
	    echo "$$script $(BENCHMARK_ARGS)"; \
	    $(BIN)/python "$$script" $(BENCHMARK_ARGS); \
	  fi; \
	done

clean:
	rm -rf demo_output build dist docs/_build docs/api docs/generated docs/sg_execution_times.rst
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf '$(VENV)' *.egg-info
