# SPDX-License-Identifier: Apache-2.0
# What people type. CMake does the work (CMakePresets.json); this file only knows the order.
.DEFAULT_GOAL := all
.PHONY: all help setup host programs demo test test-unit test-e2e test-firmware test-bluetooth test-sanitizers test-house \
        faults skips interop firmware bench bench-start bench-upload bench-station bench-ble bench-dtls bench-swap bench-size bench-firmware fuzz format format-check tidy \
        size clean

PRESET ?= host
FUZZ_SECONDS ?= 300
JOBS ?= $(shell nproc)
# The first Python that has pytest and runs it in parallel: the machine's own, or the distribution's.
PYTHON = $(or $(shell for p in python3 /usr/bin/python3; do $$p -c 'import pytest, xdist' 2>/dev/null && echo $$p && break; done),python3)
WERROR = $(if $(filter ci,$(PRESET)),ON,OFF)

all: host programs ## build the `ferry` command, `ferry-device` and the programs it runs

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing from the distribution's packages, fetch the pinned sources
	@scripts/setup build

host: setup
	@cmake --preset $(PRESET) >build/cmake.log 2>&1 || { cat build/cmake.log; exit 1; }
	@cmake --build --preset $(PRESET) -- --quiet

programs: setup
	@cmake -S firmware -B build/firmware -G Ninja -DFERRY_WERROR=$(WERROR) >build/cmake-firmware.log 2>&1 \
	    || { cat build/cmake-firmware.log; exit 1; }
	@cmake --build build/firmware -- --quiet

demo: all ## watch an update happen, go wrong and heal, on a virtual device
	@scripts/demo

test: test-house test-unit test-e2e ## every test that needs nobody else's program

test-house: all ## the house keeps its rules: floors, freestanding core, documents
	@scripts/setup arm
	@$(PYTHON) -m pytest -q tests/house

test-unit: all ## C tests, power cuts included
	@ctest --test-dir build/host --no-tests=error --output-on-failure -j $(JOBS)
	@grep -hE '^total: [0-9]+ faults' build/host/Testing/Temporary/LastTest.log
	@grep -hE '^(total: )?[0-9 ]+.*cuts.*' build/host/Testing/Temporary/LastTest.log | grep -vE '^[a-z-]+/' || true

# Devices mostly wait for clocks: more of them than processors.
test-e2e: all ## the real command against the virtual device
	@scripts/setup arm
	@$(PYTHON) -m pytest -q -rs -n $$(( 2 * $(JOBS) )) tests/e2e

# What asks no device: files in, files out.
OFFLINE = bad_input bundles compression encrypted_files files first_files formats inspect inspect_dump \
          key_files layout sign_layout sign_options signing

test-firmware: all firmware ## the programs of real chips in QEMU, driven by the real command, and their power cut
	@scripts/setup firmware peers
	@tests/interop/setup-peers python >/dev/null
	@$(PYTHON) -m pytest -q -rs -n $(JOBS) tests/firmware

test-bluetooth: all ## the real bluetoothd in a virtual machine, with two controllers without a radio
	@scripts/setup bluetooth
	@tests/vm/fetch-bluetoothd
	@$(PYTHON) -m pytest -q -rs tests/vm

test-sanitizers: setup ## the C tests, and those of files, under AddressSanitizer and UndefinedBehaviorSanitizer
	@cmake --preset sanitizers >build/cmake-sanitizers.log 2>&1 || { cat build/cmake-sanitizers.log; exit 1; }
	@cmake --build --preset sanitizers -- --quiet
	@ctest --test-dir build/sanitizers --no-tests=error --output-on-failure -j $(JOBS)
	@FERRY_PRESET=sanitizers $(PYTHON) -m pytest -q -rs -n $(JOBS) $(OFFLINE:%=tests/e2e/test_%.py)

skips: host ## each instruction of the bootloader's decision skipped once, in an interpreter of Cortex-M0 code
	@scripts/skips build/host/tests/skips

