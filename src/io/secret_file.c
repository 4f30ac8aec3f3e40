/* See secret_file.h. The file that was opened is judged, not the path, which may be another one by then. */
#include "io/secret_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NULL, or what is wrong. */
static const char *flaw_of(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "it is no regular file; name one";
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return "it belongs to somebody else; let it be root's, or that of the user whom braidd runs as";
    if (st->st_mode & (S_IRWXO | S_IWGRP))
        return "others may read or change it; chmod 640 or 600 is right";
    if (st->st_size > SECRET_FILE_MAX)
        return "it has more than 64 KiB; name the right file";
    return NULL;
}

/* -1 with errno. */
static ssize_t read_all(int fd, char *text)
{
    size_t used = 0;
    while (used <= SECRET_FILE_MAX) {
        ssize_t n = read(fd, text + used, SECRET_FILE_MAX + 1 - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            return (ssize_t)used;
        used += (size_t)n;
    }
    errno = EFBIG;
    return -1;
}

static char *read_open(int fd, size_t *len, char error[SECRET_FILE_ERROR])
{
    struct stat st;
    char *text = NULL;
    ssize_t n = -1;
    const char *flaw = fstat(fd, &st) < 0 ? strerror(errno) : flaw_of(&st);
    if (!flaw && (text = malloc(SECRET_FILE_MAX + 2)) != NULL)
        n = read_all(fd, text);
    if (flaw || n < 0) {
        snprintf(error, SECRET_FILE_ERROR, "%s", flaw ? flaw : strerror(errno));
        free(text);
        return NULL;
    }
    text[n] = '\0';
    *len = (size_t)n;
    return text;
}

char *secret_file_read(const char *path, size_t *len, char error[SECRET_FILE_ERROR])
{
    /* A FIFO would keep us waiting for whoever writes into it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        snprintf(error, SECRET_FILE_ERROR, "%s; name a file that uid %u may read", strerror(errno),
                 (unsigned)geteuid());
        return NULL;
    }
    char *text = read_open(fd, len, error);
    close(fd);
    return text;
}

void secret_file_free(char *text, size_t len)
{
    if (text)
        explicit_bzero(text, len);
    free(text);
}
