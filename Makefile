# SPDX-License-Identifier: MIT
# GNU make. Everything that is made goes under out/. A new program is a new file: no rule changes for it.
#
#   make            build all programs          make demo      analyse a real trace, say where the report is
#   make check      install what is missing, build, run every test     (SAN=1: with ASan and UBSan)
#   make bench      ratios against peers        make lint      gcc and clang with -Werror, shellcheck, mandoc
#   make deps       what is missing, by the package manager            (DEPS=no: only print it)
#   make duckdb     libduckdb.so, which to-parquet needs, by npm       (DUCKDB=DIR: it is there, or goes there)
#   make coverage, install, uninstall (PREFIX, DESTDIR), dist, clean

VERSION := 0.1
PREFIX ?= /usr/local
CC ?= cc
SAN ?= 0
V ?= 0

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS ?= -O2 -g
# Sums are the same to the last digit on machines that can multiply and add at once: -ffp-contract=off.
FLAGS = -std=gnu11 -D_GNU_SOURCE -DWEIR_VERSION='"$(VERSION)"' -Ilib -isystem $(O)/gen -pthread -ffp-contract=off $(WARNINGS)
LDLIBS := -lm
# Where the programs will run: $(CC) may compile for another machine.
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
O := out
ifeq ($(SAN),1)
O := out/san
override CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
endif
ifdef COVERAGE
O := out/coverage
override CFLAGS := -O0 -g --coverage
endif

# A source that needs a library says so in a comment, `pkg-config: NAME`. What it needs and the machine
# lacks skips it, and the programs that need the same library, with a printed line.
needs = $(shell sed -n 's|.*pkg-config: *\([A-Za-z0-9_.+ -]*[A-Za-z0-9]\).*|\1|p' $(1))
# A library that a program can do without, with less to offer: `pkg-config-if-there: NAME`.
wants = $(shell sed -n 's|.*pkg-config-if-there: *\([A-Za-z0-9_.+ -]*[A-Za-z0-9]\).*|\1|p' $(1))
# A library that pkg-config does not know; it is there when the compiler finds it: `library: NAME`.
plain = $(shell sed -n 's|^// library: *\([A-Za-z0-9_+-]*\).*|\1|p' $(1))
found = $(filter /%,$(foreach e,a so,$(shell $(CC) -print-file-name=lib$(1).$(e))))
# DuckDB's library comes without a .pc file: `make duckdb` writes one to out/pkgconfig.
PKG_CONFIG := PKG_CONFIG_PATH='$(CURDIR)/out/pkgconfig':"$$PKG_CONFIG_PATH" pkg-config
have = $(and $(if $(call needs,$(1)),$(shell $(PKG_CONFIG) --exists $(call needs,$(1)) && echo yes),yes), \
	$(if $(call plain,$(1)),$(call found,$(call plain,$(1))),yes))
# A collector NAME with a kernel side, bpf/NAME.bpf.c, needs clang and bpftool besides.
CLANG ?= clang
BPFTOOL ?= $(firstword $(shell command -v bpftool) $(wildcard /usr/sbin/bpftool /sbin/bpftool))
kernel_side = $(wildcard bpf/$(notdir $(1:.c=)).bpf.c)
buildable = $(if $(call kernel_side,$(1)),$(and $(BPFTOOL),$(shell command -v $(CLANG)),$(call have,$(1))),$(call have,$(1)))
lacks = $(if $(call have,$(1)),there is no clang or bpftool,not all is here of: $(call needs,$(1)) $(addprefix -l,$(call plain,$(1))))

