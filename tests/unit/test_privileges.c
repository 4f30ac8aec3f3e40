/* service/privileges: what a process may do once it has settled, each time in a child of its own. Needs root
 * but for the first. */
#include <check.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "service/privileges.h"
#include "in_child.h"
#include "suite.h"

#define BIT(cap) (1ull << (cap))

static char dir[64], control[96], state_dir[96];
static struct daemon_params daemon_params;
static struct privileges_params params;
static char error[SERVICE_ERROR];

static void setup(void)
{
    strcpy(dir, "/tmp/braid-privileges-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chmod(dir, 0755), 0);
    snprintf(control, sizeof(control), "%s/run/control.sock", dir);
    snprintf(state_dir, sizeof(state_dir), "%s/kept", dir);
    const struct passwd *nobody = getpwnam("nobody");
    ck_assert_ptr_nonnull(nobody);
    daemon_params = (struct daemon_params){.control = control,
                                           .state_dir = state_dir,
                                           .app_group = (gid_t)-1,
                                           .user = (char *)"nobody",
                                           .uid = nobody->pw_uid,
                                           .gid = nobody->pw_gid};
    params = (struct privileges_params){.daemon = &daemon_params, .queues = 1};
    error[0] = '\0';
}

static void teardown(void)
{
    char run[96];
    snprintf(run, sizeof(run), "%s/run", dir);
    rmdir(run);
    rmdir(state_dir);
    rmdir(dir);
}

/* Of this process, from its status file, as a number of that base. */
static unsigned long long status(const char *field, int base)
{
    char line[256];
    size_t len = strlen(field);
    unsigned long long value = ~0ull;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, field, len) == 0 && line[len] == ':')
            value = strtoull(line + len + 1, NULL, base);
    if (f)
        fclose(f);
    return value;
}

static void in_child(void (*fn)(void))
{
    int result = status_in_child(fn);
    ck_assert_msg(WIFEXITED(result), "ended by signal %d", WTERMSIG(result));
    ck_assert_msg(WEXITSTATUS(result) == 0, "line %d modulo 200", WEXITSTATUS(result) - 1);
}

static void expect_capabilities(unsigned long long caps)
{
    EXPECT(status("CapEff", 16) == caps);
    EXPECT(status("CapPrm", 16) == caps);
    EXPECT(status("CapInh", 16) == caps);
    EXPECT(status("CapAmb", 16) == caps);
}

static void stay(void)
{
    unsigned long long before = status("CapEff", 16);
    daemon_params.user = NULL;
    EXPECT(privileges_settle(&params, error) == 0);
    EXPECT(status("CapEff", 16) == before && status("NoNewPrivs", 10) == 0);
    EXPECT(access(dir, W_OK) == 0);
    EXPECT(privileges_check_file(&daemon_params, "a file", "/nonexistent", error) == 0);
}

START_TEST(without_a_user_nothing_changes)
{
    in_child(stay);
}
END_TEST

static void become(void)
{
    struct stat st;
    gid_t groups[4];
    EXPECT(privileges_settle(&params, error) == 0);
    EXPECT(getuid() == daemon_params.uid && geteuid() == daemon_params.uid && status("Uid", 10) == getuid());
    EXPECT(getgid() == daemon_params.gid && getegid() == daemon_params.gid);
    EXPECT(getgroups(4, groups) == 0);
    expect_capabilities(BIT(CAP_NET_ADMIN));
    EXPECT(status("CapBnd", 16) == BIT(CAP_NET_ADMIN));
    EXPECT(status("NoNewPrivs", 10) == 1);
    EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
    EXPECT(stat(state_dir, &st) == 0 && st.st_uid == getuid() && (st.st_mode & 0777) == 0700);
    *strrchr(control, '/') = '\0';
    EXPECT(stat(control, &st) == 0 && st.st_uid == getuid() && st.st_gid == getgid());
    EXPECT(setuid(0) < 0);
}

