# Every target does its own set-up. `make demo` and `make test` are the two to know.
VENV ?= .venv
BIN := $(VENV)/bin
# Tests wait for sockets and processes: one worker more than there are cores.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# Quick and slow tests, but for those that need the models or a browser.
ALL := -m "not real and not browser"

# Without cached bytecode, each of the tests' many processes would compile the package again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-slow coverage test-exact test-guard test-real test-torch test-clients test-page quality lint types imports check bench clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.ready: pyproject.toml constraints.txt scripts/setup
	@scripts/setup $(VENV)

demo: $(VENV)/.ready ## Write a personal text with two real models in two processes (fetches 1.6 GB once).
	@$(BIN)/costeer demo

test: $(VENV)/.ready ## Run the quick tests; offline, about half a minute on two cores.
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

test-slow: $(VENV)/.ready ## Run the others, which generate cases, start servers and kill processes; offline, two minutes.
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "slow and not real and not browser"

coverage: $(VENV)/.ready ## Run the tests and measure branch coverage; fails below the floor in pyproject.toml.
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal $(ALL) --cov --cov-report=term

test-exact: $(VENV)/.ready ## Compare both modes, and the method with its oracles, in 1,000 random cases each; 200 faults an answer.
	@$(BIN)/python -m pytest -q -n $(WORKERS) tests/edge/test_modes.py tests/edge/test_decode.py tests/edge/test_device_faults.py tests/cloud/test_faults.py tests/decoding tests/gateway/test_fuzz.py tests/gateway/test_cloud_dies.py tests/models/test_modes_float32.py $(ALL) --hypothesis-profile thorough --timeout 600

test-guard: $(VENV)/.ready ## Other private values, the same bytes: 50 cases on the default pair, 10,000 a toy cloud; every answer under the cap. Over an hour.
	@$(BIN)/costeer models fetch
	@$(BIN)/python -m pytest -q -m "real and slow" tests/edge/test_real_non_interference.py
	@$(BIN)/python -m pytest -q -n $(WORKERS) tests/edge/test_cap.py tests/edge/test_non_interference.py tests/privacy $(ALL) --hypothesis-profile thorough --timeout 7200

test-real: $(VENV)/.ready ## Run the tests that need the downloaded default pair (fetches 1.6 GB once).
	@$(BIN)/costeer models fetch
	@$(BIN)/python -m pytest -q -m "real and not slow"

test-torch: $(VENV)/.ready ## Install PyTorch if it is missing, and test its engine; DEVICE=cuda does so on a GPU.
	@$(BIN)/python -c "import torch, transformers" 2>/dev/null || $(BIN)/pip install -q -c constraints.txt torch==2.13.0 transformers
	@$(BIN)/python -m pytest -q tests/models $(ALL) $(if $(DEVICE),--device $(DEVICE))

test-clients: $(VENV)/.ready ## Install other people's clients of the gateway (openai, LangChain, llm), and test with them.
	@$(BIN)/python -c "import openai, langchain_openai, llm" 2>/dev/null || $(BIN)/pip install -q -c constraints.txt -e '.[clients]'
	@$(BIN)/python -m pytest -q tests/clients $(ALL)

test-page: $(VENV)/.ready ## Drive the page in the system's Chromium; SCREENSHOTS=FOLDER leaves pictures there.
	@$(BIN)/python -c "import axe_playwright_python" 2>/dev/null || $(BIN)/pip install -q -c constraints.txt playwright axe-playwright-python
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m browser tests/page $(if $(SCREENSHOTS),--screenshots $(SCREENSHOTS))

quality: $(VENV)/.ready ## Measure how often answers respect the person (72 and 32 requests; an hour or two on two cores).
	@$(BIN)/costeer models fetch
	@OUT=build/quality runs/everyday_cpu.sh && cat build/quality/texts.md build/quality/people.md

lint: $(VENV)/.ready
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.ready
	@$(BIN)/mypy

imports: $(VENV)/.ready
	@$(BIN)/lint-imports

check: lint types imports test test-slow ## Lint, types, import contracts, tests.

bench: $(VENV)/.ready ## Measure speed and memory on the default pair.
	@$(BIN)/costeer models fetch
	@$(BIN)/python bench/decide.py
	@$(BIN)/python bench/frames.py
	@$(BIN)/python bench/batch.py
	@$(BIN)/python bench/speed.py
	@$(BIN)/python bench/exactness.py
	@$(BIN)/python bench/length.py
	@$(BIN)/python bench/network.py

clean: ## Remove the virtual environment and caches (not the models).
	rm -rf $(VENV) .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
