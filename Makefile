# `make` lists what there is. Needs cargo, a C compiler and Python 3.10 or later; the rest is fetched into .venv and target.

PYTHON := .venv/bin/python
STACK := $(PYTHON) tests/local/stack.py
FEATURES := --features deliver/loopback

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run up down logs test lint fmt clippy doc template python unit e2e tools

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/installed ## The whole system on this machine, with a demo, until Ctrl-C
	@$(STACK) run

up: .venv/installed ## The same in the background, without the demo; again: deploys what changed
	@$(STACK) up

down: .venv/installed ## Stops it
	@$(STACK) down

logs: .venv/installed ## What the functions logged
	@$(STACK) logs

test: lint unit e2e ## Everything CI checks

lint: fmt clippy doc template python ## Format, lints, docs, template, scripts

# $(call step,title,command): runs a command and says how long it took.
step = @echo "==> $(1)"; begin=$$(date +%s); $(2) && echo "    $(1): $$(($$(date +%s) - begin)) s"

fmt: tools
	$(call step,format,cargo fmt --all -- --check)

clippy: tools
	$(call step,clippy,cargo clippy --workspace --all-targets $(FEATURES) -- -D warnings)

doc: tools
	$(call step,docs,RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps)

template: .venv/installed
	$(call step,template,$(PYTHON) tests/local/sam.py validate --lint --template template.yaml --region ap-south-1 \
		&& .venv/bin/cfn-lint template.yaml && $(PYTHON) tests/local/check_template.py \
		&& $(PYTHON) tests/local/check_openapi.py)

python: .venv/installed
	$(call step,scripts,.venv/bin/ruff check tests/local && .venv/bin/ruff format --check tests/local)

unit: tools
	$(call step,unit tests,cargo test --workspace --exclude e2e $(FEATURES))

e2e: .venv/installed
	$(call step,end-to-end tests,$(STACK) with cargo test -p e2e)

# The file is made last, so that an interrupted install is done again.
.venv/installed: tests/local/requirements.txt | tools
	@echo "==> Python tools into .venv (once, about a minute)"
	@python3 -m venv --clear .venv
	@$(PYTHON) -m pip install --disable-pip-version-check --no-deps --only-binary :all: -r $<
	@touch $@

# $(call need,command that must succeed,what to say otherwise)
need = @$(1) >/dev/null 2>&1 || { echo "error: $(2)" >&2; exit 1; }

tools:
	$(call need,command -v cargo,cargo is missing: install Rust with https://rustup.rs)
	$(call need,command -v cc,a C compiler is missing: on Debian apt-get install gcc libc6-dev)
	$(call need,python3 -c 'import sys; sys.exit(sys.version_info < (3$(comma) 10))',Python 3.10 or later is missing (python3))
	$(call need,python3 -c 'import venv$(comma) ensurepip',Python cannot make a venv: on Debian apt-get install python3-venv)

comma := ,
