# `make` lists the targets. Requires cargo, a C compiler and Python 3.10 or later; everything else
# is installed into .venv and target.

# A value on make's command line is plain text: `NAME='$(shell …)'` reaches the tool as it stands.
# Make would expand it when it exports the variable, so each one is replaced by its unexpanded text.
GIVEN := $(foreach variable,$(.VARIABLES),$(if $(filter command,$(origin $(variable))),$(variable)))
$(foreach variable,$(GIVEN),$(eval override $(variable) := $$(value $(variable)))\
	$(eval export $(variable)))

# Options of the tools count only on make's command line: a NAME in the environment belongs to
# another program. Recipes read them from the environment, so no shell parses them either.
OPTIONS := STAGE REGION ARCH RELEASE PARAMETERS NAME ROLE ACCOUNT ACCOUNTS URL FORMAT \
	LEGACY_SECRET EVENTS HEADER TIMEOUT_SECONDS BACKOFF RETRY_COUNT RETRY_4XX MAX_IN_FLIGHT \
	LATEST_ONLY ENABLED HOOK SOURCE MODE ALLOWED_IPS ALLOWED_CIDRS PLAIN_PATH PHONE_NUMBERS \
	BUSINESS_ACCOUNTS ACCESS_TOKEN GRAPH_URL GRAPH_VERSION MESSAGES_PER_SECOND EMAIL \
	CALLS_PER_SECOND STALLED_AFTER_DAYS SHARED_WITH SECRET FORCE FINISH TARGET SECONDS SEED UPGRADE
OPTIONS += ENDPOINT FROM ID JOB KIND LIMIT ORDER PASSWORD QUEUE REASON RETRY START STATE STATUS STOP TO
OPTIONS += APP COLOUR DAYS FILE KEY LANGUAGES LINKS LOGO ORIGINS PUBLIC ZONE
given = $(filter $(1),$(GIVEN))
$(foreach option,$(OPTIONS),$(if $(call given,$(option)),,$(eval unexport $(option))))
# The tools of tools/ops refuse what they would ignore, such as TIMEOUT= for TIMEOUT_SECONDS=.
export WAYPOST_OPTIONS := $(OPTIONS)
export WAYPOST_GIVEN := $(filter-out PYTHON,$(GIVEN))

PYTHON := .venv/bin/python
STACK := $(PYTHON) tools/local/stack.py
OPS := PYTHONPATH=tools/local $(PYTHON) tools/ops
PROGRESS := python3 tools/local/progress.py
WEB := tools/web/node_modules
PUSHER := tests/pusher/node_modules
FUZZ := PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo +nightly fuzz
FEATURES := --features deliver/loopback,poll/loopback

CARGO_DENY := target/tools/cargo-deny-0.20.2
CARGO_MACHETE := target/tools/cargo-machete-0.9.2
CARGO_FUZZ := target/tools/cargo-fuzz-0.13.2
SOCKUDO := target/tools/sockudo-5.2.0

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run up down logs test lint fmt clippy doc template python dependencies advisories
.PHONY: unit ops e2e on-stack docs-examples receivers prerequisites packages free-ports
.PHONY: web web-check browser pusher-check pusher-on-stack pusher-tools
.PHONY: sim-test sim bugs soak fuzz fuzz-build fuzz-tools record-dynamodb bench bench-sync bench-isolation
.PHONY: build release-test deploy deploy-check sync-now lock
.PHONY: user-add user-set user-remove users vendor-add vendor-set vendor-remove vendors
.PHONY: source-set source-rotate source-remove sources shipway-add shipway-remove
.PHONY: hook-add hook-set hook-remove hooks
.PHONY: endpoint-add endpoint-set endpoint-rotate endpoint-remove endpoints
.PHONY: tracking-set tracking-rotate tracking-remove page-set page-remove pusher-set pusher-remove
.PHONY: rules-set rules-show rules-remove
.PHONY: deliveries events replay-dlq

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

