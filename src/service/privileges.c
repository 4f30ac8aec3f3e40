/* See privileges.h. The order is the kernel's: the bounding set takes CAP_SETPCAP, which goes with user 0;
 * permitted capabilities outlive that with PR_SET_KEEPCAPS, ambient ones have to be permitted and inheritable
 * first. The bounding set keeps what is kept, since a program with capabilities of its own (setcap(8)) gets
 * none of ours by the ambient set, but its own within the bounding set. */
#include "service/privileges.h"
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/log.h"
#include "io/tun.h"

/* ---- what root does first ---------------------------------------------------------------------------- */

/* One that is there is left alone, whoever it belongs to. Nobody but root can put something else into its
 * place: it is below a directory of root's, or whoever named it has made a mistake. */
static int give_directory(const struct daemon_params *d, const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0)
        return lchown(path, d->uid, d->gid);
    return errno == EEXIST ? 0 : -1;
}

/* The one that path is in. */
static int give_directory_of(const struct daemon_params *d, const char *path)
{
    char *dir = path ? strdup(path) : NULL;
    int result = 0;
    if (!path)
        return 0;
    if (!dir)
        return -1;
    *strrchr(dir, '/') = '\0';
    if (*dir)
        result = give_directory(d, dir, 0755);
    int why = errno;
    free(dir);
    errno = why;
    return result;
}

/* Those of a daemon of root's, from which this process takes over: it will set their modes. Nothing but a
 * socket is given away, whatever the path may lead to by then. */
static void give_socket(const struct daemon_params *d, const char *path)
{
    struct stat st;
    int fd = path ? open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == 0 &&
        fchownat(fd, "", d->uid, d->gid, AT_EMPTY_PATH) < 0)
        log_info("%s stays root's: %s", path, strerror(errno));
    close(fd);
}

static int prepare(const struct privileges_params *p, char *error)
{
    const struct daemon_params *d = p->daemon;
    if (give_directory_of(d, d->control) < 0 || give_directory_of(d, d->state) < 0 ||
        give_directory_of(d, d->app_socket) < 0)
        return service_fail(error, "[daemon] control, state or app_socket: the directory cannot be made: %s",
                            strerror(errno));
    if (d->state_dir && *d->state_dir && give_directory(d, d->state_dir, 0700) < 0)
        return service_fail(error, "[daemon] state_dir: %s: %s", d->state_dir, strerror(errno));
    give_socket(d, d->control);
    give_socket(d, d->app_socket);
    tun_reserve(p->queues);
    return 0;
}

/* ---- becoming the user ------------------------------------------------------------------------------- */

/* What is kept of what there is. */
static void choose_capabilities(const struct privileges_params *p)
{
    static const unsigned all[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE};
    const bool wanted[] = {true, p->masquerade, p->low_ports};
    bool keep[3];
    for (unsigned i = 0; i < 3; i++)
        keep[i] = wanted[i] && capng_have_capability(CAPNG_PERMITTED, all[i]);
    capng_clear(CAPNG_SELECT_ALL);
    for (unsigned i = 0; i < 3; i++)
        if (keep[i])
            capng_update(CAPNG_ADD,
                         CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE | CAPNG_BOUNDING_SET |
                             CAPNG_AMBIENT,
                         all[i]);
}

/* To give the socket for programs to a group takes being a member of it. */
static int change_user(const struct daemon_params *d)
{
    bool more = d->app_group != (gid_t)-1 && d->app_group != d->gid;
    if (setgroups(more ? 1 : 0, &d->app_group) < 0 || setresgid(d->gid, d->gid, d->gid) < 0)
        return -1;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(d->uid, d->uid, d->uid) < 0)
        return -1;
    return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
}

/* The kernel lets a process that has changed its user leave no core, lest the user find in it what root has
 * read. Here that is the configuration, which this user has to read at a reload anyway. */
static int give_up(const struct daemon_params *d, bool root, char *error)
{
    if (root && capng_apply(CAPNG_SELECT_BOUNDS) != 0)
        return service_fail(error, "capabilities cannot be taken from the bounding set: %s", strerror(errno));
    if (root && change_user(d) < 0)
        return service_fail(error, "[daemon] user: cannot become %s: %s", d->user, strerror(errno));
    if (capng_apply(CAPNG_SELECT_CAPS) != 0 || capng_apply(CAPNG_SELECT_AMBIENT) != 0)
        return service_fail(error, "capabilities cannot be given up: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
        return service_fail(error, "new privileges cannot be renounced: %s", strerror(errno));
    return 0;
}

int privileges_settle(const struct privileges_params *p, char error[SERVICE_ERROR])
{
    const struct daemon_params *d = p->daemon;
    bool root = geteuid() == 0;
    if (!d->user)
        return 0;
    if (!root && (geteuid() != d->uid || getuid() != d->uid))
        return service_fail(
            error,
            "[daemon] user: braidd was started by user %u, and only root may become another one; start "
            "it as root or as %s, or leave the key out",
            (unsigned)getuid(), d->user);
    if (capng_get_caps_process() < 0)
        return service_fail(error, "capabilities cannot be read: %s", strerror(errno));
    choose_capabilities(p);
    if (root && prepare(p, error) < 0)
        return -1;
    return give_up(d, root, error);
}

int privileges_check_file(const struct daemon_params *d, const char *what, const char *path,
                          char error[SERVICE_ERROR])
{
    if (!path || !d->user || access(path, R_OK) == 0)
        return 0;
    return service_fail(
        error,
        "%s: user %s cannot read %s, as a reload will have to: %s; chgrp it to that user's group, and "
        "chmod 640",
        what, d->user, path, strerror(errno));
}
