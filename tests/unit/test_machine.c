/* How much memory the machine, or the control group, has: read from files that stand for the kernel's. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/machine.h"
#include "suite.h"

static char dir[] = "/tmp/braid-machine-XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(in_dir(name), "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* /machine/braid, with no limits yet. */
static void begin(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(mkdir(in_dir("machine"), 0700), 0);
    ck_assert_int_eq(mkdir(in_dir("machine/braid"), 0700), 0);
    write_file("proc", "1:cpu:/\n0::/machine/braid\n");
}

static void end(void)
{
    const char *names[] = {"machine/braid/memory.max", "machine/memory.max", "proc"};

    for (unsigned i = 0; i < 3; i++)
        unlink(in_dir(names[i]));
    rmdir(in_dir("machine/braid"));
    rmdir(in_dir("machine"));
    rmdir(dir);
}

static size_t memory(void)
{
    char proc[256];

    snprintf(proc, sizeof(proc), "%s/proc", dir);
    return machine_memory(dir, proc);
}

static size_t physical(void)
{
    return (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
}

START_TEST(without_a_group_it_is_the_machines)
{
    ck_assert_uint_eq(memory(), physical());
    write_file("machine/braid/memory.max", "max\n");
    ck_assert_uint_eq(memory(), physical());
    write_file("proc", "");
    ck_assert_uint_eq(memory(), physical());
    ck_assert_uint_eq(machine_memory("/nonexistent", "/nonexistent"), physical());
}
END_TEST

START_TEST(a_groups_limit_counts_and_that_of_those_above)
{
    write_file("machine/braid/memory.max", "67108864\n");
    ck_assert_uint_eq(memory(), 64 << 20);
    write_file("machine/memory.max", "33554432\n");
    ck_assert_uint_eq(memory(), 32 << 20);
    write_file("machine/braid/memory.max", "16777216\n");
    ck_assert_uint_eq(memory(), 16 << 20);
    write_file("machine/braid/memory.max", "9223372036854775807\n");
    write_file("machine/memory.max", "max\n");
    ck_assert_uint_eq(memory(), physical());
}
END_TEST

int main(void)
{
    Suite *s = suite_create("machine");
    TCase *t = tcase_create("memory");

    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, without_a_group_it_is_the_machines);
    tcase_add_test(t, a_groups_limit_counts_and_that_of_those_above);
    suite_add_tcase(s, t);
    return run_suite(s);
}
