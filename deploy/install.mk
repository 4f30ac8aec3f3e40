# Where "make install" puts things. Each folder can be named by itself: PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu.
# DESTDIR comes before all of them, and is written nowhere. The configuration is where braidd looks for it, in /etc.
PREFIX      ?= /usr/local
BINDIR      ?= $(PREFIX)/bin
SBINDIR     ?= $(PREFIX)/sbin
LIBDIR      ?= $(PREFIX)/lib
INCLUDEDIR  ?= $(PREFIX)/include
DATADIR     ?= $(PREFIX)/share
MANDIR      ?= $(DATADIR)/man
# systemd looks below /usr and /usr/local, and nowhere else but in /etc.
SYSTEMD     := $(if $(filter /usr /usr/local,$(PREFIX)),$(PREFIX)/lib,/etc)
UNITDIR     ?= $(SYSTEMD)/systemd/system
SYSUSERSDIR ?= $(SYSTEMD)/sysusers.d
BASHDIR     ?= $(DATADIR)/bash-completion/completions
ZSHDIR      ?= $(DATADIR)/zsh/site-functions
# What programs of ours run that nobody calls by hand, beside SBINDIR, where braid-steer looks for it.
PARTSDIR    := $(dir $(SBINDIR))lib/braid
VERSION     := $(shell sed -n 's/^.define BRAID_VERSION "\(.*\)"/\1/p' include/braid/version.h)

put := install -D -m 644
run := install -D -m 755
# What a text that has been put in place says of folders becomes what they are here.
settle := sed -i -e 's|/usr/local/sbin/|$(SBINDIR)/|g' -e 's|/usr/local/bin/|$(BINDIR)/|g' -e 's|/usr/local/lib/lib|$(LIBDIR)/lib|g' \
	-e 's|/usr/local/lib/braid/|$(PARTSDIR)/|g' \
	-e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|'

.PHONY: install install-programs install-library install-data install-completion
install: install-programs install-library install-data install-completion ## into DESTDIR/PREFIX (/usr/local); docs/install.md has the names of the other folders
install-programs: all
	$(run) -t $(DESTDIR)$(SBINDIR) $(B)/braidd deploy/braid-steer
	$(run) -t $(DESTDIR)$(BINDIR) $(B)/braidctl $(B)/braid-connect deploy/braidrun
	$(settle) $(DESTDIR)$(BINDIR)/braidrun
	$(put) -t $(DESTDIR)$(PARTSDIR)/steer deploy/steer/*.sh
	$(run) -t $(DESTDIR)$(PARTSDIR) deploy/cluster/braid-cluster
install-library: all
	$(put) $(B)/libbraid-socket.so $(DESTDIR)$(LIBDIR)/libbraid-socket.so.1
	ln -sf libbraid-socket.so.1 $(DESTDIR)$(LIBDIR)/libbraid-socket.so
	$(put) -t $(DESTDIR)$(LIBDIR) $(B)/libbraid-socket.a $(B)/libbraid.a
	$(put) -t $(DESTDIR)$(INCLUDEDIR)/braid include/braid/*.h
	for name in braid braid-socket; do \
		$(put) deploy/pkgconfig/$$name.pc.in $(DESTDIR)$(LIBDIR)/pkgconfig/$$name.pc && \
		$(settle) $(DESTDIR)$(LIBDIR)/pkgconfig/$$name.pc || exit 1; done
# A configuration that is there is somebody's.
install-data:
	[ -e $(DESTDIR)/etc/braid/braid.ini ] || $(put) conf/braid.ini $(DESTDIR)/etc/braid/braid.ini
	$(put) -t $(DESTDIR)$(UNITDIR) deploy/braid.service
	$(settle) $(DESTDIR)$(UNITDIR)/braid.service
	$(put) deploy/braid.sysusers $(DESTDIR)$(SYSUSERSDIR)/braid.conf
	for section in 1 3 5 8; do $(put) -t $(DESTDIR)$(MANDIR)/man$$section docs/man/*.$$section || exit 1; done
	$(put) -t $(DESTDIR)$(DATADIR)/braid deploy/grafana/braid.json deploy/prometheus/braid.rules.yml
	$(put) -t $(DESTDIR)$(DATADIR)/braid/cluster deploy/cluster/*.conf deploy/cluster/braid-cluster.service
	$(settle) $(DESTDIR)$(DATADIR)/braid/cluster/keepalived.conf $(DESTDIR)$(DATADIR)/braid/cluster/braid-cluster.service
# bash looks for a file of the program's name.
install-completion:
	$(run) -t $(DESTDIR)$(PARTSDIR) deploy/completion/complete
	$(put) deploy/completion/braid.bash $(DESTDIR)$(BASHDIR)/braidctl
	$(put) -t $(DESTDIR)$(ZSHDIR) deploy/completion/_braid
	$(settle) $(DESTDIR)$(BASHDIR)/braidctl $(DESTDIR)$(ZSHDIR)/_braid
	for program in braidd braidrun braid-steer braid-connect; do ln -sf braidctl $(DESTDIR)$(BASHDIR)/$$program || exit 1; done
