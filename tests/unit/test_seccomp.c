/* service/seccomp, service/spawner: what a process may call once the filter is there, each time in a child of
 * its own. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io/refusals.h"
#include "log_ear.h"
#include "service/seccomp.h"
#include "service/seccomp_calls.h"
#include "service/spawner.h"
#include "in_child.h"
#include "suite.h"

static char error[SERVICE_ERROR];

static void passes(void (*fn)(void))
{
    int result = status_in_child(fn);
    ck_assert_msg(WIFEXITED(result), "ended by signal %d", WTERMSIG(result));
    ck_assert_msg(WEXITSTATUS(result) == 0, "line %d modulo 200", WEXITSTATUS(result) - 1);
}

static void is_killed(void (*fn)(void))
{
    int result = status_in_child(fn);
    ck_assert_msg(WIFSIGNALED(result) && WTERMSIG(result) == SIGSYS, "status %x", (unsigned)result);
}

static void confine(enum seccomp_mode mode)
{
    const struct seccomp_params p = {.mode = mode};
    EXPECT(seccomp_confine(&p, error) == 0);
}

static int mode_now(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
}

static void off(void)
{
    confine(SECCOMP_OFF);
    EXPECT(mode_now() == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
}

START_TEST(off_is_off)
{
    passes(off);
}
END_TEST

static void *other_thread(void *arg)
{
    int *pipe_ends = arg;
    char byte;
    EXPECT(read(pipe_ends[0], &byte, 1) == 1);
    EXPECT(syscall(SYS_chroot, "/") < 0 && errno == EPERM);
    return NULL;
}

static void refuse(void)
{
    pthread_t before, after;
    int ends[2];
    EXPECT(pipe(ends) == 0 && pthread_create(&before, NULL, other_thread, ends) == 0);
    confine(SECCOMP_REFUSE);
    EXPECT(syscall(SYS_chroot, "/") < 0 && errno == EPERM);
    EXPECT(syscall(SYS_ptrace, 0, 0, 0, 0) < 0 && errno == EPERM);
    EXPECT(pthread_create(&after, NULL, other_thread, ends) == 0);
    EXPECT(write(ends[1], "xx", 2) == 2);
    EXPECT(pthread_join(before, NULL) == 0 && pthread_join(after, NULL) == 0);
}

/* In a thread that hears no signal, too. */
static void *deaf_thread(void *arg)
{
    sigset_t all;
    (void)arg;
    sigfillset(&all);
    EXPECT(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
    EXPECT(syscall(SYS_chroot, "/") < 0 && errno == EPERM);
    EXPECT(syscall(SYS_ptrace, 0, 0, 0, 0) < 0 && errno == EPERM);
    return NULL;
}

static void refuse_and_tell(void)
{
    pthread_t deaf;
    log_ear_begin();
    log_set_level(LOG_LEVEL_WARN);
    confine(SECCOMP_REFUSE);
    EXPECT(refusals_count() == 0);
    EXPECT(syscall(SYS_chroot, "/") < 0 && errno == EPERM);
    EXPECT(syscall(SYS_chroot, "/") < 0 && errno == EPERM);
    EXPECT(pthread_create(&deaf, NULL, deaf_thread, NULL) == 0 && pthread_join(deaf, NULL) == 0);
    while (refusals_count() < 4) /* what was said is there by then */
        sched_yield();
    const char *line = strstr(said(), " chroot (");
    EXPECT(line && !strstr(line + 2, " chroot (") && strstr(line, " ptrace ("));
    log_ear_end();
}

START_TEST(what_is_refused_is_counted_and_said_once)
{
    passes(refuse_and_tell);
}
END_TEST

START_TEST(what_is_not_on_the_list_is_refused_in_every_thread)
{
    passes(refuse);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which makes calls of its own */
static void by_default(void)
{
    confine(SECCOMP_AUTO);
    EXPECT(syscall(SYS_chroot, "/") < 0 && errno == EPERM);
}

START_TEST(refusing_is_the_default)
{
    passes(by_default);
}
END_TEST
#endif

/* Numbers beyond those that the lists were made of, and clone3: C libraries then take another way. */
static void younger(void)
{
    confine(SECCOMP_KILL);
    EXPECT(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS);
    for (long number = 451; number < 512; number++)
        EXPECT(syscall(number, 0, 0, 0, 0, 0, 0) < 0 && errno == ENOSYS);
}

START_TEST(calls_that_are_younger_are_not_there)
{
    passes(younger);
}
END_TEST

/* Whether the call is on the list, and the architecture has it. */
static bool listed(uint32_t arch, const char *name)
{
    for (const char *const *each = seccomp_calls; *each; each++)
        if (strcmp(*each, name) == 0)
            return seccomp_syscall_resolve_name_arch(arch, name) >= 0;
    return false;
}

START_TEST(each_name_is_one_and_stands_there_once)
{
    const char *const *const lists[] = {seccomp_calls, seccomp_program_calls};
    for (unsigned i = 0; i < 2; i++)
        for (const char *const *each = lists[i]; *each; each++) {
            ck_assert_msg(seccomp_syscall_resolve_name(*each) != __NR_SCMP_ERROR, "%s", *each);
            for (const char *const *other = seccomp_calls; *other; other++)
                ck_assert_msg(other == each || strcmp(*other, *each) != 0, "%s", *each);
        }
}
END_TEST

/* One of these for each that a C library has the choice of. */
START_TEST(machines_of_another_kind_have_what_they_need)
{
    static const char *const needed[][3] = {{"openat"},
                                            {"newfstatat", "fstatat64"},
                                            {"epoll_pwait", "epoll_wait"},
                                            {"ppoll"},
                                            {"pselect6"},
                                            {"dup3"},
                                            {"unlinkat"},
                                            {"renameat", "renameat2"},
                                            {"mkdirat"},
                                            {"readlinkat"},
                                            {"faccessat"},
                                            {"fchmodat"},
                                            {"fchownat"},
                                            {"pipe2"},
                                            {"accept4"},
                                            {"getdents64"},
                                            {"futex", "futex_time64"},
                                            {"clock_gettime", "clock_gettime64"},
                                            {"clock_nanosleep", "clock_nanosleep_time64"},
                                            {"rseq"},
                                            {"set_robust_list"},
                                            {"madvise"},
                                            {"mremap"},
                                            {"membarrier"},
                                            {"getrandom"},
                                            {"prlimit64"},
                                            {"rt_sigreturn"},
                                            {"fcntl", "fcntl64"},
                                            {"memfd_create"},
                                            {"linkat"},
                                            {"exit_group"}};
    static const uint32_t archs[] = {SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, SCMP_ARCH_RISCV64};
    for (unsigned a = 0; a < sizeof(archs) / sizeof(archs[0]); a++)
        for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
            bool found = false;
            for (unsigned j = 0; j < 3 && needed[i][j]; j++)
                found |= listed(archs[a], needed[i][j]);
            ck_assert_msg(found, "%s on %x", needed[i][0], archs[a]);
        }
}
END_TEST

static void call_chroot(void)
{
    confine(SECCOMP_KILL);
    syscall(SYS_chroot, "/");
}

static void call_execve(void)
{
    char *const argv[] = {(char *)"true", NULL};
    confine(SECCOMP_KILL);
    execve("/bin/true", argv, NULL);
}

static void call_fork(void)
{
    confine(SECCOMP_KILL);
    _exit(fork() == 0 ? 0 : 1);
}

START_TEST(kill_kills)
{
    is_killed(call_chroot);
    is_killed(call_execve);
    is_killed(call_fork);
}
END_TEST

static void only_log(void)
{
    confine(SECCOMP_LOG);
    EXPECT(mode_now() == 2 && chroot("/") == 0);
}

START_TEST(log_lets_it_pass)
{
    passes(only_log);
}
END_TEST

#ifdef __x86_64__
/* getpid has number 20 in the table of 32 bits, where 64-bit programs have writev. */
static void other_architecture(void)
{
    confine(SECCOMP_REFUSE);
    signal(SIGSEGV, SIG_DFL); /* sanitizers have a word to say then */
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result)::"memory", "r8", "r9", "r10", "r11");
}

