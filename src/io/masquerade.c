/* See masquerade.h. The kernel must not answer what it has forgotten: a segment without SYN that begins a
 * connection is dropped in INPUT, and one of ours that leaves brings the entry back, with the same port. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/masquerade.h"
#include "io/nat_writer.h"

#define CHAIN "BRAID_UPLINKS"

extern char **environ;

static const char *const programs[] = {"iptables", "ip6tables"};

/* Where a jump stands. */
static const char *const jumps[][2] = {{"nat", "POSTROUTING"}, {"filter", "INPUT"}};
#define JUMPS (sizeof(jumps) / sizeof(jumps[0]))

/* ---- running it ------------------------------------------------------------------------------- */

/* A file without a name that holds the text. -1 with errno. */
static int file_of(const char *text)
{
    int fd = memfd_create("iptables", MFD_CLOEXEC);
    size_t len = strlen(text);
    if (fd >= 0 && (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Runs a program to its end; input: what it reads, NULL: nothing; what it says is for nobody. True: it has
 * succeeded. Signals that the daemon ignores are as usual for it. */
static bool run(const char *const argv[], const char *input)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t usual;
    pid_t pid;
    int fd = input ? file_of(input) : open("/dev/null", O_RDONLY | O_CLOEXEC), status = -1;
    if (fd < 0)
        return false;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attr);
    sigfillset(&usual);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    errno = posix_spawnp(&pid, argv[0], &files, &attr, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    close(fd);
    if (errno)
        return false;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* "iptables -w 5 -t nat ACTION CHAIN -j BRAID_UPLINKS". */
static bool jump(bool v6, const char *action, unsigned i)
{
    const char *argv[] = {programs[v6], "-w", "5", "-t", jumps[i][0], action, jumps[i][1], "-j", CHAIN, NULL};
    return run(argv, NULL);
}

/* The chain itself: -F flushes it, -X deletes it. */
static void chain(bool v6, const char *action, unsigned i)
{
    const char *argv[] = {programs[v6], "-w", "5", "-t", jumps[i][0], action, CHAIN, NULL};
    run(argv, NULL);
}

/* ---- what it runs ----------------------------------------------------------------------------- */

const char *masquerade_text(const struct nat_rules *rules, bool v6, char text[NAT_TEXT])
{
    struct nat_writer w = {.text = text};
    char inner[ADDR_TEXT], outer[ADDR_TEXT];
    for (unsigned table = 0; table < JUMPS; table++) {
        nat_put(&w, "*%s\n:" CHAIN " - [0:0]\n", jumps[table][0]);
        for (unsigned i = 0; i < rules->n; i++) {
            const struct nat_pair *p = &rules->pairs[i];
            if (ip_is_v4(&p->inner) == v6)
                continue;
            ip_text(&p->inner, inner);
            ip_text(&p->outer, outer);
            if (table == 0)
                nat_put(&w, "-A " CHAIN " -o %s -s %s -j SNAT --to-source %s\n", p->interface, inner, outer);
            else
                nat_put(
                    &w,
                    "-A " CHAIN
                    " -i %s -d %s -p tcp --dport %u:%u ! --syn -m conntrack --ctstate NEW,INVALID -j DROP\n",
                    p->interface, outer, rules->port_first, rules->port_last);
        }
        nat_put(&w, "COMMIT\n");
    }
    return text;
}

static int apply(const struct nat_rules *rules, bool v6)
{
    const char *restore[] = {v6 ? "ip6tables-restore" : "iptables-restore", "-w", "5", "--noflush", NULL};
    char text[NAT_TEXT];
    if (!run(restore, masquerade_text(rules, v6, text)))
        return -1;
    for (unsigned i = 0; i < JUMPS; i++)
        if (!jump(v6, "-C", i) && !jump(v6, "-I", i))
            return -1;
    return 0;
}

int masquerade_apply(const struct nat_rules *rules, char error[NAT_ERROR])
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        if (apply(rules, v6) < 0) {
            snprintf(error, NAT_ERROR,
                     "%s: it is not there, or cannot add rules to the tables nat and filter", programs[v6]);
            return -1;
        }
    }
    return 0;
}

bool masquerade_is_there(void)
{
    for (unsigned i = 0; i < 2 * JUMPS; i++)
        if (!jump(i / JUMPS, "-C", i % JUMPS))
            return false;
    return true;
}

void masquerade_remove(void)
{
    for (unsigned i = 0; i < 2 * JUMPS; i++) {
        while (jump(i / JUMPS, "-D", i % JUMPS))
            ;
        chain(i / JUMPS, "-F", i % JUMPS);
        chain(i / JUMPS, "-X", i % JUMPS);
    }
}