faults: host ## the bootloader under every fault, one and two at once: minutes (FERRY_FAULT=ID: one alone)
	@build/host/tests/faults --processes $(JOBS) --report build/faults.txt

interop: all ## against the real imgtool, smpclient, smpmgr and mcumgrctl, Zephyr and MCUboot
	@scripts/setup peers
	@tests/interop/setup-peers
	@build/interop/venv/bin/python -m pytest -q -rs tests/interop

firmware: host ## the programs of real chips, in build/chips/CHIP, and their flash, RAM and stack beside budgets
	@scripts/setup arm
	@scripts/firmware $(WERROR)

bench: bench-upload ## bench-upload, files both ways, an update over a bad link, sign and verify beside the real imgtool's
	@python3 bench/files.py
	@python3 bench/bad_link.py
	@scripts/setup peers
	@tests/interop/setup-peers python >/dev/null
	@python3 bench/image_tool.py

bench-dtls: all ## what a handshake costs over a plain UDP hello, by PSK and by certificates
	@$(PYTHON) bench/dtls.py

bench-start: all ## whole processes of ferry and smpmgr in pairs; fails when ferry is not 20 times as fast
	@scripts/setup peers
	@tests/interop/setup-peers python >/dev/null
	@python3 bench/start.py

bench-upload: all ## uploads beside the line's own ideal and other people's clients; fails when a target is missed
	@scripts/setup peers
	@tests/interop/setup-peers python rust go >/dev/null || true
	@python3 bench/upload.py

bench-firmware: firmware ## instructions of the nRF51's boot and of an upload to it, counted in QEMU
	@scripts/setup firmware
	@$(PYTHON) bench/firmware.py

bench-ble: all ## uploads over Bluetooth LE through the virtual air, beside what the connection interval lets through
	@$(PYTHON) bench/ble.py

bench-swap: host ## flash operations of every strategy, beside MCUboot's; fails when a target is missed
	@build/host/bench/bench_swap

bench-size: setup ## code size and stack of bootloader and server on a Cortex-M0+, beside MCUboot's
	@scripts/setup arm
	@python3 bench/size.py build/bench-size.txt
	@python3 bench/size_server.py build/bench-size-server.txt

bench-station: all ## 64 virtual devices and 1000 behind UDP, updated by one `ferry station`
	@python3 bench/station.py

fuzz: setup ## every fuzz target, within FUZZ_SECONDS (300) in all
	@scripts/setup fuzz
	@cmake --preset fuzz >build/cmake-fuzz.log 2>&1 || { cat build/cmake-fuzz.log; exit 1; }
	@cmake --build --preset fuzz -- --quiet
	@scripts/fuzz $(FUZZ_SECONDS)

size: setup ## flash the core takes on a Cortex-M0, by file
	@scripts/setup arm
	@cmake --preset size-arm >build/cmake-arm.log 2>&1 || { cat build/cmake-arm.log; exit 1; }
	@cmake --build --preset size-arm -- --quiet
	@arm-none-eabi-size build/size-arm/libferry_core.a

format: ## format all C sources
	@scripts/setup format
	@git ls-files '*.c' '*.h' | xargs clang-format -i

format-check:
	@scripts/setup format
	@git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror

tidy: all ## clang-tidy over the sources of the host build
	@scripts/setup format
	@git ls-files 'core/*.c' 'port/posix/*.c' 'port/bluez/*.c' 'port/dtls-openssl/*.c' 'port/crypto-openssl/*.c' 'layout/*.c' 'client/*.c' 'cli/*.c' 'device/*.c' \
	    | xargs -P $(JOBS) -n 8 clang-tidy -p build/host --quiet 2>/dev/null

.PHONY: messages messages-check
messages: ## docs/MESSAGES.md anew, out of the sources: review the difference
	@scripts/messages --write

messages-check: ## fails when that document is old, or a message does not say what to do
	@scripts/messages --check

clean: ## remove everything that was built
	@rm -rf build
