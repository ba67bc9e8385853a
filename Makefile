# The project's tasks. On a fresh Debian or Ubuntu with a Rust toolchain: make demo, make test.
CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET_DIR)/release

.PHONY: help build demo test truth bench lint install install-wait uninstall

# The number of the workspace, for pkg-config.
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

help:
	@echo "make build     the command, its layer and the C library of waits, optimised, in $(RELEASE)"
	@echo "make demo      shows on vkcube what unwedge does (installs what is missing through apt)"
	@echo "make test      every test (installs what is missing through apt)"
	@echo "make truth     who is blamed in 2,000 worlds whose culprit is known; keeps the table in docs/truth.md"
	@echo "make bench     what the layer, waits and frames cost, how fast traces are read; keeps the runs in bench/runs"
	@echo "make lint      formatting, clippy, the rules of the house, licences"
	@echo "make install   into PREFIX=$(PREFIX)"
	@echo "make install-wait   only the C library of waits, with its header and its pkg-config file"

build:
	@tools/install-packages.sh build
	$(CARGO) build --release -p unwedge -p unwedge-layer -p unwedge-wait-c

demo:
	@tools/install-packages.sh build demo
	$(CARGO) build --release -p unwedge -p unwedge-layer
	@tools/demo.sh $(RELEASE)/unwedge

test:
	@tools/install-packages.sh build test
	@tools/test.sh

truth:
	@tools/install-packages.sh build
	UNWEDGE_TRUTH_WRITE=1 UNWEDGE_TRUTH_SEEDS=$(SEEDS) $(CARGO) test -p unwedge-analyze --test truth -- --nocapture

bench:
	@tools/install-packages.sh build demo bench
	@tools/python-packages.sh $(TARGET_DIR)/python duckdb || echo "going on without DuckDB"
	$(CARGO) build --release -p unwedge -p unwedge-layer -p unwedge-scenarios -p unwedge-bench -p unwedge-terminal
	$(RELEASE)/unwedge-bench
	$(RELEASE)/unwedge-bench traces
	$(RELEASE)/unwedge-bench explore
	$(RELEASE)/unwedge-bench worlds
	$(RELEASE)/unwedge-bench waits
	$(RELEASE)/unwedge-bench terminal

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) test --quiet -p unwedge --test tidy
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --offline check licenses bans sources; \
	else echo "skipped: cargo-deny is not installed, so licences were not checked"; fi

# Only copies: run make build first, as the user who has the toolchain.
install: install-wait
	install -D -m 755 $(RELEASE)/unwedge $(DESTDIR)$(PREFIX)/bin/unwedge
	install -D -m 644 $(RELEASE)/libVkLayer_unwedge.so $(DESTDIR)$(PREFIX)/lib/unwedge/libVkLayer_unwedge.so
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	$(RELEASE)/unwedge man > $(DESTDIR)$(PREFIX)/share/man/man1/unwedge.1
	for verb in run explain diff import export sim layer; do $(RELEASE)/unwedge man $$verb \
		> $(DESTDIR)$(PREFIX)/share/man/man1/unwedge-$$verb.1 || exit 1; done
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(RELEASE)/unwedge completions bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/unwedge
	$(RELEASE)/unwedge completions zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_unwedge
	$(RELEASE)/unwedge completions fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/unwedge.fish

install-wait:
	install -D -m 755 $(RELEASE)/libunwedge_wait.so $(DESTDIR)$(PREFIX)/lib/libunwedge_wait.so
	install -D -m 644 $(RELEASE)/libunwedge_wait.a $(DESTDIR)$(PREFIX)/lib/libunwedge_wait.a
	install -D -m 644 crates/wait-c/include/unwedge_wait.h $(DESTDIR)$(PREFIX)/include/unwedge_wait.h
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' crates/wait-c/unwedge-wait.pc.in \
		> $(DESTDIR)$(PREFIX)/lib/pkgconfig/unwedge-wait.pc

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/lib/libunwedge_wait.so $(DESTDIR)$(PREFIX)/lib/libunwedge_wait.a \
		$(DESTDIR)$(PREFIX)/include/unwedge_wait.h $(DESTDIR)$(PREFIX)/lib/pkgconfig/unwedge-wait.pc
	rm -f $(DESTDIR)$(PREFIX)/bin/unwedge $(DESTDIR)$(PREFIX)/lib/unwedge/libVkLayer_unwedge.so \
		$(DESTDIR)$(PREFIX)/share/man/man1/unwedge.1 $(DESTDIR)$(PREFIX)/share/man/man1/unwedge-*.1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/unwedge \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_unwedge \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/unwedge.fish
