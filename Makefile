# SPDX-License-Identifier: GPL-2.0
# What a person runs. What kbuild runs is in Kbuild.

RELEASE ?= $(shell uname -r)
KDIR ?= /lib/modules/$(RELEASE)/build
PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/^\#define PORTSOCK_VERSION "\(.*\)"/\1/p' module/version.h)

testing := tools/testing

all: module reader ## build portsock.ko and the reader

module: headers ## build portsock.ko for this machine's kernel (or KDIR=...)
	@$(MAKE) --no-print-directory -C $(KDIR) M=$(CURDIR) modules

headers:
	@test -e $(KDIR)/Makefile || { \
		echo "portsock: no kernel headers in $(KDIR)" >&2; \
		echo "portsock: apt install linux-headers-$(RELEASE), or give KDIR=..." >&2; \
		exit 1; }

reader: ## build tools/portsock/portsock
	@$(MAKE) --no-print-directory -C tools PREFIX=$(PREFIX)

exporter: ## build tools/exporter/portsock-exporter
	@$(MAKE) --no-print-directory -C tools exporter

install: all ## install both, load the module (as root)
	$(MAKE) --no-print-directory -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) modules_install
	$(MAKE) --no-print-directory -C tools install PREFIX=$(PREFIX)
	@[ -n "$(DESTDIR)" ] || $(MAKE) --no-print-directory load

load:
	@depmod $(RELEASE)
	@modprobe portsock || { \
		echo "portsock: installed, but not loaded; dmesg says why" >&2; \
		echo "portsock: for keys and lockdown see README.md, Signed modules" >&2; \
		exit 1; }
	@echo "portsock $$(cat /sys/module/portsock/version) is loaded: run portsock, or cat /proc/portsock"

uninstall: ## unload the module, remove both (as root)
	if [ -z "$(DESTDIR)" ] && grep -q ^portsock /proc/modules; then modprobe -r portsock; fi
	rm -f $(DESTDIR)/lib/modules/$(RELEASE)/extra/portsock.ko* $(DESTDIR)/lib/modules/$(RELEASE)/updates/portsock.ko*
	$(MAKE) --no-print-directory -C tools uninstall PREFIX=$(PREFIX)
	[ -n "$(DESTDIR)" ] || depmod $(RELEASE)

deb: ## build the Debian packages portsock, portsock-exporter, portsock-dkms
	@$(testing)/deb $(CURDIR)

demo: ## see it at work in a virtual machine, next to ss
	@$(testing)/demo

test: ## run the tests, some minutes; KERNEL=6.12: those in that kernel only
	@$(testing)/test

test-all: ## run every test, hours; goes on where it was, AGAIN=1: from the start
	@$(testing)/test --all

test-arm64: ## run the core tests in emulated arm64 kernels
	@$(testing)/test arm64

soak: ## everything at once for SECONDS (3600), then compare
	@$(testing)/soak $(or $(SECONDS),3600)

bench: ## measure what it costs, next to its rivals; KERNEL=...
	@$(testing)/bench

tested: ## put the kernels that make test-all has tested into README.md
	@$(testing)/tested

check: ## checkpatch, sparse, W=1, shellcheck
	@$(testing)/check

kunit: ## run the KUnit suites only
	@$(testing)/deps kunit
	@$(testing)/kunit

vm: ## a shell in the virtual machine, the module built in /portsock; KERNEL=...
	@$(testing)/shell

clean: ## remove what was built
	@$(MAKE) --no-print-directory -C tools clean
	@$(MAKE) --no-print-directory -C $(testing)/selftests clean
	@$(MAKE) --no-print-directory -C $(testing)/benchmarks clean
	@find . -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '.*.cmd' -o -name modules.order -o -name Module.symvers | \
		xargs rm -f
	@rm -rf module/have module/have.h portsock_*.deb portsock-exporter_*.deb portsock-dkms_*.deb

help: ## show this
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

.PHONY: all module headers reader exporter install load uninstall deb demo test test-all test-arm64 tested soak bench check kunit vm clean help
