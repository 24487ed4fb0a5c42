# One command for each thing a person does here; `make help` lists them.
# `make demo` and `make test` work on a fresh Debian 12 (root or sudo).

JOBS ?= $(shell nproc)
SOURCES = $(shell find dialect passes codegen runtime tools test examples \
  bench -name '*.h' -o -name '*.cpp' -o -name '*.c')

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | \
	  sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

.PHONY: deps
deps: ## Install what the build needs and this machine lacks (apt).
	@cmake/install-deps.sh

.PHONY: build
build: deps ## Configure and build the `dev` preset into build/dev.
	@cmake/build.sh dev $(JOBS)

.PHONY: demo
demo: deps ## Compile, run and verify examples 01 and 02 on the best device.
	@cmake/build.sh dev $(JOBS) mamba-run
	@python3 examples/demo.py

.PHONY: test
test: deps ## All checks and tests; the last line is "N passed, N failed".
	@python3 test/suite.py --jobs $(JOBS)

.PHONY: asan
asan: deps ## Unit tests under the address and undefined sanitizers.
	@cmake/build.sh asan $(JOBS) unit-tests
	@ctest --test-dir build/asan -L unit --output-on-failure

.PHONY: tsan
tsan: deps ## Tests of the runtime's threads under the thread sanitizer.
	@cmake/build.sh tsan $(JOBS) thread-tests
	@ctest --test-dir build/tsan -L threads --output-on-failure

MINUTES ?= 1

.PHONY: fuzz
fuzz: deps ## Fuzz readers of files and the compiler, sanitized, MINUTES each (default 1).
	@cmake/build.sh asan $(JOBS) fuzzers
	@python3 test/fuzz/run.py --bin build/asan/bin --minutes $(MINUTES) --jobs $(JOBS)

.PHONY: portable
portable: deps ## build/mamba-mlir-portable.tar.xz: runs without LLVM.
	@cmake/build.sh portable $(JOBS)
	@cmake/package.sh build/portable build/mamba-mlir-portable.tar.xz

.PHONY: docs
docs: deps ## Write docs/reference and docs/errors.md.
	@python3 docs/generate.py

.PHONY: format
format: deps ## Format all C++ sources in place.
	@clang-format-22 -i $(SOURCES)

.PHONY: check-format
check-format: deps ## Fail where a C++ source is not formatted.
	@clang-format-22 --dry-run --Werror $(SOURCES)

.PHONY: clean
clean: ## Remove the build folder.
	@rm -rf build
