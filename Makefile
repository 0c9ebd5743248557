# `make` lists what there is. Needs cargo, a C compiler and Python 3.10 or later; the rest is fetched into .venv and target.

PYTHON := .venv/bin/python
STACK := $(PYTHON) tools/local/stack.py
OPS := PYTHONPATH=tools/local $(PYTHON) tools/ops
FUZZ := PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo +nightly fuzz
FEATURES := --features deliver/loopback,poll/loopback

# Such a variable counts if it stands on make's command line: a NAME or URL in the environment is somebody else's.
# make hands it on by the environment, where no shell reads it.
SAID := STAGE REGION ARCH RELEASE PARAMETERS NAME ROLE ACCOUNT ACCOUNTS URL FORMAT LEGACY_SECRET SOURCE MODE \
	ALLOWED_IPS ALLOWED_CIDRS PHONE_NUMBERS EMAIL CALLS_PER_SECOND STALLED_AFTER_DAYS SECRET FORCE FINISH TARGET SECONDS
said = $(filter command,$(origin $(1)))
$(foreach variable,$(SAID),$(if $(call said,$(variable)),,$(eval unexport $(variable))))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run up down logs test lint fmt clippy doc template python unit ops e2e on-stack tools
.PHONY: fuzz fuzz-build fuzz-tools bench-sync
.PHONY: build release-test deploy sync-now
.PHONY: user-add vendor-add source-set shipway-add hook-add endpoint-add endpoint-rotate endpoint-remove

help: ## This list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

run: .venv/installed ## The whole system on this machine, with a demo, until Ctrl-C
	@$(STACK) run

up: .venv/installed $(if $(call said,RELEASE),build) ## The same in the background, without the demo; again: deploys what changed
	@$(STACK) up

down: .venv/installed ## Stops it
	@$(STACK) down

logs: .venv/installed ## What the functions logged
	@$(STACK) logs

test: lint unit ops e2e ## Everything CI checks

lint: fmt clippy doc template python ## Format, lints, docs, template, scripts

# $(call step,title,command): runs a command and says how long it took.
step = @echo "==> $(1)"; begin=$$(date +%s); $(2) && echo "    $(1): $$(($$(date +%s) - begin)) s"

fmt: tools
	$(call step,format,cargo fmt --all -- --check && cargo fmt --manifest-path tests/fuzz/Cargo.toml -- --check)

clippy: tools
	$(call step,clippy,cargo clippy --workspace --all-targets $(FEATURES) -- -D warnings)
	$(call step,clippy of fuzz targets,cargo clippy --manifest-path tests/fuzz/Cargo.toml --target-dir target/fuzz \
		--no-default-features --all-targets -- -D warnings)

doc: tools
	$(call step,docs,RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps)

template: .venv/installed
	$(call step,template,$(PYTHON) tools/local/sam.py validate --lint --template template.yaml --region ap-south-1 \
		&& .venv/bin/cfn-lint template.yaml && $(PYTHON) tools/local/check_template.py \
		&& $(PYTHON) tools/local/check_openapi.py)

python: .venv/installed
	$(call step,scripts,.venv/bin/ruff check tools/local tools/ops && .venv/bin/ruff format --check tools/local tools/ops)

unit: tools
	$(call step,unit tests,cargo test --workspace --exclude e2e $(FEATURES))

ops: .venv/installed
	$(call step,operations tests,PYTHONPATH=tools/local $(PYTHON) -m unittest discover -s tools/ops)

e2e: .venv/installed
	@$(STACK) with $(MAKE_COMMAND) --no-print-directory on-stack

on-stack:
	$(call step,end-to-end tests,cargo test -p e2e)
	$(call step,operations on the stack,$(OPS)/on_stack.py)
	$(call step,permissions,$(PYTHON) tools/local/check_permissions.py)
	$(call step,logs,$(PYTHON) tools/local/check_logs.py)

