/* Policies of CPEs (role/policy.c), and what the kernel knows of who asks for a connection
 * (io/socket_owner.c, io/cgroups.c). */
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/cgroups.h"
#include "io/netlink.h"
#include "io/sockaddr.h"
#include "io/socket_owner.h"
#include "role/policy.h"
#include "suite.h"

/* ---- which one ---- */

static struct policy_asker asker;
static unsigned looks;

static void look(void *arg, struct policy_asker *out)
{
    (void)arg;
    looks++;
    *out = asker;
}

/* The place of the one that a connection comes under; -1: none. */
static int found(const struct policy *all, unsigned n, const char *meant, uint32_t programs)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(meant, &a), 0);
    looks = 0;
    const struct policy *p = policy_find(all, n, &a, programs, look, NULL);
    return p ? (int)(p - all) : -1;
}

static struct reach_rule rule(const char *ip, uint8_t bits, bool allow)
{
    struct reach_rule r = {.bits = bits, .allow = allow};
    ck_assert_int_eq(ip_parse(ip, &r.prefix), 0);
    return r;
}

START_TEST(the_first_whose_conditions_are_all_fulfilled_counts)
{
    struct policy all[] = {
        {.name = "mail", .ports = {{25, 25}, {465, 587}}, .n_ports = 2},
        {.name = "net", .to = {rule("192.0.2.9", 128, false), rule("192.0.2.0", 120, true)}, .n_to = 2},
        {.name = "not", .to = {rule("2001:db8::", 32, false)}, .n_to = 1, .ports = {{80, 80}}, .n_ports = 1},
    };
    ck_assert_int_eq(found(all, 3, "192.0.2.1:25", 0), 0);
    ck_assert_int_eq(found(all, 3, "192.0.2.1:500", 0), 0);
    ck_assert_int_eq(found(all, 3, "192.0.2.1:588", 0), 1);
    ck_assert_int_eq(found(all, 3, "192.0.2.9:588", 0), -1);
    ck_assert_int_eq(found(all, 3, "192.0.2.9:80", 0), 2);
    ck_assert_int_eq(found(all, 3, "[2001:db8::1]:80", 0), -1);
    ck_assert_int_eq(found(all, 3, "[2001:db9::1]:80", 0), 2);
    ck_assert_int_eq(found(all, 0, "192.0.2.1:25", 0), -1);
    ck_assert_uint_eq(looks, 0);
}
END_TEST

/* Finding out costs something, and nothing depends on it before. */
START_TEST(who_asks_is_looked_up_once_and_only_if_it_matters)
{
    const struct policy all[] = {
        {.name = "user", .users = {{1000, 1999}}, .n_users = 1, .ports = {{80, 81}}, .n_ports = 1},
        {.name = "group", .cgroups = {(char *)"a"}, .n_cgroups = 1, .ports = {{80, 80}}, .n_ports = 1},
        {.name = "rest"},
        {.name = "never", .users = {{0, 0}}, .n_users = 1},
    };
    asker = (struct policy_asker){.known = true, .user = 1999};
    ck_assert_int_eq(found(all, 4, "192.0.2.1:80", 0), 0);
    ck_assert_uint_eq(looks, 1);
    asker.user = 2000;
    ck_assert_int_eq(found(all, 4, "192.0.2.1:80", 0), 2);
    ck_assert_uint_eq(looks, 1);
    asker.cgroups = 1u << 1;
    ck_assert_int_eq(found(all, 4, "192.0.2.1:80", 0), 1);
    ck_assert_int_eq(found(all, 4, "192.0.2.1:82", 0), 2);
    ck_assert_uint_eq(looks, 0);
    asker = (struct policy_asker){.user = 1000, .cgroups = UINT32_MAX}; /* a device of the LAN */
    ck_assert_int_eq(found(all, 4, "192.0.2.1:80", 0), 2);
}
END_TEST