LIB_SOURCES := $(wildcard lib/*/*.c)
PROGRAM_SOURCES := $(wildcard collectors/*.c filters/*.c workloads/*.c)
SOURCES := $(foreach s,$(LIB_SOURCES) $(PROGRAM_SOURCES),$(if $(call buildable,$(s)),$(s)))
SKIPPED := $(filter-out $(SOURCES),$(PROGRAM_SOURCES))
LIB_TEXTS := $(patsubst lib/%,%,$(wildcard lib/*/*.js lib/*/*.css lib/*/*.sql))
LIB_OBJECTS := $(patsubst %.c,$(O)/obj/%.o,$(filter lib/%,$(SOURCES)))
PROGRAMS := $(patsubst %.c,%,$(notdir $(filter-out lib/%,$(SOURCES))))
# What they share has a suffix: .sh, .sql.
SHARED := $(notdir $(wildcard pipelines/*.*))
PIPELINES := $(filter-out $(SHARED),$(notdir $(wildcard pipelines/*)))
PAGES := $(notdir $(wildcard man/*.[15]))

# Quiet rules: V=1 shows the commands.
ifeq ($(V),0)
say = @printf '  %-5s %s\n' $(1) '$(2)';
endif

.PHONY: all deps deps-check duckdb demo check bench lint coverage install uninstall clean dist
all: $(O)/libweir.a $(PROGRAMS:%=$(O)/bin/%) $(PIPELINES:%=$(O)/bin/%)
	@$(foreach s,$(SKIPPED),echo 'skipped $(s): $(call lacks,$(s))';)

# -MD, not -MMD: what is made for out/gen counts as a system's header, and must make anew what includes it.
$(O)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(FLAGS) $(CFLAGS) $(and $(call needs,$<),$(shell $(PKG_CONFIG) --cflags $(call needs,$<))) \
		-MD -MP -c -o $@ $<

# The kernel side becomes a header that the collector includes: the object, and a struct to reach into it.
BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(MACHINE)))
BPF_FLAGS = -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -idirafter /usr/include/$(shell uname -m)-linux-gnu \
	-Wall -Wextra -Wshadow -Wno-unused-parameter
$(O)/obj/%.bpf.o: %.bpf.c Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_FLAGS) -MMD -MP -c -o $@ $<

# Kept, as what is made on the way. (.SECONDARY would keep all, and not make an object that joins the library later.)
.PRECIOUS: $(O)/obj/%.bpf.o
$(O)/gen/%.skel.h: $(O)/obj/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(BPFTOOL) gen skeleton $< name $(subst -,_,$*) > $@

$(foreach s,$(SOURCES),$(if $(call kernel_side,$(s)),$(eval $(O)/obj/$(s:.c=.o): $(O)/gen/$(notdir $(s:.c=)).skel.h)))
# Texts that a program carries: `#include "NAME.inc"` is lib/NAME as a string of C.
$(O)/gen/%.inc: lib/% Makefile
	@mkdir -p $(@D)
	$(call say,GEN,$@)sed 's/[\\"]/\\&/g; s/^/"/; s/$$/\\n"/' $< > $@

$(LIB_OBJECTS): | $(LIB_TEXTS:%=$(O)/gen/%.inc)

# Names of system calls by number: the machine's own, and those of 32-bit programs where the headers have them.
$(O)/gen/callnumbers.h: Makefile
	@mkdir -p $(@D)
	$(call say,GEN,$@){ \
		numbers() { echo "#include <$$1>" | $(CC) $(CPPFLAGS) -E -dM - 2>/dev/null | LC_ALL=C sort; }; \
		echo 'static const char *const native_names[CALLBOOK_NUMBERS] = {'; \
		numbers asm/unistd.h | sed -n '/__NR_\(syscalls\|arch_specific_syscall\) /d; s/^#define __NR_\([a-z_][a-z0-9_]*\) .*/\t[__NR_\1] = "\1",/p'; \
		echo '}; static const char *const compat_names[CALLBOOK_NUMBERS] = { [0] = NULL,'; \
		numbers asm/unistd_32.h | sed -n 's/^#define __NR_\([a-z_][a-z0-9_]*\) \([0-9]*\)$$/\t[\2] = "\1",/p'; \
		echo '};'; } > $@
$(O)/obj/lib/spans/callbook.o: $(O)/gen/callnumbers.h

$(O)/libweir.a: $(LIB_OBJECTS)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# The program's own libraries come from its own declaration: a filter that used one it did not declare
# would not link.
define program
$(O)/bin/$(notdir $(1:.c=)): $(O)/obj/$(1:.c=.o) $(O)/libweir.a
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)$$(CC) $$(CFLAGS) $$(LDFLAGS) -pthread -o $$@ $$< $(O)/libweir.a \
		$(addprefix -l,$(call plain,$(1))) \
		$(and $(call needs,$(1)),$(shell $(PKG_CONFIG) --libs $(call needs,$(1)))) \
		$(and $(call wants,$(1)),$(shell $(PKG_CONFIG) --libs $(call wants,$(1)) 2>/dev/null)) $$(LDLIBS)