/* The numbers of x32 are those of 64 bits, with a bit that no list has. */
static void x32(void)
{
    confine(SECCOMP_REFUSE);
    syscall(0x40000000 + SYS_getpid);
}

/* A kernel without programs of 32 bits has no such door (SIGSEGV). */
START_TEST(numbers_of_another_architecture_kill)
{
    int result = status_in_child(other_architecture);
    ck_assert_msg(WIFSIGNALED(result) && (WTERMSIG(result) == SIGSYS || WTERMSIG(result) == SIGSEGV),
                  "status %x", (unsigned)result);
    is_killed(x32);
}
END_TEST
#endif

static void arguments(void)
{
    confine(SECCOMP_REFUSE);
    EXPECT(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
    EXPECT(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 && socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
    EXPECT(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
           MAP_FAILED);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 && errno == EPERM);
    EXPECT(mprotect(page, 4096, PROT_READ) == 0);
    EXPECT(prctl(PR_SET_NAME, "name") == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0);
}

START_TEST(sockets_memory_and_threads_are_looked_at_closely)
{
    passes(arguments);
}
END_TEST

static void with_programs(void)
{
    const struct seccomp_params p = {.mode = SECCOMP_KILL, .programs = true};
    int status;
    EXPECT(seccomp_confine(&p, error) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
        _exit(1);
    }
    EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

START_TEST(programs_can_be_started_where_they_have_to)
{
    passes(with_programs);
}
END_TEST

/* The shell has no filter, is our child, and has the descriptor and the variable, and no other descriptor. */
static void spawn(void)
{
    char *const argv[] = {(char *)"sh", (char *)"-c",
                          (char *)"grep -q '^Seccomp:.0' /proc/self/status && [ ! -e /proc/self/fd/200 ] && "
                                  "echo $PPID >&$HERE",
                          NULL};
    char text[32] = "";
    int ends[2], status;
    EXPECT(dup2(STDERR_FILENO, 200) == 200);
    EXPECT(spawner_begin("/bin/sh", argv, "HERE") == 0);
    confine(SECCOMP_KILL);
    for (unsigned i = 0; i < 2; i++) {
        EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        pid_t pid = spawner_start(ends[1]);
        EXPECT(pid > 0 && close(ends[1]) == 0);
        EXPECT(read(ends[0], text, sizeof(text) - 1) > 0 && atoi(text) == getpid());
        EXPECT(read(ends[0], text, sizeof(text)) == 0); /* nobody else has it */
        EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

START_TEST(another_process_starts_the_program)
{
    passes(spawn);
}
END_TEST

static void spawn_nothing(void)
{
    char *const argv[] = {(char *)"x", NULL};
    int status;
    EXPECT(spawner_begin("/nonexistent/program", argv, "HERE") == 0);
    EXPECT(spawner_start(STDERR_FILENO) < 0 && errno == ENOENT);
    EXPECT(spawner_start(STDERR_FILENO) < 0 && errno == ENOENT);
    EXPECT(waitpid(-1, &status, WNOHANG) == 0); /* the spawner itself is the only child */
}

START_TEST(a_program_that_is_not_there_is_told)
{
    passes(spawn_nothing);
}
END_TEST

/* The only child there is. */
static pid_t child(void)
{
    char path[64], text[32] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    FILE *f = fopen(path, "re");
    EXPECT(f && fgets(text, sizeof(text), f));
    fclose(f);
    return atoi(text);
}

/* Signals for a whole group, or by the name of the program, are for the daemon alone. */
static void signal_it(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
    char *const argv[] = {(char *)"true", NULL};
    int status;
    EXPECT(spawner_begin("/bin/true", argv, "HERE") == 0);
    EXPECT(spawner_start(STDERR_FILENO) > 0); /* it stands by */
    EXPECT(waitpid(-1, &status, 0) > 0 && status == 0);
    pid_t it = child();
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        EXPECT(kill(it, numbers[i]) == 0);
    EXPECT(spawner_start(STDERR_FILENO) > 0 && waitpid(-1, &status, 0) > 0 && status == 0);
    EXPECT(kill(it, SIGKILL) == 0 && waitpid(it, &status, 0) == it);
    EXPECT(spawner_start(STDERR_FILENO) < 0 && (errno == ECONNRESET || errno == EPIPE));
}

START_TEST(signals_are_none_of_its_business)
{
    passes(signal_it);
}
END_TEST

/* Who has taken over the daemon could write to what is not closed to the same user. */
static void break_in(void)
{
    char *const argv[] = {(char *)"sh", (char *)"-c", (char *)"exit 0", NULL};
    char path[64];
    int status;
    EXPECT(setgid(1) == 0 && setuid(1) == 0);
    EXPECT(spawner_begin("/bin/sh", argv, "HERE") == 0);
    EXPECT(spawner_start(STDERR_FILENO) > 0 && waitpid(-1, &status, 0) > 0 && status == 0);
    snprintf(path, sizeof(path), "/proc/%d/mem", child());
    EXPECT(open(path, O_RDWR | O_CLOEXEC) < 0 && errno == EACCES);
}

START_TEST(its_memory_is_closed_to_its_user)
{
    passes(break_in);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("seccomp");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, off_is_off);
    tcase_add_test(t, what_is_refused_is_counted_and_said_once);
    tcase_add_test(t, what_is_not_on_the_list_is_refused_in_every_thread);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(t, refusing_is_the_default);
#endif
    tcase_add_test(t, calls_that_are_younger_are_not_there);
    tcase_add_test(t, each_name_is_one_and_stands_there_once);
    tcase_add_test(t, machines_of_another_kind_have_what_they_need);
    tcase_add_test(t, kill_kills);
    if (geteuid() == 0)
        tcase_add_test(t, log_lets_it_pass);
#ifdef __x86_64__
    tcase_add_test(t, numbers_of_another_architecture_kill);
#endif
    tcase_add_test(t, sockets_memory_and_threads_are_looked_at_closely);
    tcase_add_test(t, programs_can_be_started_where_they_have_to);
    tcase_add_test(t, another_process_starts_the_program);
    tcase_add_test(t, a_program_that_is_not_there_is_told);
    tcase_add_test(t, signals_are_none_of_its_business);
    if (geteuid() == 0)
        tcase_add_test(t, its_memory_is_closed_to_its_user);
    suite_add_tcase(s, t);
    return run_suite(s);
}