# The first start says that a port is taken before it installs anything.
TO_START := $(if $(wildcard .venv/installed),,free-ports) .venv/installed

free-ports: prerequisites
	@python3 tools/local/ports.py

run: $(TO_START) ## Run the whole system on this machine with a demo, until Ctrl-C
	@$(STACK) run

up: $(TO_START) $(if $(call given,RELEASE),build) ## Start it in the background, or deploy changes
	@$(STACK) up

down: .venv/installed ## Stop it
	@$(STACK) down

logs: .venv/installed ## Print the logs of the functions
	@$(STACK) logs

# packages first: a missing node or php fails at once, not after the slow steps.
test: packages lint unit sim-test ops receivers e2e ## Run every check of CI

lint: fmt clippy doc template python web-check dependencies ## Run the checks that need no tests

# $(call step,title,command): runs a command and prints how long it took.
step = @echo "==> $(1)"; begin=$$(date +%s); $(2) && echo "    $(1): $$(($$(date +%s) - begin)) s"

fmt: prerequisites
	$(call step,format,cargo fmt --all -- --check \
		&& cargo fmt --manifest-path tests/fuzz/Cargo.toml -- --check \
		&& cargo fmt --manifest-path tests/dynoxide/Cargo.toml -- --check)

clippy: prerequisites
	$(call step,clippy,cargo clippy --workspace --all-targets $(FEATURES) -- -D warnings)
	$(call step,clippy of fuzz targets,cargo clippy --manifest-path tests/fuzz/Cargo.toml \
		--target-dir target/fuzz --no-default-features --all-targets -- -D warnings)
	$(call step,clippy of the DynamoDB recorder,cargo clippy $(RECORDER) -- -D warnings)

doc: prerequisites
	$(call step,docs,RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps)

template: .venv/installed
	$(call step,template,$(PYTHON) tools/local/sam.py validate --lint --template template.yaml \
		--region ap-south-1 && .venv/bin/cfn-lint template.yaml \
		&& $(PYTHON) tools/local/check_template.py && $(PYTHON) tools/local/check_deployment.py \
		&& $(PYTHON) tools/local/check_openapi.py \
		&& $(PYTHON) tools/local/check_runbook.py && $(PYTHON) tools/local/check_capacity.py)

python: .venv/installed
	$(call step,scripts,.venv/bin/ruff check tools && .venv/bin/ruff format --check tools \
		&& .venv/bin/ruff check $(RECEIVERS) && .venv/bin/ruff format --check $(RECEIVERS))
RECEIVERS := --config tools/ruff.toml tests/receivers docs/receivers

# The built files are committed, so that cargo needs no Node.
web: $(WEB)/installed ## Build the pages of functions/*/web into functions/*/assets
	$(call step,pages,node tools/web/build.mjs)

web-check: $(WEB)/installed
	$(call step,pages,$(WEB)/.bin/tsc -p tools/web && (cd tools/web && node_modules/.bin/biome check \
		--error-on-warnings . ../../functions/ops/web ../../functions/track/web \
		../../tests/browser ../../tests/pusher) \
		&& node tools/web/build.mjs check)

DENY := target/tools/bin/cargo-deny
# One deny.toml for three lock files: an exception of one is unused in the others.
DENY_CHECK := --config deny.toml check --hide-inclusion-graph -A unmatched-skip \
	-A license-exception-not-encountered licenses bans sources
dependencies: $(CARGO_DENY) $(CARGO_MACHETE)
	$(call step,licences and sources of dependencies,$(DENY) --workspace $(DENY_CHECK) \
		&& $(DENY) --manifest-path tests/fuzz/Cargo.toml $(DENY_CHECK) \
		&& $(DENY) --manifest-path tests/dynoxide/Cargo.toml $(DENY_CHECK) -A unnecessary-skip)
	$(call step,unused dependencies,target/tools/bin/cargo-machete --skip-target-dir)

# Needs the network: it downloads the advisory database.
advisories: $(CARGO_DENY) ## Check dependencies for known vulnerabilities
	$(call step,advisories,$(DENY) --workspace --config deny.toml check advisories)

