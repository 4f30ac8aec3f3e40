/* See seccomp.h. Most calls pass whatever their arguments are: for these a kernel since 5.11 keeps the
 * answer, and asks no filter. */
#include "service/seccomp.h"
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include "io/log.h"
#include "io/refusals.h"
#include "service/seccomp_calls.h"

/* Calls since Linux 5.1 have the same number in every table. The lists were made of those up to the first;
 * the second is the last before numbers that mean something else on x86-64. */
#define CALLS_KNOWN 450 /* set_mempolicy_home_node, of Linux 5.17 */
#define CALLS_LAST  511

/* Sanitizers make calls of their own: LeakSanitizer, in the end, has a process trace this one. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STANDARD SECCOMP_OFF
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define STANDARD SECCOMP_OFF
#endif
#endif
#ifndef STANDARD
#define STANDARD SECCOMP_REFUSE
#endif

/* ---- what passes ----------------------------------------------------------------------------------------
 */

static int allow(scmp_filter_ctx ctx, const char *const *names)
{
    for (; *names; names++) {
        int number = seccomp_syscall_resolve_name(*names);
        if (number != __NR_SCMP_ERROR && seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 0) < 0)
            return -1;
    }
    return 0;
}

static int allow_if(scmp_filter_ctx ctx, int number, struct scmp_arg_cmp argument)
{
    return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, number, 1, &argument);
}

/* If the first argument is this one, an int: what a register has above it means nothing. */
static int allow_first(scmp_filter_ctx ctx, int number, int first)
{
    return allow_if(ctx, number, SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)first));
}

/* Families that the daemon has, and none that would lead into parts of the kernel that nobody looks after. */
static int allow_sockets(scmp_filter_ctx ctx)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    for (unsigned i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (allow_first(ctx, SCMP_SYS(socket), families[i]) < 0)
            return -1;
    return 0;
}

/* What can be written to is not executed. Libraries may still be loaded, as those of the name service are. */
static int allow_memory(scmp_filter_ctx ctx)
{
    static const scmp_datum_t both = PROT_WRITE | PROT_EXEC;
    const int maps[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2)};
    for (unsigned i = 0; i < 2; i++)
        if (allow_if(ctx, maps[i], SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) < 0 ||
            allow_if(ctx, maps[i], SCMP_A2(SCMP_CMP_MASKED_EQ, both, PROT_EXEC)) < 0)
            return -1;
    return allow_if(ctx, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Threads, no processes. */
static int allow_threads(scmp_filter_ctx ctx)
{
    static const int names[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (allow_first(ctx, SCMP_SYS(prctl), names[i]) < 0)
            return -1;
    return allow_if(ctx, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

/* ---- what is as if it were not there --------------------------------------------------------------------
 */

/* A C library that is told so takes an older way; of EPERM it would think that this is the answer. So it is
 * with calls that are younger than the lists, and with clone3, whose arguments no filter sees: clone takes
 * its place. */
static int hide(scmp_filter_ctx ctx, enum seccomp_mode mode)
{
    static const uint32_t not_there = SCMP_ACT_ERRNO(ENOSYS);
    int last = mode == SECCOMP_LOG ? CALLS_KNOWN : CALLS_LAST;
    for (int number = CALLS_KNOWN + 1; number <= last; number++)
        if (seccomp_rule_add(ctx, not_there, number, 0) < 0)
            return -1;
    return seccomp_rule_add(ctx, not_there, SCMP_SYS(clone3), 0);
}

/* ---- the filter -----------------------------------------------------------------------------------------
 */

static int fill(scmp_filter_ctx ctx, enum seccomp_mode mode, bool programs)
{
    if (allow(ctx, seccomp_calls) < 0 || hide(ctx, mode) < 0)
        return -1;
    if (programs)
        return allow(ctx, seccomp_program_calls);
    return allow_sockets(ctx) < 0 || allow_memory(ctx) < 0 ? -1 : allow_threads(ctx);
}

static uint32_t action_of(enum seccomp_mode mode)
{
    return mode == SECCOMP_KILL ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_LOG;
}

/* What numbers mean in another architecture's table is not known here: whoever uses one is killed. The first
 * three are done without where the kernel does not know them; the third spares the slower code against
 * guesses of the processor (SSBD), which kernels before 5.16 make a price of every filter. */
static int set_up(scmp_filter_ctx ctx, enum seccomp_mode mode)
{
    uint32_t foreign = mode == SECCOMP_LOG ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS;
    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree */
    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_SSB, 1);
    seccomp_attr_set(ctx, SCMP_FLTATR_API_SYSRAWRC, 1); /* the kernel's own errors */
    if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, foreign) < 0)
        return -1;
    return seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
}

/* 0, or a negative errno. *listener: of one that has others answer for it. */
static int put_up(const struct seccomp_params *p, enum seccomp_mode mode, uint32_t action, int *listener)
{
    scmp_filter_ctx ctx = seccomp_init(action);
    int result = ctx ? 0 : -ENOMEM;
    if (result == 0 && (set_up(ctx, mode) < 0 || fill(ctx, mode, p->programs) < 0))
        result = -EINVAL;
    if (result == 0)
        result = seccomp_load(ctx);
    if (result == 0 && listener)
        *listener = seccomp_notify_fd(ctx);
    seccomp_release(ctx);
    return result;
}

static char *name_of(uint32_t arch, int number)
{
    return seccomp_syscall_resolve_num_arch(arch, number);
}

/* Calls are refused by the kernel, in silence, where it has no way to ask us (before 5.7), or is asking
 * somebody else already, as in some containers. */
static int put_up_heard(const struct seccomp_params *p)
{
    int listener = -1, result = -1;
    if (refusals_begin(name_of) == 0) {
        result = put_up(p, SECCOMP_REFUSE, SCMP_ACT_NOTIFY, &listener);
        refusals_listen(result == 0 ? listener : -1);
    }
    return result == 0 ? 0 : put_up(p, SECCOMP_REFUSE, SCMP_ACT_ERRNO(EPERM), NULL);
}

int seccomp_confine(const struct seccomp_params *p, char error[SERVICE_ERROR])
{
    enum seccomp_mode mode = p->mode == SECCOMP_AUTO ? STANDARD : p->mode;
    if (mode == SECCOMP_OFF)
        return 0;
    int result = mode == SECCOMP_REFUSE ? put_up_heard(p) : put_up(p, mode, action_of(mode), NULL);
    if (result == 0)
        return 0;
    snprintf(error, SERVICE_ERROR,
             "[daemon] seccomp: the kernel takes no filter of system calls: %s; \"off\" does without",
             strerror(-result));
    if (p->mode != SECCOMP_AUTO)
        return -1;
    log_warn("%s", error);
    return 0;
}
