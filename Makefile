# Braid. Targets: all check sim fuzz asan e2e demo bench layers purity headers format lint deps install clean.
CC      ?= gcc
B       ?= build
OPT     ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
CFLAGS  += -std=gnu11 $(OPT) $(WARN) -fno-strict-aliasing -pthread -MMD -MP $(SAN)
CPPFLAGS += -Iinclude -Isrc -D_GNU_SOURCE
LDFLAGS += $(SAN) -pthread
CORE    := base wire tcp mptcp core cc sched pm
SHELLS  := io relay conf admin
core_src  := $(wildcard $(CORE:%=src/%/*.c)) $(wildcard src/plugins.c)
daemon_src := $(wildcard $(SHELLS:%=src/%/*.c)) $(wildcard src/main.c)
ctl_src   := $(wildcard src/ctl/*.c)
core_obj  := $(core_src:%.c=$(B)/%.o)
daemon_obj := $(daemon_src:%.c=$(B)/%.o)
ctl_obj   := $(ctl_src:%.c=$(B)/%.o)
unit_bin  := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all unit
all: $(B)/libbraid.a $(B)/braidd $(B)/braidctl

$(B)/libbraid.a: $(core_obj)
	@rm -f $@
	$(AR) rcs $@ $^
$(B)/braidd: $(daemon_obj) $(B)/libbraid.a
	$(CC) $(LDFLAGS) -o $@ $^ -levent -levent_pthreads -linih -lcrypto
$(B)/braidctl: $(ctl_obj) $(B)/libbraid.a
	$(CC) $(LDFLAGS) -o $@ $^
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(B)/unit/%: $(B)/tests/unit/%.o $(B)/libbraid.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lcheck -lm -lrt -lsubunit -lcrypto

unit: $(unit_bin)
	@set -e; for t in $(unit_bin); do $$t; done

-include $(shell find $(B) -name '*.d' 2>/dev/null)