# insta writes the path of every snapshot that a test compares; a snapshot without a test fails.
REFERENCES := $(CURDIR)/target/snapshots
compare = mkdir -p target && rm -f "$(REFERENCES)-$(1)" \
	&& INSTA_SNAPSHOT_REFERENCES_FILE="$(REFERENCES)-$(1)" $(2) \
	&& python3 tools/local/check_snapshots.py "$(REFERENCES)-$(1)" $(3)

unit: prerequisites
	$(call step,unit tests,$(call compare,unit,cargo test --workspace --exclude e2e --exclude sim $(FEATURES),\
		functions shared))

SIM := cargo run --quiet --profile sim -p sim --

sim-test: prerequisites ## Simulate 1,000 seeds, kills at every point, outages, planted bugs
	$(call step,tests of the simulation,cargo test --quiet --profile sim -p sim)
	$(call step,simulation,$(SIM) seeds 1 1000)
	$(call step,simulation of kills,$(SIM) kills)
	$(call step,simulation of outages,$(SIM) scenarios)
	$(call step,planted bugs,$(SIM) bugs check)

sim: prerequisites ## Tell the story of one simulated run [SEED=7]
	@$(SIM) seed $(if $(call given,SEED),"$$SEED",7)

bugs: prerequisites ## Find the planted bugs, and write docs/planted-bugs.md
	$(call step,planted bugs,$(SIM) bugs write)

soak: prerequisites ## Simulate random seeds for a time [SECONDS=600]
	$(call step,soak,$(SIM) soak $(if $(call given,SECONDS),"$$SECONDS",600))

ops: .venv/installed
	$(call step,tests of the tools,PYTHONPATH=tools/local $(PYTHON) -m unittest discover -s tools/ops)

receivers: .venv/installed packages
	$(call step,receiver samples,$(PYTHON) -m unittest discover -s tests/receivers)

e2e: .venv/installed $(WEB)/installed
	@$(STACK) with $(MAKE_COMMAND) --no-print-directory on-stack

# check_logs.py is last: it searches the logs for what all steps before it sent.
on-stack:
	$(call step,end-to-end tests,$(call compare,e2e,cargo test -p e2e,tests))
	$(call step,operations on the stack,$(OPS)/stack_tests.py)
	$(call step,permissions,$(PYTHON) tools/local/check_permissions.py)
	$(browser)
	$(docs-examples)
	$(call step,generated requests,$(PYTHON) tools/local/check_api.py)
	$(call step,alarms,$(PYTHON) tools/local/check_alarms.py)
	$(call step,logs,$(PYTHON) tools/local/check_logs.py)

browser: $(WEB)/installed # needs a running stack: make up
	$(browser)
browser = $(call step,pages in a browser,node tests/browser/run.mjs)

# Not a part of `make test`: the server takes minutes to build.
pusher-check: $(SOCKUDO) $(PUSHER)/installed .venv/installed ## Try a server and a client of Pusher's protocol
	@$(STACK) with $(MAKE_COMMAND) --no-print-directory pusher-on-stack

pusher-on-stack:
	$(call step,updates by way of Pusher,node tests/pusher/check.mjs)

docs-examples: .venv/installed # needs a running stack: make up
	$(docs-examples)
docs-examples = $(call step,examples of the docs,$(PYTHON) tools/local/check_docs.py)

