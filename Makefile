# Two commands do all the set-up: `make run` and `make test`. Needs Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.PHONY: run ask test browser check chaos fuzz bench package texts deploy doctor remove clean

run: $(VENV)/run  ## three questions through the real wire, then the bot on a page, and at the keyboard, until stopped
	@cd src && exec ../$(BIN)/python -m sandbox

ask: $(VENV)/run  ## one question: make ask Q='t-hz0jdfwd9f'
	@cd src && exec ../$(BIN)/python -m sandbox "$$Q"

test: $(VENV)/test check  ## everything that must hold; closes with pytest's summary
	@$(BIN)/pytest -q -n 2 --dist loadfile --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report --include='src/bot/core/*' --fail-under=100 > $(VENV)/report || (cat $(VENV)/report; exit 1)
	@$(BIN)/coverage report --omit='src/bot/core/*' --fail-under=95 > $(VENV)/report || (cat $(VENV)/report; exit 1)

browser: $(VENV)/browser  ## lets `make test` try the page too, where a Chromium is on the PATH

check: $(VENV)/test  ## lint, format, types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary

chaos: $(VENV)/test  ## 2,000 commands and 5,000 events while everything breaks; ARGS='--seed 1' does it again
	@PYTHONPATH=src:tests $(BIN)/python tests/chaos.py $(ARGS)

fuzz: $(VENV)/test  ## 12,000 requests to the door, and 600 of each other thing that others write
	@FUZZ=6000 $(BIN)/pytest -q tests/test_fuzz.py $(ARGS)

bench: $(VENV)/test  ## the numbers of the README, measured on this machine
	@$(BIN)/python -m bench

package: $(VENV)/run  ## dist/: what is deployed
	@$(BIN)/python deploy/pack

deploy: $(VENV)/run  ## role, store, package, function; says first what is missing, with DRY=1 only what it would do
	@$(BIN)/python -B deploy/deploy $(if $(DRY),--dry)

doctor: $(VENV)/run  ## tries every right and connection with the values of .env; ARGS=--prove-read-only
	@$(BIN)/python -B deploy/deploy --doctor $(ARGS)

remove: $(VENV)/run  ## undoes that; YES=1 does not ask
	@$(BIN)/python -B deploy/deploy --remove $(if $(DRY),--dry) $(if $(YES),--yes)

$(VENV)/run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name it as in: make PYTHON=python3.12 run" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/test: $(VENV)/run tests/requirements.txt deploy/requirements-tablestore.txt
	@$(PIP) -r tests/requirements.txt
	@$(PIP) --no-deps -r deploy/requirements-tablestore.txt
	@touch $@

$(VENV)/browser: $(VENV)/test tests/requirements-browser.txt
	@$(PIP) -r tests/requirements-browser.txt
	@touch $@

texts: $(VENV)/test  ## takes new texts into the catalogues of src/bot/locale, and compiles them
	@$(BIN)/python deploy/texts

clean:
	rm -rf $(VENV) dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
