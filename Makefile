# Every target prepares what it needs; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python

.PHONY: help demo test check format serve bench lock

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

demo: ## one application all the way; own scans: make demo SCANS=folder
	@scripts/setup demo
	@$(PYTHON) manage.py demo $(if $(SCANS),--scans "$(abspath $(SCANS))")

test: ## the tests, on real servers; parts: make test ARGS="-k custody tests/logistics"
	@scripts/setup test
	@$(PYTHON) -m pytest -q -n $(or $(JOBS),2) --dist loadfile --no-loadscope-reorder $(ARGS)
	@TONGBAN_TEST_DB=sqlite $(PYTHON) -m pytest -q -n $(or $(JOBS),2) --dist loadfile --no-loadscope-reorder -m core $(ARGS) || [ $$? -eq 5 ]

check: ## format, lint, types, floors, migrations and generated documents
	@scripts/setup test
	@scripts/check

format: ## put the code into its form
	@scripts/setup test
	@.venv/bin/ruff check -q --fix .
	@.venv/bin/ruff format -q .

serve: ## the whole system for one machine; Ctrl-C stops it; make serve PORT=8000
	@scripts/setup demo
	@exec $(PYTHON) manage.py serve $(if $(PORT),--port $(PORT)) $(ARGS)

bench: ## measure against the peers, on this machine
	@scripts/setup test
	@if [ ! -f bench/__main__.py ]; then echo "there is no benchmark in this version" >&2; exit 2; fi
	@$(PYTHON) -m bench $(ARGS)

lock: ## pin the dependencies of pyproject.toml anew, with hashes
	@scripts/setup demo
	@.venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 --extra dev \
	    $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements/dev.txt