FUZZ_ARGS := --fuzz-dir tests/fuzz --target-dir target/fuzz
FUZZ_TARGETS := $(basename $(notdir $(wildcard tests/fuzz/targets/*.rs)))
FUZZ_GIVEN = $(or $(filter $(TARGET),$(FUZZ_TARGETS)),$(error TARGET is one of: $(FUZZ_TARGETS)))
FUZZED = $(if $(call given,TARGET),$(FUZZ_GIVEN),$(FUZZ_TARGETS))
# Make expands the prerequisites for every goal; TARGET counts only for this one.
FUZZ_GOALS = $(if $(filter fuzz,$(MAKECMDGOALS)),$(FUZZED:%=fuzz-%))
FUZZ_SECONDS = $(if $(call given,SECONDS),"$$SECONDS",60)

fuzz: $(FUZZ_GOALS) ## Fuzz parsers, authentication and settings [TARGET=shipway SECONDS=60]

# New inputs stay in target; the corpus in tests/fuzz is extended by hand.
fuzz-%: fuzz-build
	@mkdir -p target/fuzz/corpus/$*
	$(call step,fuzzing $*,{ $(FUZZ) run $(FUZZ_ARGS) $* \
		target/fuzz/corpus/$* tests/fuzz/corpus/$* $(wildcard events/$*) \
		-- -max_total_time=$(FUZZ_SECONDS) -dict=tests/fuzz/words.dict >target/fuzz/$*.log 2>&1 \
		|| { tail -n 60 target/fuzz/$*.log; exit 1; }; } && tail -n 1 target/fuzz/$*.log)

fuzz-build: fuzz-tools
	$(call step,fuzz targets,$(FUZZ) build $(FUZZ_ARGS))

RECORDER := --manifest-path tests/dynoxide/Cargo.toml --target-dir target/dynoxide

record-dynamodb: prerequisites ## Record answers of dynoxide for the test of our DynamoDB model
	$(call step,recording,cargo run $(RECORDER) -- tests/doubles/recordings/dynamodb.jsonl.gz)

bench: export AWS_LC_SYS_NO_JITTER_ENTROPY := 1
bench: prerequisites ## Measure cold and warm functions, built as for a deploy
	$(call step,functions and benchmark,cargo build --release $(BENCHED:%=-p %) $(FEATURES))
	$(call step,benchmark,target/release/bench)
BENCHED := bench baseline inbound orders messages process deliver sweep tester track ops sync poll \
	realtime push

bench-sync: prerequisites ## Measure time and cost of hourly runs of 10 k, 100 k and 1 M orders
	$(call step,functions and benchmark,cargo build --profile bench-sync -p sync -p poll -p bench \
		--features poll/loopback)
	$(call step,benchmark,target/bench-sync/bench-sync)

bench-isolation: prerequisites .venv/installed ## Measure how far failing endpoints delay a working one
	$(call step,isolation of endpoints,$(STACK) with $(PYTHON) tools/local/bench_isolation.py)

build: .venv/installed .venv/deploy-installed ## Build the release binaries [ARCH=x86_64|arm64]
	@$(OPS)/release.py

release-test: build ## Test the release binaries on a local stack
	$(call need,test ! -e target/local/stack.json,a local stack is running: make down first)
	$(call step,release binaries on a stack,RELEASE=1 $(STACK) with sh -c '$(OPS)/release_tests.py')

deploy: deploy-check .venv/deploy-installed ## Deploy to AWS: STAGE= [REGION= ARCH= PARAMETERS=]
	@$(OPS)/rollout.py

# Before the installation of half a gigabyte: are there a region and valid credentials?
deploy-check: .venv/installed
	@$(OPS)/rollout.py check

sync-now: .venv/installed ## Poll the carrier now and print the run's id: STAGE=
	@$(OPS)/sync_now.py

user-add: ## Add a user of the API: STAGE= NAME= ROLE=admin|viewer|partner ACCOUNTS=a,b
user-set: ## Change a user's role or accounts: STAGE= NAME= [ROLE= ACCOUNTS=a,b]
user-remove: ## Remove a user: STAGE= NAME=
users: ## List the users: STAGE=
vendor-add: ## Add a shop's server: STAGE= NAME= ACCOUNT=
vendor-set: ## Change the account of a vendor: STAGE= NAME= ACCOUNT=
vendor-remove: ## Remove a vendor: STAGE= NAME=
vendors: ## List the vendors: STAGE=
source-set: ## Configure a source: STAGE= SOURCE=shiprocket|shipway|… and its options
source-rotate: ## Add a second secret: STAGE= SOURCE= [SECRET=stdin]; with FINISH=1: drop the old one
source-remove: ## Refuse the webhooks of a source: STAGE= SOURCE=
sources: ## List the sources and their settings: STAGE=
shipway-add: ## Add an account's own Shipway credentials: STAGE= ACCOUNT= EMAIL= SECRET=stdin
shipway-remove: ## Remove an account's own Shipway credentials: STAGE= ACCOUNT=
hook-add: ## Add a webhook path for one account: STAGE= SOURCE= ACCOUNT= [SECRET=stdin|none]
hook-set: ## Change a hook: STAGE= SOURCE= HOOK= [ACCOUNT= SECRET=stdin|none]
hook-remove: ## Remove a hook: STAGE= SOURCE= HOOK=
hooks: ## List the hooks: STAGE=
endpoint-add: ## Add a webhook endpoint: STAGE= NAME= URL= FORMAT=standard ACCOUNTS=a,b
endpoint-set: ## Change a webhook endpoint: STAGE= NAME= and URL= or settings such as EVENTS=
endpoint-rotate: ## Add a second signing secret: STAGE= NAME=; with FINISH=1: drop the old one
endpoint-remove: ## Remove a webhook endpoint: STAGE= NAME=
endpoints: ## List the webhook endpoints and their settings: STAGE=
tracking-set: ## Give orders tracking pages: STAGE= URL=https://… [DAYS=90 ORIGINS=a:https://…]
tracking-rotate: ## Add a second key of their links: STAGE=; with FINISH=1: drop the old one
tracking-remove: ## End all tracking pages: STAGE=
page-set: ## Set a shop's tracking pages: STAGE= ACCOUNT= and NAME=, LOGO=, COLOUR=, LINKS=, …
page-remove: ## Remove these settings of a shop: STAGE= ACCOUNT=
pusher-set: ## Publish live updates with Pusher: STAGE= URL= APP= KEY= SECRET=stdin [ACCOUNT= PUBLIC=1]
pusher-remove: ## Publish them no longer: STAGE=
rules-set: ## Say which statuses send messages to shoppers: STAGE= ACCOUNT= FILE=rules.json [FORCE=1]
rules-show: ## Print these rules of an account: STAGE= ACCOUNT=
rules-remove: ## End the messages of an account's rules: STAGE= ACCOUNT=
user-add user-set user-remove users vendor-add vendor-set vendor-remove vendors: .venv/installed
	@$(OPS)/manage.py $@
source-set source-rotate source-remove sources shipway-add shipway-remove: .venv/installed
	@$(OPS)/manage.py $@
hook-add hook-set hook-remove hooks: .venv/installed
	@$(OPS)/manage.py $@
endpoint-add endpoint-set endpoint-rotate endpoint-remove endpoints: .venv/installed
	@$(OPS)/manage.py $@
tracking-set tracking-rotate tracking-remove page-set page-remove pusher-set pusher-remove: \
		.venv/installed
	@$(OPS)/manage.py $@
rules-set rules-show rules-remove: .venv/installed
	@$(OPS)/manage.py $@

deliveries: ## List deliveries: STAGE= [STATE=dead ENDPOINT= ACCOUNT= ORDER= …]; ID= shows one
events: ## List inbound events: STAGE= [STATUS=failed SOURCE= ACCOUNT=]; ID= shows, RETRY=1 retries it
replay-dlq: ## Count dead deliveries or QUEUE=events: STAGE= […]; START=1 begins them again
deliveries events replay-dlq: .venv/installed
	@$(OPS)/operate.py $@

lock: .venv/lock-installed ## Lock the Python tools, with hashes [UPGRADE=1]
	$(call step,lock files of the Python tools,for folder in local ops lock; do \
		$(UV_COMPILE) "tools/$$folder/requirements.in" -o "tools/$$folder/requirements.txt" \
		>/dev/null || exit 1; done)
# For Python 3.10 and later on every platform, whatever runs here.
UV_COMPILE = .venv/bin/uv pip compile --quiet $(if $(call given,UPGRADE),--upgrade) \
	--universal --python-version 3.10 --python $(PYTHON) --no-python-downloads \
	--only-binary :all: --generate-hashes --no-annotate --custom-compile-command "make lock"

# A download that is not in the lock file, or has another hash, is an error.
PIP_INSTALL := $(PYTHON) -m pip install --disable-pip-version-check --require-hashes --no-deps \
	--only-binary :all: -r

# The file is made last, so an interrupted installation starts again.
.venv/installed: tools/local/requirements.txt | prerequisites
	@python3 -m venv --clear .venv
	@$(PROGRESS) "installing the Python tools into .venv (once)" pip.log $(PIP_INSTALL) $<
	@touch $@

# Half a gigabyte, so only for release builds.
.venv/deploy-installed: tools/ops/requirements.txt .venv/installed
	@$(PROGRESS) "installing cargo-lambda and zig into .venv (once)" pip-deploy.log \
		$(PIP_INSTALL) $<
	@touch $@

.venv/lock-installed: tools/lock/requirements.txt .venv/installed
	@$(PROGRESS) "installing uv into .venv (once)" pip-lock.log $(PIP_INSTALL) $<
	@touch $@

# Exactly the versions of the lock file, with its hashes; no script of a package runs.
$(WEB)/installed: tools/web/package-lock.json tools/web/package.json | packages
	@$(PROGRESS) "installing the tools for pages into $(WEB) (once)" npm.log \
		npm ci --prefix tools/web
	@touch $@

$(PUSHER)/installed: tests/pusher/package-lock.json tests/pusher/package.json | packages
	@$(PROGRESS) "installing a client of Pusher into $(PUSHER) (once)" npm-pusher.log \
		npm ci --prefix tests/pusher
	@touch $@

# $(call need,command that must succeed,message otherwise)
need = @$(1) >/dev/null 2>&1 || { echo "error: $(strip $(2))" >&2; exit 1; }

prerequisites:
	$(call need,command -v cargo,cargo is missing: install Rust with https://rustup.rs)
	$(call need,command -v cc,a C compiler is missing: on Debian apt-get install gcc libc6-dev)
	$(call need,python3 -c 'import sys; sys.exit(sys.version_info < (3$(comma) 10))',\
		Python 3.10 or later is missing (python3))
	$(call need,python3 -c 'import venv$(comma) ensurepip',\
		the venv module of Python is missing: on Debian apt-get install python3-venv)

# Interpreters of the receiver samples, Node and a browser. Only root on Debian gets them installed.
packages:
	@python3 tools/local/packages.py

fuzz-tools: prerequisites $(CARGO_FUZZ)
	$(call need,cargo +nightly --version,\
		a nightly compiler is missing: rustup toolchain install nightly --profile minimal)
	$(call need,command -v c++,a C++ compiler is missing: on Debian apt-get install g++)

pusher-tools: prerequisites
	$(call need,test -e "$$(dirname "$$(command -v protoc)")/../include/google/protobuf/timestamp.proto",\
		protoc is missing: on Debian apt-get install protobuf-compiler libprotobuf-dev)

# target/tools/<crate>-<version> marks the binary of that version in target/tools/bin.
# Without optimisation: that halves the build, and each run takes a second or two either way.
$(SOCKUDO): | pusher-tools
$(SOCKUDO): TOOL_FEATURES := --no-default-features --features local
$(CARGO_DENY) $(CARGO_MACHETE) $(CARGO_FUZZ) $(SOCKUDO): | prerequisites
	@$(PROGRESS) "installing $(tool) into target/tools (once)" $(tool).log \
		cargo install $(tool) --version $(lastword $(subst -, ,$(@F))) --locked --root target/tools \
		--debug --config profile.dev.debug=false $(TOOL_FEATURES)
	@touch $@
tool = $(patsubst %-$(lastword $(subst -, ,$(@F))),%,$(@F))

comma := ,
