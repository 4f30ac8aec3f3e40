/* See unix_socket.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "io/heirlooms.h"
#include "io/unix_socket.h"

struct report {
    const struct unix_socket_params *params;
    char *err;
    size_t errlen;
};

static int fail(const struct report *r, const char *what, const char *right)
{
    snprintf(r->err, r->errlen, "%s: %s: %s; %s", r->params->key, r->params->path, what, right);
    return -1;
}

static int make_directory(const struct report *r)
{
    char *dir = strdup(r->params->path);
    int result = 0;
    if (!dir)
        return fail(r, "memory is short", "try again");
    *strrchr(dir, '/') = '\0';
    if (*dir && mkdir(dir, 0755) < 0 && errno != EEXIST)
        result = fail(r, strerror(errno), "name a path whose directory exists or can be made");
    free(dir);
    return result;
}

/* Removes a socket that nobody listens on. 0: path is free. */
static int clear_stale(const struct report *r, const struct sockaddr_un *sun)
{
    const char *path = sun->sun_path;
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : fail(r, strerror(errno), "name a path that this user may write to");
    if (!S_ISSOCK(st.st_mode))
        return fail(r, "it exists and is not a socket", "name another path, or remove the file");
    int fd = socket(AF_UNIX, r->params->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(r, strerror(errno), "close some files");
    int refused = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 && errno == ECONNREFUSED;
    close(fd);
    if (!refused)
        return fail(r, "a daemon answers there already", "stop that one, or name another path");
    if (unlink(path) < 0)
        return fail(r, strerror(errno), "name a path that this user may write to");
    return 0;
}

static int set_owner(const struct unix_socket_params *p, const char *path)
{
    if (p->group != (gid_t)-1 && chown(path, (uid_t)-1, p->group) < 0)
        return -1;
    return chmod(path, p->mode);
}

/* -1 with errno. Nobody can open it before the group and the mode are right. */
static int bind_private(const struct unix_socket_params *p, const struct sockaddr_un *sun)
{
    int fd = socket(AF_UNIX, p->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    mode_t old = umask(0177);
    int bound = bind(fd, (const struct sockaddr *)sun, sizeof(*sun));
    int saved = errno;
    umask(old);
    errno = saved;
    if (bound == 0 && set_owner(p, sun->sun_path) == 0 && listen(fd, p->backlog) == 0)
        return fd;
    saved = errno;
    close(fd);
    if (bound == 0)
        unlink(sun->sun_path);
    errno = saved;
    return -1;
}

/* A new socket. */
static int open_new(const struct report *r)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (strlen(r->params->path) >= sizeof(sun.sun_path))
        return fail(r, "the path is too long", "name a shorter one");
    strcpy(sun.sun_path, r->params->path);
    if (make_directory(r) < 0 || clear_stale(r, &sun) < 0)
        return -1;
    int fd = bind_private(r->params, &sun);
    if (fd < 0)
        return fail(r, strerror(errno), "name a path, and a group, that this user may use");
    return fd;
}

/* Its file, too, follows the configuration. */
static int take_over(const struct report *r, const char *name)
{
    int fd = heirloom_take(name);
    if (fd >= 0 && set_owner(r->params, r->params->path) < 0)
        return fail(r, strerror(errno), "let the socket's file be where it was");
    return fd;
}

int unix_socket_open(const struct unix_socket_params *p, struct unix_file *file, char *err, size_t errlen)
{
    const struct report r = {p, err, errlen};
    char name[HEIRLOOM_NAME];
    struct stat st;
    snprintf(name, sizeof(name), "unix:%s", p->path);
    bool left = heirloom_waits(name);
    int fd = left ? take_over(&r, name) : open_new(&r);
    if (fd < 0)
        return -1;
    file->path = strdup(p->path);
    if (file->path && lstat(p->path, &st) == 0) {
        file->dev = st.st_dev;
        file->ino = st.st_ino;
        file->fd = fd;
        if (!left)
            heirloom_keep(name, fd);
        return fd;
    }
    close(fd);
    if (!left)
        unlink(p->path);
    free(file->path);
    file->path = NULL;
    return fail(&r, "memory is short", "try again");
}

void unix_file_remove(struct unix_file *file)
{
    struct stat st;
    if (!file->path)
        return;
    heirloom_drop(file->fd);
    if (!heirlooms_are_others() && lstat(file->path, &st) == 0 && st.st_dev == file->dev &&
        st.st_ino == file->ino)
        unlink(file->path);
    free(file->path);
    file->path = NULL;
}
