# Both targets set everything up by themselves, in .venv: python3 (3.11 or newer, with venv) and make are all they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_BENCH := $(VENV)/.ready-bench

# Tests start servers by the hundred, each of which would compile the package anew where the environment says so.
unexport PYTHONDONTWRITEBYTECODE

# Processes that test at the same time: most tests wait more than they compute.
TESTERS ?= 4

.PHONY: demo test lint bench requirements image clean

demo: $(READY)
	$(BIN)/dnsserver serve zones/demo --port 1053

test: $(READY)
	$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder -m "not alone"
	$(BIN)/python -m pytest -m alone

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers auto

# Quick, or somewhere else: make bench BENCH="--quick --out FOLDER".
bench: $(READY_BENCH)
	$(BIN)/python -m bench $(BENCH)

# The libraries of the image, pinned with the hashes of their wheels for every platform.
requirements: $(READY)
	$(BIN)/python -m pip install --quiet 'uv>=0.9,<1'
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --only-binary :all: --generate-hashes \
	    --no-header --no-emit-index-url --no-emit-find-links --output-file image/requirements.txt pyproject.toml

# The image, by docker, podman or buildah: make image BUILDER=docker TAG=dnsserver.
BUILDER ?= buildah
TAG ?= dnsserver
image:
	$(BUILDER) build --tag $(TAG) --build-arg VERSION=$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' dnsserver/__init__.py) \
	    --build-arg REVISION=$$(git rev-parse HEAD) .

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[test]'
	touch $@

$(READY_BENCH): $(READY)
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	touch $@

clean:
	rm -rf $(VENV)
