/* Other layers that move connections, as the kernel's list of raw sockets shows them (io/multihoming.c). */
#include "io/multihoming.h"
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "suite.h"

#define HEAD                                                                                                 \
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define REST         " 00000000:00000000 00:00000000 00000000     0        0 38475 2 0000000000000000 0\n"
#define V4(protocol) "  139: 00000000:" protocol " 00000000:0000 07" REST
#define V6(protocol)                                                                                         \
    "   58: 00000000000000000000000000000000:" protocol " 00000000000000000000000000000000:0000 07" REST

static char folder[] = "/tmp/braid-multihoming-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void drop(const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    remove(path);
}

static const struct {
    const char *raw, *raw6;
    unsigned found;
} files[] = {
    {HEAD, HEAD, 0},
    {HEAD V4("0001"), HEAD V6("003A") V6("00FF"), 0},
    {HEAD V4("008B"), HEAD, MULTIHOMING_HIP},
    {HEAD V4("0001"), HEAD V6("003A") V6("008C"), MULTIHOMING_SHIM6},
    {HEAD, HEAD V6("0087") V6("008B"), MULTIHOMING_MOBILE | MULTIHOMING_HIP},
    {HEAD "nonsense: 140\n 1: :008C\n", "", 0},
    {NULL, NULL, 0},
};

START_TEST(daemons_show_by_the_protocols_of_their_sockets)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    if (files[_i].raw) {
        put("raw", files[_i].raw);
        put("raw6", files[_i].raw6);
    }
    ck_assert_uint_eq(multihoming_look(folder), files[_i].found);
    drop("raw");
    drop("raw6");
    rmdir(folder);
}
END_TEST

/* The kernel's own files have this form. */
START_TEST(the_kernel_shows_a_socket_of_ours)
{
    unsigned before = multihoming_look("/proc/net");
    int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, 140);
    if (fd < 0 || (before & MULTIHOMING_SHIM6))
        return; /* without the privilege, or where one is in use */
    ck_assert_uint_eq(multihoming_look("/proc/net"), before | MULTIHOMING_SHIM6);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("multihoming");
    TCase *t = tcase_create("multihoming");
    tcase_add_loop_test(t, daemons_show_by_the_protocols_of_their_sockets, 0,
                        sizeof(files) / sizeof(files[0]));
    tcase_add_test(t, the_kernel_shows_a_socket_of_ours);
    suite_add_tcase(s, t);
    return run_suite(s);
}