START_TEST(programs_are_named_by_their_file_or_by_its_path)
{
    const struct policy all[] = {
        {.name = "a", .programs = {(char *)"wget", (char *)"curl"}, .n_programs = 2},
        {.name = "b", .programs = {(char *)"/usr/bin/curl"}, .n_programs = 1},
        {.name = "c"},
    };
    ck_assert_uint_eq(policy_programs(all, 3, "/usr/bin/curl"), 3);
    ck_assert_uint_eq(policy_programs(all, 3, "/opt/curl"), 1);
    ck_assert_uint_eq(policy_programs(all, 3, "/usr/bin/curl2"), 0);
    ck_assert_uint_eq(policy_programs(all, 3, "curl"), 1);
    ck_assert_int_eq(found(all, 3, "192.0.2.1:80", 2), 1);
    ck_assert_int_eq(found(all, 3, "192.0.2.1:80", 0), 2);
}
END_TEST

/* ---- what the kernel knows ---- */

static struct braid_addr name_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_storage sa;
    struct braid_addr out;
    socklen_t len = sizeof(sa);
    ck_assert_int_eq(name(fd, (struct sockaddr *)&sa, &len), 0);
    ck_assert_int_eq(sockaddr_to((const struct sockaddr *)&sa, &out), 0);
    return out;
}

/* A socket of this family, connected to one of ours over loopback. -1: this machine has not this family. */
static int connected(int family, const char *host, int *listener)
{
    struct braid_addr a;
    struct sockaddr_storage sa;
    ck_assert_int_eq(addr_parse(host, &a), 0);
    *listener = socket(ip_is_v4(&a.ip) ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(*listener, (const struct sockaddr *)&sa, sockaddr_from(&a, &sa)) < 0) {
        close(*listener);
        return -1;
    }
    ck_assert_int_eq(listen(*listener, 1), 0);
    a = name_of(*listener, getsockname);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sockaddr_from(&a, &sa);
    if (family == AF_INET6 && ip_is_v4(&a.ip)) { /* as programs do that speak both with one socket */
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(a.port)};
        memcpy(&in6.sin6_addr, a.ip.b, 16);
        memcpy(&sa, &in6, sizeof(in6));
        len = sizeof(in6);
    }
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sa, len), 0);
    return fd;
}

static const struct {
    int family;
    const char *host;
} worlds[] = {{AF_INET, "127.0.0.1:0"}, {AF_INET6, "[::1]:0"}, {AF_INET6, "127.0.0.1:0"}};

START_TEST(the_kernel_tells_whose_a_connection_is)
{
    int listener, fd = connected(worlds[_i].family, worlds[_i].host, &listener);
    struct netlink *nl = socket_owner_open();
    struct socket_owner owner = {.user = 17};
    if (fd < 0 || !nl || socket_owner_check() < 0) {
        ck_assert_ptr_nonnull(nl);
        netlink_close(nl);
        return; /* a kernel without IPv6, or without tcp_diag */
    }
    struct braid_addr local = name_of(fd, getsockname), remote = name_of(fd, getpeername);
    ck_assert_int_eq(socket_owner_find(nl, &local, &remote, &owner), 0);
    ck_assert_uint_eq(owner.user, getuid());
    struct braid_addr other = remote;
    other.port ^= 1;
    ck_assert(socket_owner_find(nl, &local, &other, &owner) < 0 && errno == ENOENT);
    close(fd); /* what the kernel still finishes is nobody's */
    ck_assert(socket_owner_find(nl, &local, &remote, &owner) < 0 && errno == ENOENT);
    close(listener);
    netlink_close(nl);
}
END_TEST

/* ---- control groups ---- */

static char root[] = "/tmp/braid-cgroups-XXXXXX";

static uint64_t make(const char *path)
{
    char all[128];
    struct stat st;
    snprintf(all, sizeof(all), "%s/%s", root, path);
    ck_assert(mkdir(all, 0700) == 0 && stat(all, &st) == 0);
    return st.st_ino;
}

