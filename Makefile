# Every target makes the virtual environment it needs, once. PYTHON=/path/to/python3 chooses the interpreter.
.PHONY: help demo test check pythons bench eval soak lock docs pictures venv clean
BIN := .venv/bin
# Most tests wait for real processes rather than compute: more workers than cores. A file stays with one worker.
PARALLEL := -n 4 --dist loadfile --no-loadscope-reorder

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

demo: venv  ## the monitor on a simulated engine going through an incident
	@$(BIN)/inferguard demo --scenario incident

test: venv  ## all tests, four files at a time; PARALLEL= for one after another
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

check: venv  ## style, types, layers, and the wheel as it would be installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/test_wheel.py

pythons: venv  ## the tests that tell one Python from another, on every other supported Python of this machine
	@.ci/pythons

bench: venv  ## what it costs, in numbers
	@$(BIN)/python -m bench

soak: venv  ## hours of virtual time with random faults: each reported once, no memory that grows
	@$(BIN)/python -m tests.soak $(ARGS)

eval: venv  ## detection and diagnosis scored over every simulated cause; ARGS=--quick for a short one
	@$(BIN)/python -m evaluate $(ARGS)

docs: venv  ## docs/settings.md, docs/coverage.md, docs/keys.md and .env.example, from the code
	@$(BIN)/python -m inferguard_core.settings.reference .
	@$(BIN)/python -m inferguard_core.coverage .
	@$(BIN)/python docs/keys.py

pictures: venv  ## docs/pictures, from the real screens
	@$(BIN)/python docs/picture.py

lock: venv  ## requirements-dev.lock, from pyproject.toml; UPGRADE=--upgrade takes the newest
	@.ci/lock $(UPGRADE)

venv:
	@PYTHON="$(PYTHON)" .ci/venv

clean:  ## removes what the other targets made
	@rm -rf .venv .pythons dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -f snapshot_report.html
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