FUZZ_ARGS := --fuzz-dir tests/fuzz --target-dir target/fuzz
FUZZED = $(if $(call said,TARGET),$(TARGET),$(basename $(notdir $(wildcard tests/fuzz/targets/*.rs))))

fuzz: $(FUZZED:%=fuzz-%) ## Parsers, checks and settings against made-up input, a minute each [TARGET=shipway SECONDS=60]

# What a run finds worth keeping stays in target; the corpus in tests/fuzz only grows by hand.
fuzz-%: fuzz-build
	@mkdir -p target/fuzz/corpus/$*
	$(call step,fuzzing $*,{ $(FUZZ) run $(FUZZ_ARGS) $* target/fuzz/corpus/$* tests/fuzz/corpus/$* $(wildcard events/$*) \
		-- -max_total_time=$(if $(call said,SECONDS),$(SECONDS),60) -dict=tests/fuzz/words.dict >target/fuzz/$*.log 2>&1 \
		|| { tail -n 60 target/fuzz/$*.log; exit 1; }; } && tail -n 1 target/fuzz/$*.log)

fuzz-build: fuzz-tools
	$(call step,fuzz targets,$(FUZZ) build $(FUZZ_ARGS))

bench-sync: tools ## What an hourly run of 10 k, 100 k and 1 M orders takes and costs, against doubles
	$(call step,functions and benchmark,cargo build --profile bench-sync -p sync -p poll -p bench --features poll/loopback)
	$(call step,benchmark,target/bench-sync/bench-sync)

build: .venv/installed .venv/deploy-installed ## Release binaries, checked for deploying [ARCH=x86_64|arm64]
	@$(OPS)/release.py

release-test: build ## The release binaries on a local stack: they work, and refuse to deliver to this machine
	$(call need,test ! -e target/local/stack.json,a local stack is running: make down first)
	$(call step,release binaries on a stack,RELEASE=1 $(STACK) with sh -c '$(OPS)/on_release.py')

deploy: .venv/installed .venv/deploy-installed ## Builds and deploys to AWS: STAGE=prod [REGION= ARCH= PARAMETERS="LogRetentionDays=90"]
	@$(OPS)/rollout.py

sync-now: .venv/installed ## Asks the carrier about all orders now, and says which run that is: STAGE=
	@$(OPS)/sync_now.py

user-add: ## Who may call the API: STAGE= NAME= ROLE=admin|viewer|partner ACCOUNTS=a,b
vendor-add: ## A shop server: STAGE= NAME= ACCOUNT=
source-set: ## Who may report: STAGE= SOURCE=shiprocket|shipway|esahayak|whatsapp and what the README names for it
shipway-add: ## An account's own credentials at Shipway: STAGE= ACCOUNT= EMAIL= SECRET=stdin
hook-add: ## A path of an account's own: STAGE= SOURCE= ACCOUNT= [SECRET=stdin|none]
endpoint-add: ## Who is told: STAGE= NAME= URL= FORMAT=status_update|order.status_changed|standard ACCOUNTS=
endpoint-rotate: ## A second signing secret: STAGE= NAME=; then with FINISH=1: the old one goes
endpoint-remove: ## Nobody is told any more: STAGE= NAME=
user-add vendor-add source-set shipway-add hook-add endpoint-add endpoint-rotate endpoint-remove: .venv/installed
	@$(OPS)/manage.py $@

# The file is made last, so that an interrupted install is done again.
.venv/installed: tools/local/requirements.txt | tools
	@echo "==> Python tools into .venv (once, about a minute)"
	@python3 -m venv --clear .venv
	@$(PYTHON) -m pip install --disable-pip-version-check --no-deps --only-binary :all: -r $<
	@touch $@

# Half a gigabyte, so only for those who deploy.
.venv/deploy-installed: tools/ops/requirements.txt .venv/installed
	@echo "==> cargo-lambda and zig into .venv (once, about a minute)"
	@$(PYTHON) -m pip install --disable-pip-version-check --no-deps --only-binary :all: -r $<
	@touch $@

# $(call need,command that must succeed,what to say otherwise)
need = @$(1) >/dev/null 2>&1 || { echo "error: $(2)" >&2; exit 1; }

tools:
	$(call need,command -v cargo,cargo is missing: install Rust with https://rustup.rs)
	$(call need,command -v cc,a C compiler is missing: on Debian apt-get install gcc libc6-dev)
	$(call need,python3 -c 'import sys; sys.exit(sys.version_info < (3$(comma) 10))',Python 3.10 or later is missing (python3))
	$(call need,python3 -c 'import venv$(comma) ensurepip',Python cannot make a venv: on Debian apt-get install python3-venv)

fuzz-tools: tools target/tools/bin/cargo-fuzz
	$(call need,cargo +nightly --version,a nightly compiler is missing: rustup toolchain install nightly --profile minimal)
	$(call need,command -v c++,a C++ compiler is missing: on Debian apt-get install g++)

target/tools/bin/cargo-fuzz:
	@echo "==> cargo-fuzz into target/tools (once, about a minute)"
	@cargo install cargo-fuzz --version 0.13.2 --locked --root target/tools

comma := ,
