# Braid. "sudo make demo" and "sudo make check" need nothing but make and git; "make help" lists the targets.
ifeq ($(origin CC),default)
CC      := gcc
endif
CLANG   ?= clang
OBJCOPY ?= objcopy
B       ?= build
OPT     ?= -O2 -g
JOBS    := $(shell nproc)
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
# Against what a fault of our own could be used for. The sanitizers look closer themselves, and -D_FORTIFY_SOURCE
# needs an optimising compiler.
HARDEN  := -fstack-protector-strong -fPIE $(if $(SAN),,$(if $(filter-out -O0,$(filter -O%,$(OPT))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
# The daemon is optimised as a whole: most of the functions on a packet's way are called from other files. Its objects
# hold machine code as well, for everything that is linked without that; clang needs version 17 for such objects.
LTO     ?= $(if $(SAN)$(findstring clang,$(CC))$(filter -O0,$(OPT)),,-flto=auto -ffat-lto-objects)
CFLAGS  += -std=gnu11 $(OPT) $(HARDEN) $(WARN) -fno-strict-aliasing -pthread -MMD -MP $(SAN)
CPPFLAGS += -Iinclude -Isrc -D_GNU_SOURCE
LDFLAGS += $(SAN) $(if $(LTO),-fno-lto) -pthread -pie -Wl,-z,relro,-z,now
CORE    := base wire tcp mptcp core cc sched pm record
SHELLS  := app io relay role service conf admin
SHELL_LIBS := -levent -levent_pthreads -levent_openssl -lssl -linih -lmnl -lnftables -lcares -lcap-ng -lseccomp
core_src  := $(wildcard $(CORE:%=src/%/*.c)) $(wildcard src/plugins.c)
daemon_src := $(wildcard $(SHELLS:%=src/%/*.c))
wiring_obj := $(B)/src/confine.o $(B)/src/main.o $(B)/src/reload.o $(B)/src/successor.o
ctl_src   := $(wildcard src/ctl/*.c)
core_obj  := $(core_src:%.c=$(B)/%.o)
page_obj  := $(B)/src/admin/page_files.o
daemon_obj := $(daemon_src:%.c=$(B)/%.o) $(page_obj)
ctl_obj   := $(ctl_src:%.c=$(B)/%.o)
# What programs load (libbraid-socket). The tests link it as the archive does.
socket_src := $(wildcard src/socket/*.c src/app/*.c) src/base/addr.c src/base/hash.c src/base/targets.c src/io/sockaddr.c
socket_so_obj := $(patsubst %.c,$(B)/lib/%.o,$(filter-out %/real_call.c,$(socket_src)))
socket_a_obj := $(patsubst %.c,$(B)/lib/%.o,$(filter-out %/preload.c %/real_next.c,$(socket_src)))
shell_obj := $(daemon_obj) $(filter-out %/braidctl.o,$(ctl_obj)) \
	$(patsubst %.c,$(B)/%.o,$(filter-out %/preload.c %/real_next.c,$(wildcard src/socket/*.c)))
unit_bin  := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
# What the tests share: the simulator and the models of links. Who wants something of it, links with all of it.
test_obj  := $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c tests/lab/*.c))
sim_obj   := $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/run/*.c))
probe_obj := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lab/probe/*.c))
linkem_obj := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lab/linkem/*.c))
example_bin := $(patsubst docs/examples/%.c,$(B)/examples/%,$(wildcard docs/examples/*.c))
program_bin := $(patsubst docs/examples/socket/%.c,$(B)/examples/socket/%,$(wildcard docs/examples/socket/*.c))
pkt_obj   := $(patsubst %.c,$(B)/%.o,$(wildcard tests/packets/*.c))
load_obj  := $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/load/*.c))
study_obj := $(patsubst %.c,$(B)/%.o,$(wildcard tests/study/*.c docs/examples/schedulers/*.c))
fairness_obj := $(patsubst %.c,$(B)/%.o,$(wildcard tests/fairness/*.c))
replay_obj := $(patsubst %.c,$(B)/%.o,$(wildcard src/replay/*.c))
replaying_obj := $(filter-out %/replay.o,$(replay_obj))
attack_obj := $(patsubst %.c,$(B)/%.o,$(wildcard tests/attack/*.c))
core_fuzz_obj := $(patsubst %.c,$(B)/%.o,$(wildcard tests/fuzz/core_*.c))
fuzz_bin  := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
ASAN      := SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" B=build-asan

.PHONY: all help tests unit packets recordings examples sim sim-record attack study lab-check lab-study check e2e e2e-long bench home-study asan tsan layers purity headers conformance format lint demo demo-cpe deps clean fuzz fuzzers
.SECONDARY:
all: $(B)/libbraid.a $(B)/braidd $(B)/braidctl $(B)/braid-connect $(B)/libbraid-socket.so $(B)/libbraid-socket.a $(B)/replay ## build the daemon, its control program, the core library and that for programs, braid-connect, and replay

help: ## list the targets
	@cat Makefile deploy/*.mk | sed -n 's/^\([a-z][a-z0-9-]*\):.*## /\1|/p' | awk -F'|' '{ printf "%-12s %s\n", $$1, $$2 }'

# An embedder may make a shared object of it. Nobody replaces its functions there, so they are still inlined.
# Objects that were made with other flags are made again. The library holds machine code alone: what gcc wrote for the
# optimisation of the whole is read by the same version of it only, and brings our flags into others' links.
$(core_obj): Makefile
$(core_obj): CFLAGS += -fPIC -fno-semantic-interposition
$(core_obj) $(daemon_obj) $(wiring_obj): CFLAGS += $(LTO)
$(B)/libbraid.a: $(core_obj)
	@rm -f $@
	$(AR) rcs $@ $^
	$(if $(LTO),objcopy --wildcard --remove-section='.gnu.lto_*' --remove-section='.gnu.debuglto_*' $@)
$(B)/libshell.a: $(shell_obj)
	@rm -f $@
	$(AR) rcs $@ $^
$(B)/braidd: $(wiring_obj) $(daemon_obj) $(core_obj)
	$(CC) $(LDFLAGS) $(if $(LTO),$(OPT) $(HARDEN) $(LTO)) -o $@ $^ $(SHELL_LIBS) -lcrypto -lm
$(B)/braidctl: $(ctl_obj) $(B)/libbraid.a
	$(CC) $(LDFLAGS) -o $@ $^ -lssl -lcrypto
$(B)/braid-connect: $(B)/src/connect/braid-connect.o $(B)/libbraid-socket.a
	$(CC) $(LDFLAGS) -o $@ $^
$(B)/replay: $(replay_obj) $(B)/libbraid.a
	$(CC) $(LDFLAGS) -o $@ $^ -lcrypto -lm
# Programs bring neither our sanitizers nor our optimiser, and see nothing but what the header declares.
$(B)/lib/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(filter-out $(SAN) -fPIE,$(CFLAGS)) -fPIC -fvisibility=hidden -c -o $@ $<
$(B)/libbraid-socket.so: $(socket_so_obj)
	$(CC) -shared -pthread -Wl,-z,defs,-z,relro,-z,now -Wl,-soname,libbraid-socket.so.1 -o $@ $^
$(B)/libbraid-socket.a: $(socket_a_obj)
	@rm -f $@
	$(LD) -r -o $(B)/lib/braid-socket.o $^
	$(OBJCOPY) --localize-hidden $(B)/lib/braid-socket.o
	$(AR) rcs $@ $(B)/lib/braid-socket.o
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
# The page in the browser is in the daemon, and so is the library that draws its charts.
DYGRAPHS ?= /usr/share/javascript/dygraphs
dygraphs  := $(DYGRAPHS)/dygraph.min.js $(DYGRAPHS)/dygraph.min.css
$(dygraphs):
	@echo "$@ is missing: install the package libjs-dygraphs (deploy/install-deps.sh build), or say DYGRAPHS=its folder" >&2
	@exit 1
$(page_obj): src/admin/page_files.S $(wildcard src/admin/page/*) $(dygraphs)
	@mkdir -p $(@D)
	$(CC) -Wa,-Isrc/admin/page -Wa,-I$(DYGRAPHS) -c -o $@ $<
# The simulator runs races, and what is learned by them: both are sans IO as the core is.
sans_io_roles := race race_questions race_sights learned learned_steer
$(B)/libtest.a: $(test_obj) $(sans_io_roles:%=$(B)/src/role/%.o)
	@rm -f $@
	$(AR) rcs $@ $^
# Libraries may want each other.
LINK = $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group
$(B)/unit/%: $(B)/tests/unit/%.o $(B)/libtest.a $(B)/libshell.a $(B)/libbraid.a
	@mkdir -p $(@D)
	$(LINK) -lcheck -lm -lrt -lsubunit $(SHELL_LIBS) -lcrypto
$(B)/unit/test_replay: $(replaying_obj)
$(B)/fuzz/fuzz_core $(B)/fuzz/fuzz_thaw: $(core_fuzz_obj)
$(B)/fuzz/fuzz_thaw: $(B)/tests/fuzz/state_change.o
$(B)/fuzz/fuzz_thaw_edge $(B)/fuzz/fuzz_thaw_cpe: $(patsubst %,$(B)/tests/fuzz/%.o,asserts node_state state_change)
$(B)/fuzz/fuzz_thaw_edge $(B)/fuzz/fuzz_thaw_cpe: LIBS = $(SHELL_LIBS)
$(B)/fuzz/fuzz_recording: $(replaying_obj)
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(B)/libtest.a $(B)/libshell.a $(B)/libbraid.a
	@mkdir -p $(@D)
	$(LINK) -fsanitize=fuzzer $(LIBS) -lcrypto -lm
# It dials nobody, and lives by its own clock.
$(B)/fuzz/fuzz_converter: LDFLAGS += -Wl,--wrap=dial_new,--wrap=dial_begin,--wrap=dial_free,--wrap=clock_now
$(B)/fuzz/fuzz_converter: LIBS = $(SHELL_LIBS)
# Their connections may begin where data sequence numbers wrap (tests/sim/idsn.h).
$(B)/sim $(B)/study $(B)/fairness $(B)/pkt $(B)/fuzz/fuzz_core $(B)/fuzz/fuzz_thaw: LDFLAGS += -Wl,--wrap=mptcp_key_derive,--wrap=mptcp_key_derive_sha1
# These see every piece of memory.
$(B)/attack: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
# It runs CPEs, too, as the daemon has them.
$(B)/sim: $(sim_obj) $(B)/libshell.a
$(B)/sim: LIBS = $(SHELL_LIBS)
$(B)/linkem: $(linkem_obj)
$(B)/pkt: $(pkt_obj)
$(B)/study: $(study_obj) $(B)/libshell.a
$(B)/study: LIBS = $(SHELL_LIBS)
$(B)/fairness: $(fairness_obj)
$(B)/attack: $(attack_obj)
$(B)/sim $(B)/linkem $(B)/pkt $(B)/study $(B)/fairness $(B)/attack: $(B)/libtest.a $(B)/libbraid.a
	$(LINK) $(LIBS) -lcrypto -lm
$(B)/probe: $(probe_obj)
	$(LINK)
$(B)/bench/server: $(B)/tests/bench/server.o
$(B)/bench/client: $(load_obj)
$(B)/bench/stack: $(B)/tests/bench/stack.o $(B)/libbraid.a
$(B)/bench/stack: LIBS = -lcrypto -lm
$(B)/bench/mptcp_listen.so: tests/bench/mptcp_listen.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(OPT) $(WARN) -fPIC -shared -o $@ $<
$(B)/bench/server $(B)/bench/client $(B)/bench/stack:
	@mkdir -p $(@D)
	$(LINK) $(LIBS)

tests: $(unit_bin) $(program_bin) $(B)/sim $(B)/fairness $(B)/pkt $(B)/attack $(B)/study $(B)/linkem $(B)/probe
unit: $(unit_bin) ## run the unit tests
	@tests/unit/run $(JOBS) $(unit_bin)

sim: $(B)/sim $(B)/fairness ## simulate the stack in virtual time: SEEDS=runs MB_SEEDS=of each mb_, race_, up_ and relay_ family SEED=first FAMILY=name
	$(B)/sim -n $(or $(SEEDS),480) $(SEED:%=-s %) $(FAMILY:%=-f %)
	$(if $(FAMILY),,$(B)/sim -F mb_ -n $(or $(MB_SEEDS),200) $(SEED:%=-s %))
	$(if $(FAMILY),,$(B)/sim -F race_ -n $(or $(MB_SEEDS),200) $(SEED:%=-s %))
	$(if $(FAMILY),,$(B)/sim -F up_ -n $(or $(MB_SEEDS),200) $(SEED:%=-s %))
	$(if $(FAMILY),,$(B)/sim -F relay_ -n $(or $(MB_SEEDS),200) $(SEED:%=-s %))
	$(if $(FAMILY),,$(B)/sim --handover 5 -n $(or $(HANDOVER_SEEDS),120) $(SEED:%=-s %))
	$(if $(FAMILY),,$(B)/sim --version-0 -n $(or $(VERSION_0_SEEDS),120) $(SEED:%=-s %))
	$(if $(FAMILY),,$(B)/sim --no-version -n $(or $(VERSION_0_SEEDS),120) $(SEED:%=-s %))
	$(if $(FAMILY),,$(B)/sim --record -n $(or $(RECORD_SEEDS),48) $(SEED:%=-s %))
	$(if $(FAMILY)$(SEEDS),,$(B)/fairness)

sim-record: $(B)/sim ## record simulated connections, and have them done again: the same packets; SEEDS=runs
	$(B)/sim --record -n $(or $(SEEDS),500) $(SEED:%=-s %)
	$(B)/sim --record -F mb_ -n $(or $(MB_SEEDS),20) $(SEED:%=-s %)
	$(B)/sim --record -F race_ -n $(or $(MB_SEEDS),20) $(SEED:%=-s %)
	$(B)/sim --record -F up_ -n $(or $(MB_SEEDS),20) $(SEED:%=-s %)
	$(B)/sim --record -F relay_ -n $(or $(MB_SEEDS),20) $(SEED:%=-s %)

recordings: $(B)/replay ## play recordings of connections to the core as it is, and compare what comes of it (docs/recorder.md); ACCEPT=NAME: takes that as what is expected
	@$(B)/replay $(if $(ACCEPT),--accept $(ACCEPT:%=tests/recordings/%.test),--test $(wildcard tests/recordings/*.test))

packets: $(B)/pkt ## run the packet scripts
	@$(B)/pkt $(wildcard tests/packets/*.pkt)
	@$(B)/pkt -f $(wildcard tests/packets/bad/*.pkt)

# Only what an embedder has: the public headers and the library.
$(B)/examples/%: docs/examples/%.c $(B)/libbraid.a $(wildcard include/braid/*.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(OPT) $(WARN) -Iinclude $(SAN) -o $@ $(filter %.c,$^) $(B)/libbraid.a -lcrypto -lm
$(B)/examples/libembedder.so: $(B)/libbraid.a
	@mkdir -p $(@D)
	$(CC) -shared $(SAN) -Wl,-z,text -o $@ -Wl,--whole-archive $< -Wl,--no-whole-archive -lcrypto -lm
$(B)/examples/%-shared: docs/examples/%.c $(B)/examples/libembedder.so $(wildcard include/braid/*.h)
	$(CC) -std=gnu11 $(OPT) $(WARN) -Iinclude $(SAN) -o $@ $(filter %.c,$^) $(B)/examples/libembedder.so -Wl,-rpath,'$$ORIGIN' -lm
$(B)/examples/learner $(B)/examples/learner-shared: docs/examples/schedulers/learner.c
# ... or what a program has that talks to the daemon. They are run end to end (tests/e2e/test_app_examples.py).
$(B)/examples/socket/%: docs/examples/socket/%.c docs/examples/socket/example.h $(B)/libbraid-socket.a $(wildcard include/braid/*.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(OPT) $(WARN) -Iinclude -o $@ $< $(B)/libbraid-socket.a -pthread
examples: $(example_bin) $(example_bin:%=%-shared) $(program_bin) ## build docs/examples; run those of the core, compare with the output beside each
	@for e in $(example_bin) $(example_bin:%=%-shared); do o=$${e##*/}; \
		$$e | diff docs/examples/$${o%-shared}.out - || exit 1; done

lab-check: $(B)/linkem $(B)/probe ## measure the lab's links: rate, delay, loss and the rest; LONG=1: longer (needs root)
	tests/lab/check $(LONG:%=--long)

lab-study: all $(B)/linkem ## beside HAProxy over the lab's paths, the kernel as client; writes docs/study/kernel.md (root; two hours); SCENARIO=name: that one; AGAIN=1: write what is stored
	tests/lab/study $(ROUNDS:%=--rounds %) $(LAB_JOBS:%=--jobs %) $(SCENARIO:%=--scenario %) $(AGAIN:%=--again)

attack: $(B)/attack ## attack a core in virtual time, beside an honest client; TABLE=1: as the table of docs/security.md
	@$(B)/attack $(TABLE:%=--markdown)

study: ## measure every scheduler and congestion control in virtual time, write docs/study.md; STUDY=quick: the bars only, STUDY=situations: these only; SCHED=name: that scheduler beside the default
	@deploy/install-deps.sh study
	@$(MAKE) --no-print-directory -s -j$(JOBS) $(B)/study $(B)/fairness
	@BRAID_BUILD=$(B) tests/study/run $(STUDY:%=--%) $(SCHED:%=--sched %)

# A second make with its own compiler and folder builds the fuzzers; tests/fuzz/run runs them.
fuzz: ## fuzz the parsers, FUZZ_SECONDS=seconds for each fuzzer, FUZZ_SEED=number
	@$(MAKE) --no-print-directory -s -j$(JOBS) CC=$(CLANG) B=build-fuzz \
		SAN="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" fuzzers
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) tests/fuzz/run build-fuzz/fuzz
fuzzers: $(fuzz_bin)

# Packages may appear while these run, so what needs them is left to a second make.
check: ## install what is missing, build, pass every test (needs root; less than ten minutes)
	@deploy/install-deps.sh check
	$(MAKE) -j$(JOBS) all tests
	$(MAKE) -k unit packets recordings examples sim attack lab-check layers purity headers conformance e2e
demo: ## install what is missing, build, show the main job with two paths (needs root; two minutes)
	@deploy/install-deps.sh demo
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@deploy/demo/run
demo-cpe: ## the same for a home with three uplinks whose devices know nothing of MPTCP (needs root; two minutes)
	@deploy/install-deps.sh demo
	@$(MAKE) --no-print-directory -s -j$(JOBS) all $(B)/linkem
	@deploy/demo/cpe
e2e: all $(program_bin) $(B)/linkem ## the quick end-to-end tests against the kernel's MPTCP, in network namespaces (needs root)
	tests/e2e/run
e2e-long: all $(program_bin) $(B)/linkem ## all the end-to-end tests; installs what they need; AGAIN=N: what failed is run N times again; WITHIN=SECONDS: none begins after that
	@deploy/install-deps.sh long
	tests/e2e/run --long $(AGAIN:%=--again %) $(WITHIN:%=--within %)
bench: ## compare with HAProxy, a CPE with Shadowsocks, programs with and without the library; BENCH=quick: in about a minute; BENCH=gate: counts that may not grow (needs root; half an hour)
	@deploy/install-deps.sh bench
	$(MAKE) -j$(JOBS) all $(B)/bench/client $(B)/bench/server $(B)/bench/stack $(B)/bench/mptcp_listen.so
	tests/bench/run $(BENCH:%=--%)
home-study: ## a home with three uplinks, beside Shadowsocks on the kernel's MPTCP; writes docs/study/home.md (root; ten minutes)
	@deploy/install-deps.sh home
	@$(MAKE) --no-print-directory -s -j$(JOBS) all $(B)/linkem
	tests/home/run $(ROUNDS:%=--rounds %)
asan: ## unit and end-to-end tests under the address and undefined-behaviour sanitizers
	$(MAKE) -j$(JOBS) $(ASAN) all tests
	$(MAKE) -k $(ASAN) unit packets recordings examples sim SEEDS=$(or $(SEEDS),120) MB_SEEDS=$(or $(MB_SEEDS),50)
	BRAID_BUILD=build-asan tests/e2e/run

# Of the unit tests those that have threads.
tsan_unit := log mailbox worker closer socket_chaos
tsan: ## connections, questions, changes and the end at the same time, under the thread sanitizer (needs root)
	$(MAKE) -j$(JOBS) SAN="-fsanitize=thread" B=build-tsan all $(tsan_unit:%=build-tsan/unit/test_%)
	@tests/unit/run $(JOBS) $(tsan_unit:%=build-tsan/unit/test_%)
	BRAID_BUILD=build-tsan tests/e2e/run --long -k '^threads'

layers: all $(patsubst %.c,$(B)/%.o,$(wildcard src/socket/*.c)) ## check who includes whom, and that no folder has rings of calls or includes
	@python3 tests/checks/layers.py
	@python3 tests/checks/rings.py $(B)
purity: $(B)/libbraid.a ## check that the core reaches no clock, socket, thread or stream
	@python3 tests/checks/purity.py $<
headers: ## check that each header compiles alone
	@python3 tests/checks/headers.py $(CC) $(CLANG)
conformance: ## check that each row of docs/conformance.md names tests that exist
	@python3 tests/checks/conformance.py --self-test
	@python3 tests/checks/conformance.py
format: ## lay out the C sources
	git ls-files '*.c' '*.h' | xargs -r clang-format -i
lint: ## check layout, length of functions, syntax of scripts, and that files have unit tests
	@python3 tests/checks/style.py
	@python3 tests/checks/tested.py
	@python3 tests/checks/essence.py --self-test

deps: ## install everything that any target needs
	@deploy/install-deps.sh ci
include deploy/install.mk deploy/packages.mk
clean: ## remove what was built
	rm -rf build build-*

# Not those of the copy that packages are made of, nor folders of the systems in which they are tried.
-include $(shell find $(B) -path $(B)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
