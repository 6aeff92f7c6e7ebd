# What `sam build` runs for template.yaml. SAM passes no template parameters to a Makefile. So the template chooses a folder
# by them: layer/sam/python<PythonVersion>-<Architecture>/Makefile includes this file.
SHELL := /bin/sh
HERE := $(dir $(abspath $(firstword $(MAKEFILE_LIST))))
TARGET := $(notdir $(HERE:/=))
WORDS := $(subst -, ,$(TARGET:python%=%))
PYTHON := $(word 1,$(WORDS))
ARCHITECTURE := $(word 2,$(WORDS))

# The command line of this repository, if it has been built, else the one that is installed.
export PATH := $(abspath $(HERE)/../../../target/release):$(PATH)

.PHONY: build-App build-SelfContainedLayer build-BootstrapLayer

# SAM starts each target in a copy of the resource's CodeUri or ContentUri and takes what is in ARTIFACTS_DIR afterwards.
build-App:
	@command -v wsgi-lambda >/dev/null || { echo "wsgi-lambda is missing: make build" >&2; exit 1; }
	wsgi-lambda package . --output "$(ARTIFACTS_DIR)" --python $(PYTHON) --architecture $(ARCHITECTURE)

build-SelfContainedLayer: ZIP := wsgi-lambda-$(TARGET).zip
build-BootstrapLayer: ZIP := wsgi-lambda-bootstrap-$(TARGET).zip
build-SelfContainedLayer build-BootstrapLayer:
	@command -v unzip >/dev/null || { echo "unzip is missing: apt-get install unzip" >&2; exit 1; }
	@test -f $(ZIP) || { echo "layer/dist/$(ZIP) is missing: make layer PYTHON_VERSION=$(PYTHON), or \
	wsgi-lambda layer $(if $(findstring bootstrap,$(ZIP)),--bootstrap-only )--python $(PYTHON) --architecture $(ARCHITECTURE)" >&2; \
	test ! -f $(ZIP:.zip=-QUICK.zip) || echo "(one of QUICK=1 is there, for tests: rename it to deploy it)" >&2; exit 1; }
	unzip -q $(ZIP) -d "$(ARTIFACTS_DIR)"
