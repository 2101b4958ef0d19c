# The commands that a person types; each is a few lines over CMake presets and the scripts in tools/.
.DEFAULT_GOAL := help
.PHONY: help build demo test test-fast test-peers test-programs check format bench clean

help: ## show this list
	@echo "hearth: teach a language model something, on one machine"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

build: ## install what is missing (Debian packages), compile, leave build/hearth
	@tools/install_packages build
	@cmake --preset release >/dev/null
	@cmake --build build -j $$(tools/jobs) --target hearth_cli
	@echo "built build/hearth"

demo: build ## build, then watch a small model learn something in about a minute
	@tools/demo

test: ## everything: all tests, tools/check, sanitizers, short fuzzing
	@tools/install_packages test
	@tools/test

test-fast: ## the quick tests only
	@tools/install_packages build
	@tools/test fast

test-peers: build ## compare with transformers, PEFT and four Tinker SDKs from PyPI (needs a network the first time)
	@tools/install_packages peers
	@cmake --build build -j $$(tools/jobs) --target peer_logits
	@tools/peers_venv build/peers-venv
	@HEARTH_COMMAND="$(CURDIR)/build/hearth" build/peers-venv/bin/python -m pytest -q tests/peers
	@tools/test_sdk all

test-programs: ## run public PyTorch programs on hearth, unmodified, and compare what they print
	@tools/test_programs $(if $(PYTHON),--python $(PYTHON))

check: ## style and structure: format, includes, lengths, names, clang-tidy
	@tools/install_packages test
	@python3 tools/check

format: ## let clang-format rewrite the C++ files
	@git ls-files -z '*.cpp' '*.h' | xargs -0 clang-format -i

bench: build ## build the benchmarks and run each once
	@cmake --build build -j $$(tools/jobs) --target hearth_bench
	@for program in build/bench/*; do [ -x "$$program" ] || continue; echo "== $$program"; "$$program" || exit 1; done

clean: ## remove everything that was built
	rm -rf build build-*