START_TEST(root_becomes_the_user_with_what_is_needed)
{
    in_child(become);
}
END_TEST

static void become_with_more(void)
{
    gid_t groups[4];
    params.low_ports = params.masquerade = true;
    daemon_params.app_group = 0;
    EXPECT(privileges_settle(&params, error) == 0);
    expect_capabilities(BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE));
    EXPECT(getgroups(4, groups) == 1 && groups[0] == 0);
}

START_TEST(what_the_configuration_needs_is_kept)
{
    in_child(become_with_more);
}
END_TEST

/* As the process that takes over does. */
static void again(void)
{
    EXPECT(privileges_settle(&params, error) == 0);
    params.low_ports = true;
    EXPECT(privileges_settle(&params, error) == 0);
    expect_capabilities(BIT(CAP_NET_ADMIN));
    EXPECT(geteuid() == daemon_params.uid);
}

START_TEST(who_is_the_user_already_keeps_what_is_there)
{
    in_child(again);
}
END_TEST

/* Another program has what is kept, and no more. */
static void execute(void)
{
    params.low_ports = true;
    EXPECT(privileges_settle(&params, error) == 0);
    execl("/bin/sh", "sh", "-c",
          "while read -r field value; do case $field in CapEff:) eff=$value;; CapBnd:) bnd=$value;; esac; "
          "done < /proc/self/status; [ $eff = 0000000000001400 ] && [ $bnd = $eff ]",
          (char *)NULL);
    EXPECT(false);
}

START_TEST(programs_that_it_starts_have_the_same)
{
    in_child(execute);
}
END_TEST

static void refuse(void)
{
    EXPECT(setgid(1) == 0 && setuid(1) == 0);
    EXPECT(privileges_settle(&params, error) < 0);
    EXPECT(strcmp(error, "[daemon] user: braidd was started by user 1, and only root may become another one; "
                         "start it as root or as nobody, or leave the key out") == 0);
    EXPECT(status("NoNewPrivs", 10) == 0);
}

START_TEST(only_root_becomes_another)
{
    in_child(refuse);
}
END_TEST

static void read_files(void)
{
    char path[96], expected[SERVICE_ERROR];
    snprintf(path, sizeof(path), "%s/secret", dir);
    FILE *f = fopen(path, "w");
    EXPECT(f && fclose(f) == 0 && chmod(path, 0640) == 0 && chown(path, 0, daemon_params.gid) == 0);
    EXPECT(privileges_settle(&params, error) == 0);
    EXPECT(privileges_check_file(&daemon_params, "[admin] tls_key", path, error) == 0);
    EXPECT(privileges_check_file(&daemon_params, "[admin] tls_key", NULL, error) == 0);
    EXPECT(privileges_check_file(&daemon_params, "[admin] tls_key", "/etc/shadow", error) < 0);
    snprintf(
        expected, sizeof(expected),
        "[admin] tls_key: user nobody cannot read /etc/shadow, as a reload will have to: Permission denied; "
        "chgrp it to that user's group, and chmod 640");
    EXPECT(strcmp(error, expected) == 0);
}

START_TEST(what_a_reload_could_not_read_is_told)
{
    char path[96];
    in_child(read_files);
    snprintf(path, sizeof(path), "%s/secret", dir);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("privileges");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60); /* processes are started */
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, without_a_user_nothing_changes);
    if (geteuid() == 0) {
        tcase_add_test(t, root_becomes_the_user_with_what_is_needed);
        tcase_add_test(t, what_the_configuration_needs_is_kept);
        tcase_add_test(t, who_is_the_user_already_keeps_what_is_there);
        tcase_add_test(t, programs_that_it_starts_have_the_same);
        tcase_add_test(t, only_root_becomes_another);
        tcase_add_test(t, what_a_reload_could_not_read_is_told);
    } else {
        printf("test_privileges: partly skipped, needs root\n");
    }
    suite_add_tcase(s, t);
    return run_suite(s);
}
