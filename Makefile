PYTHON ?= python
.DEFAULT_GOAL := help
.PHONY: help install test test-all lint format types lessons build build-check course notebooks bench gpu networks demo site site-check release-check

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Install the course with everything that its developers use
	$(PYTHON) -m pip install -e ".[dev]"

test: ## Run some of the tests of every part
	$(PYTHON) -m pytest

WORKERS ?= auto
test-all: ## Run all tests, in several processes (WORKERS=4); a file's tests share what they prepare
	$(PYTHON) -m pytest -m "" -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: ## Check style; `make format` repairs most of it
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: ## Repair style
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types: ## Check types
	$(PYTHON) -m mypy

lessons: ## Check the solutions as a student's work is checked: everything passes
	$(PYTHON) -m pytest lessons/ --cnnviz-submission solutions -q

build: ## Make the student's lessons from solutions/*/*.md
	$(PYTHON) -m autograder.cli build

build-check: ## Fail if anything generated is stale
	$(PYTHON) -m autograder.cli build --check

course: ## Hold the course to its own rules (stubs fail, solutions pass, nothing stale or stray)
	$(PYTHON) -m autograder.cli lint

notebooks: ## The same, and execute every solved notebook
	$(PYTHON) -m autograder.cli lint --run

bench: ## Time one check and the whole of the solutions
	$(PYTHON) benchmarks/checks.py

gpu: ## Run what a GPU can be asked, on a machine that has one, and print one summary (under five minutes)
	$(PYTHON) benchmarks/gpu.py

networks: ## Try every method on every classification network of torchvision and make docs/networks.md; takes an hour
	$(PYTHON) -m tests.networks

demo: ## Grade three shipped submissions and write a report
	$(PYTHON) -m autograder.cli demo

site: ## Make the site in site/_build/html; the first time takes minutes (pip install -e ".[site]")
	$(PYTHON) site/make.py

site-check: ## The same, and follow every link of every page
	$(PYTHON) site/make.py --check

release-check: ## Build wheel and sdist in dist/ and try them in a new environment, as the release workflow does
	$(PYTHON) .ci/release.py
