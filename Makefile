# make run: the program.   make test: the tests.   make check: everything that must hold.   make bench: figures.   make screens: docs/screens.
SHELL := /bin/sh
BIN := .venv/bin
# Tests become another user by runuser, which stands there.
export PATH := $(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := run
.PHONY: run test test-users check lint types bench screens setup clean

# On a terminal the app; a whole market, played and narrated, where there is none.
run:
	@.ci/setup run
	@if [ -t 0 ] && [ -t 1 ] && [ -e tui/main.py ]; then exec $(BIN)/decentralml; else exec $(BIN)/decentralml demo; fi

setup:
	@.ci/setup dev

# One process more than the least of machines has cores: many a test waits for another process.
test: setup
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# Two users of one group on one machine. `make test` has it where it is run by root, and else names it as not run.
test-users: setup
	@[ "$$(id -u)" = 0 ] || { echo "test-users makes users and becomes them: it needs root (sudo make test-users)" >&2; exit 3; }
	$(BIN)/pytest tests/test_users.py

check: lint types test

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

# The root is flat and the import names are not: mypy finds them through a folder of links.
types: setup
	@mkdir -p build/types/decentralml
	@for part in core tui assets themes; do ln -sfn ../../../$$part build/types/decentralml/$$part; done
	MYPYPATH=build/types $(BIN)/mypy -p decentralml.core -p decentralml.tui

bench: setup
	@for script in tests/bench/bench_*.py; do echo "== $${script##*/bench_}"; $(BIN)/python "$$script" || exit 1; done

screens: setup
	$(BIN)/python docs/make_screens.py

clean:
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf /var/tmp/decentralml-users-*
