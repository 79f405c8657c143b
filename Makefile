# SPDX-License-Identifier: Apache-2.0
# A thin wrapper around Meson. `make help` lists what there is.

BUILD ?= build
PREFIX ?= /usr
CC_ENV := $(if $(shell command -v ccache),CC="ccache gcc",CC=gcc)
MESON_FLAGS ?=

all: build ## build everything (as root: install what is missing first)

setup-%:
	@scripts/setup $*

$(BUILD)/build.ninja: | setup-build
	$(CC_ENV) meson setup $(BUILD) --prefix=$(PREFIX) --sysconfdir=/etc --localstatedir=/var $(MESON_FLAGS)

build: $(BUILD)/build.ninja ## build everything
	ninja -C $(BUILD)

demo: setup-demo build ## a web server and a database in two L2 domains, joined over an IP-only network
	/usr/bin/python3 demo/demo.py $(DEMO_FLAGS)

demo-keep: ## the same, left running to play with
	$(MAKE) demo DEMO_FLAGS=--keep

test: setup-build setup-test setup-demo ## unit, packet, system and interop tests, sanitizers included
	test/run

lint: setup-lint build ## format, clang and static analysis
	scripts/lint

fuzz: setup-build setup-test ## every fuzz target for SECONDS (60) each
	test/fuzz/run.sh $(or $(SECONDS),60)

bench: setup-bench build ## what is measured, with its peers (QUICK=1: targets alone; CASE=TEXT: those cases; RESUME=1)
	bench/run

bench-report: ## the results of the last make bench into docs/performance.md and its chart
	PYTHONPATH=bench /usr/bin/python3 -m forwarding.report

bench-scale: setup-bench build ## how much a leaf holds, beside what is promised (root, 10 GiB of memory)
	bench/scale/run

deb: setup-build setup-deb ## the Debian package
	scripts/deb

install: build ## into DESTDIR
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean: ## remove what was built
	rm -rf build build-*

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

.PHONY: all build demo demo-keep test lint fuzz bench bench-report bench-scale deb install clean help
