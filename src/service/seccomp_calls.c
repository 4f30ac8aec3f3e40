/* See seccomp_calls.h. By what the calls are for. A call has other names where times have 64 bits but the
 * machine has not, and where a table has no older form (aarch64 has openat, but no open); C libraries differ,
 * too. A name that a machine does not have is left out there. What a single architecture or library would
 * miss is seen by the end-to-end tests with "kill" only on that one, so what costs nothing is on the list for
 * all. */
#include "service/seccomp_calls.h"
#include <stddef.h>

/* clang-format off */
const char *const seccomp_calls[] = {
    /* what comes and goes */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "recvmsg", "sendmsg", "recvfrom",
    "sendto", "recvmmsg", "recvmmsg_time64", "sendmmsg", "recv", "send", "socketpair", "bind", "connect", "listen", "accept",
    "accept4", "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt", "ioctl", "close", "close_range",
    /* waiting */
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
    "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "eventfd2", "timerfd_create", "timerfd_settime",
    "timerfd_settime64", "timerfd_gettime", "timerfd_gettime64", "futex", "futex_time64", "nanosleep", "clock_nanosleep",
    "clock_nanosleep_time64", "restart_syscall", "sched_yield",
    /* descriptors and files: the configuration, sockets, state, /proc and /sys */
    "pipe", "pipe2", "dup", "dup2", "dup3", "fcntl", "fcntl64", "open", "openat", "openat2", "lseek", "_llseek", "stat",
    "stat64", "fstat", "fstat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs",
    "fstatfs64", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd", "mkdir",
    "mkdirat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "linkat", "chmod", "fchmod", "fchmodat", "chown",
    "lchown", "fchown", "fchownat", "chown32", "lchown32", "fchown32", "umask", "flock", "ftruncate", "ftruncate64",
    "fallocate", "fadvise64", "fadvise64_64", "fsync", "fdatasync", "memfd_create",
    /* memory */
    "munmap", "mremap", "madvise", "brk", "membarrier",
    /* threads, signals and itself */
    "set_robust_list", "set_tid_address", "rseq", "sched_getaffinity", "sched_setaffinity", "exit", "exit_group", "gettid",
    "getpid", "getppid", "tgkill", "tkill", "kill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn",
    "sigaltstack", "wait4", "waitid", "waitpid", "getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32",
    "getegid32", "getresuid", "getresgid", "getgroups", "getgroups32", "getrlimit", "ugetrlimit", "setrlimit", "prlimit64",
    "getrusage", "uname", "sysinfo", "getcpu",
    /* time, where the kernel gives it by a call, and chance */
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday", "time", "getrandom",
    NULL};

const char *const seccomp_program_calls[] = {
    "execve", "vfork", "fork", "clone", "arch_prctl", "mprotect", "mmap", "mmap2", "socket", "prctl", "setsid", "getpgrp",
    "getpgid", "setpgid", "chdir", "fchdir", "capget", "getxattr", "utimensat", "symlink", "link", NULL};
/* clang-format on */