endef
$(foreach s,$(filter-out lib/%,$(SOURCES)),$(eval $(call program,$(s))))

$(PIPELINES:%=$(O)/bin/%): $(O)/bin/%: pipelines/%
	@mkdir -p $(@D)
	@ln -sf $(abspath $<) $@

-include $(patsubst %.c,$(O)/obj/%.d,$(SOURCES) $(wildcard bpf/*.bpf.c))

# What the package manager is asked for: to build and run, and to test.
APT_BUILD := gcc make pkg-config libc6-dev clang bpftool zstd sqlite3 gnuplot-nox fontconfig fonts-dejavu-core parallel \
	libbabeltrace2-dev libjson-c-dev libsqlite3-dev libbpf-dev libcurl4-openssl-dev libmicrohttpd-dev \
	libdw-dev libelf-dev zlib1g-dev libiberty-dev
DNF_BUILD := gcc make pkgconf-pkg-config clang bpftool zstd sqlite gnuplot fontconfig dejavu-sans-fonts parallel \
	libbabeltrace2-devel json-c-devel sqlite-devel libbpf-devel libcurl-devel libmicrohttpd-devel \
	elfutils-devel elfutils-libelf-devel zlib-devel binutils-devel
APT_CHECK := bats babeltrace2 miller datamash gawk jq python3 shellcheck mandoc procps tmux openssl curl \
	lttng-tools liblttng-ust-dev linux-perf nginx-light wrk redis-server redis-tools apache2-bin apache2-utils \
	g++ llvm binutils libdevel-nytprof-perl \
	python3-barectf python3-numpy python3-prometheus-client python3-protobuf protobuf-compiler \
	openssh-server openssh-client rsync iproute2 clickhouse-server clickhouse-client
DNF_CHECK := bats babeltrace2 miller datamash gawk jq python3 ShellCheck mandoc procps-ng tmux openssl curl \
	lttng-tools lttng-ust-devel perf nginx redis httpd httpd-tools gcc-c++ llvm binutils \
	python3-numpy python3-prometheus_client python3-protobuf protobuf-compiler openssh-server openssh-clients rsync iproute \
	flamegraph flamegraph-stackcollapse-perf

# $(1): packages by apt-get, $(2): by dnf. What one distribution lacks must not keep the rest away. Servers that
# tests run privately are not started by their packages: Debian asks policy-rc.d.
define install_missing
if command -v apt-get >/dev/null; then packages='$(1)'; \
	has() { dpkg-query -W -f '$${db:Status-Abbrev}' "$$1" 2>/dev/null | grep -q '^ii'; }; \
	get='apt-get install -y --no-install-recommends'; update='apt-get update'; \
elif command -v dnf >/dev/null; then packages='$(2)'; \
	has() { rpm -q --whatprovides "$$1" >/dev/null 2>&1; }; get='dnf install -y'; update=true; \
else echo 'deps: neither apt-get nor dnf is here; wanted (names of Debian): $(1)' >&2; exit 0; fi; \
missing=; for p in $$packages; do has $$p || missing="$$missing $$p"; done; \
[ -n "$$missing" ] || exit 0; \
echo "deps: installing$$missing"; \
[ '$(DEPS)' != no ] || exit 0; \
as=; [ "$$(id -u)" = 0 ] || as=sudo; \
export DEBIAN_FRONTEND=noninteractive; \
policy=/usr/sbin/policy-rc.d; made=; \
if [ -d /usr/share/doc/dpkg ] && [ ! -e $$policy ]; then \
	made=yes; printf '#!/bin/sh\nexit 101\n' | $$as tee $$policy >/dev/null && $$as chmod +x $$policy; fi; \
{ $$as $$update && $$as $$get $$missing || for p in $$missing; do \
	$$as $$get $$p || echo "deps: cannot install $$p" >&2; done; } >/dev/null; \
[ -z "$$made" ] || $$as rm -f $$policy
endef

deps:
	@$(call install_missing,$(APT_BUILD),$(DNF_BUILD))

deps-check: deps
	@$(call install_missing,$(APT_CHECK),$(DNF_CHECK))

# A program that is to be installed needs it in a place that stays: DUCKDB=/usr/local/lib.
DUCKDB ?= out/duckdb
DUCKDB_PACKAGE := @duckdb/node-bindings-linux-$(if $(filter aarch64,$(MACHINE)),arm64,x64)@1.5.6-r.1
duckdb:
	@mkdir -p '$(DUCKDB)' out/pkgconfig
	@[ -e '$(DUCKDB)/libduckdb.so' ] || { cd '$(DUCKDB)' && npm pack --silent $(DUCKDB_PACKAGE) >package.name && \
		tar xzf "$$(cat package.name)" --strip-components=1 package/libduckdb.so && rm "$$(cat package.name)" package.name; } || \
		{ echo 'duckdb: cannot fetch $(DUCKDB_PACKAGE) by npm; to-parquet is not built' >&2; exit 1; }
	@d=$$(cd '$(DUCKDB)' && pwd) && printf '%s\n' 'Name: duckdb' 'Description: libduckdb.so, from make duckdb' 'Version: 1' \
		"Libs: -L$$d -lduckdb -Wl,-rpath,$$d" >out/pkgconfig/duckdb.pc

# What is built depends on the libraries found, so make starts anew once they are there.
demo: deps
	@$(MAKE) --no-print-directory all
	@tests/demo $(O)/bin

check: deps-check
	@[ '$(DEPS)' = no ] || $(MAKE) --no-print-directory duckdb || true
	@$(MAKE) --no-print-directory all
	@WEIR_BIN=$(abspath $(O)/bin) tests/run $(TESTS)

bench: deps-check
	@$(MAKE) --no-print-directory all
	@WEIR_BIN=$(abspath $(O)/bin) tests/bench $(BENCH)

SCRIPTS = $(shell grep -lE '^\#!(/bin/sh|/bin/bash|/usr/bin/env (ba)?sh|/usr/bin/env bats)' pipelines/* tests/* tests/*/run .ci/* 2>/dev/null)
lint: deps-check
	@$(MAKE) --no-print-directory O=out/lint/gcc CC=gcc CFLAGS='-O2 -g -Werror' all
	@$(MAKE) --no-print-directory O=out/lint/clang CC=clang CFLAGS='-O2 -g -Werror' all
	shellcheck -x -P SCRIPTDIR $(SCRIPTS)
	mandoc -Tlint -W warning man/*.[15]
	@missing=$$(grep -L 'SPDX-License-Identifier' Makefile $$(find lib collectors filters bpf workloads man sql -type f -not -name "*.png" 2>/dev/null) $(SCRIPTS)); \
	[ -z "$$missing" ] || { echo "no SPDX line in: $$missing"; exit 1; }

coverage: deps-check
	@$(MAKE) --no-print-directory COVERAGE=1 all
	@WEIR_BIN=$(abspath out/coverage/bin) tests/run $(TESTS)
	@tests/coverage out/coverage

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/weir $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5
	install $(PROGRAMS:%=$(O)/bin/%) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(SHARED:%=pipelines/%) $(DESTDIR)$(PREFIX)/lib/weir
	$(if $(PIPELINES),install $(PIPELINES:%=pipelines/%) $(DESTDIR)$(PREFIX)/lib/weir)
	install -d $(DESTDIR)$(PREFIX)/lib/weir/sql/clickhouse
	install -m 644 $(wildcard sql/clickhouse/*.sql) $(DESTDIR)$(PREFIX)/lib/weir/sql/clickhouse
	for p in $(PIPELINES); do ln -sf ../lib/weir/$$p $(DESTDIR)$(PREFIX)/bin/$$p; done
	install -m 644 $(wildcard man/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(wildcard man/*.5) $(DESTDIR)$(PREFIX)/share/man/man5

uninstall:
	cd $(DESTDIR)$(PREFIX)/bin && rm -f $(PROGRAMS) $(PIPELINES)
	rm -rf $(DESTDIR)$(PREFIX)/lib/weir
	cd $(DESTDIR)$(PREFIX)/share/man && rm -f $(foreach p,$(PAGES),man$(subst .,,$(suffix $(p)))/$(p))

dist:
	@mkdir -p out
	git archive --prefix=weir-$(VERSION)/ -o out/weir-$(VERSION).tar.gz HEAD
	@echo out/weir-$(VERSION).tar.gz

clean:
	rm -rf out