static void make_file(const char *path)
{
    char all[128];
    snprintf(all, sizeof(all), "%s/%s", root, path);
    int fd = open(all, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void drop(const char *path)
{
    char all[128];
    snprintf(all, sizeof(all), "%s/%s", root, path);
    ck_assert_int_eq(remove(all), 0);
}

START_TEST(a_group_is_within_those_above_it)
{
    strcpy(root + strlen(root) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    uint64_t top = make("a"), mid = make("a/b"), low = make("a/b/c"), other = make("ab");
    make_file("a/pids");
    struct cgroups *cg = cgroups_new(root);
    ck_assert(cgroups_add(cg, "a", 0) == 0 && cgroups_add(cg, "/a/b", 1) == 0 &&
              cgroups_add(cg, "later", 2) == 0);
    ck_assert_uint_eq(cgroups_of(cg, top), 1);
    ck_assert_uint_eq(cgroups_of(cg, mid), 3);
    ck_assert_uint_eq(cgroups_of(cg, low), 3);
    ck_assert_uint_eq(cgroups_of(cg, other), 0);
    ck_assert_uint_eq(cgroups_of(cg, 0), 0);
    ck_assert_uint_eq(cgroups_of(cg, make("later")), 4);
    drop("a/b/c"); /* what is known is not looked up again */
    ck_assert_uint_eq(cgroups_of(cg, low), 3);
    cgroups_free(cg);
    const char *left[] = {"a/b", "a/pids", "a", "ab", "later", ""};
    for (unsigned i = 0; i < sizeof(left) / sizeof(left[0]); i++)
        drop(left[i]);
}
END_TEST

/* The group in this place of the root's directory as it is read. */
static void nth_of_root(unsigned n, char name[64])
{
    DIR *dir = opendir(root);
    const struct dirent *e;
    while ((e = readdir(dir)))
        if (e->d_name[0] != '.' && n-- == 0)
            snprintf(name, 64, "%.63s", e->d_name);
    closedir(dir);
}

/* Who makes many groups has the last of them not found, instead of keeping everybody waiting. */
START_TEST(a_look_ends)
{
    char first[64], last[64], path[80];
    strcpy(root + strlen(root) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    for (unsigned i = 0; i <= CGROUPS_LOOK; i++) {
        snprintf(path, sizeof(path), "%u", i);
        make(path);
    }
    nth_of_root(0, first);
    nth_of_root(CGROUPS_LOOK, last);
    struct cgroups *cg = cgroups_new(root);
    ck_assert_int_eq(cgroups_add(cg, "", 0), 0);
    snprintf(path, sizeof(path), "%s/x", first);
    uint64_t early = make(path);
    snprintf(path, sizeof(path), "%s/x", last);
    ck_assert_uint_eq(cgroups_of(cg, early), 1);
    ck_assert_uint_eq(cgroups_of(cg, make(path)), 0);
    drop(path);
    snprintf(path, sizeof(path), "%s/x", first);
    drop(path);
    cgroups_free(cg);
    for (unsigned i = 0; i <= CGROUPS_LOOK; i++) {
        snprintf(path, sizeof(path), "%u", i);
        drop(path);
    }
    drop("");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("policy");
    TCase *t = tcase_create("policy");
    tcase_add_test(t, the_first_whose_conditions_are_all_fulfilled_counts);
    tcase_add_test(t, who_asks_is_looked_up_once_and_only_if_it_matters);
    tcase_add_test(t, programs_are_named_by_their_file_or_by_its_path);
    tcase_add_loop_test(t, the_kernel_tells_whose_a_connection_is, 0, sizeof(worlds) / sizeof(worlds[0]));
    tcase_add_test(t, a_group_is_within_those_above_it);
    tcase_add_test(t, a_look_ends);
    suite_add_tcase(s, t);
    return run_suite(s);
}
