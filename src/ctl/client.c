/* Sends a command, and judges what comes back: a document is whole if it ends with a newline. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <braid/control.h>
#include "ctl/client.h"

struct reply {
    char *text; /* ends with a NUL */
    size_t len, room;
};

static int complain(FILE *err, const char *path, const char *what)
{
    fprintf(err, "braidctl: %s: %s\n", path, what);
    return CLIENT_FAILED;
}

static const char *connect_advice(int error)
{
    switch (error) {
    case ENOENT:
        return "there is no such socket: is braidd running? (-s SOCKET names another one)";
    case ECONNREFUSED:
        return "nobody answers: braidd is not running (or -s SOCKET names another one)";
    case EACCES:
    case EPERM:
        return "permission denied: run braidctl as the user that runs braidd, such as with sudo";
    case EAGAIN:
        return "the daemon is busy: try again";
    default:
        return strerror(error);
    }
}

/* -1 with errno. */
static int connect_to(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(sun.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(sun.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static bool send_line(int fd, const char *line)
{
    for (size_t len = strlen(line); len > 0;) {
        ssize_t n = send(fd, line, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        line += n;
        len -= (size_t)n;
    }
    return true;
}

/* For one more byte, and a NUL, at least. False: memory is short. */
static bool has_room(struct reply *r)
{
    if (r->len + 1 < r->room)
        return true;
    char *grown = realloc(r->text, r->room * 2 + 4096);
    if (!grown)
        return false;
    r->text = grown;
    r->room = r->room * 2 + 4096;
    return true;
}

/* The next bytes, behind what is there. 1; 0: that was all; or -1 and why it could not. */
static int read_more(int fd, struct reply *r, const char **why)
{
    ssize_t n;
    if (!has_room(r)) {
        *why = "memory is short";
        return -1;
    }
    do
        n = recv(fd, r->text + r->len, r->room - r->len - 1, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        *why = strerror(errno);
        return -1;
    }
    r->len += (size_t)n;
    r->text[r->len] = '\0';
    return n > 0;
}

/* Reads until the end of the stream. NULL, or why it could not. */
static const char *receive(int fd, int wait_ms, struct reply *r)
{
    const char *why = NULL;
    int more;
    do {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready;
        while ((ready = poll(&p, 1, wait_ms)) < 0 && errno == EINTR)
            ;
        if (ready == 0)
            return "the daemon does not answer: it may be overloaded; try again";
        more = read_more(fd, r, &why);
    } while (more > 0);
    return why;
}

/* Where the last line of the text, which ends with a newline, begins. */
static char *last_line(struct reply *r)
{
    char *at = r->text + r->len - 1;
    while (at > r->text && at[-1] != '\n')
        at--;
    return at;
}

static int judge(const char *path, struct reply *r, FILE *out, FILE *err)
{
    if (r->len == 0 || r->text[r->len - 1] != '\n')
        return complain(err, path,
                        "the daemon broke off its answer: it may have ended, or be short of memory");
    char *last = last_line(r);
    size_t mark = strlen(BRAID_ERROR_TEXT);
    bool error = strncmp(last, BRAID_ERROR_TEXT, mark) == 0;
    size_t document = error ? (size_t)(last - r->text) : r->len;
    if (fwrite(r->text, 1, document, out) != document || fflush(out) != 0)
        return complain(err, "output", strerror(errno));
    if (error)
        fprintf(err, "braidctl: %s", last + mark);
    return error || strncmp(r->text, BRAID_ERROR_JSON, strlen(BRAID_ERROR_JSON)) == 0 ? CLIENT_FAILED
                                                                                      : CLIENT_OK;
}

int client_open(const char *path, const char *line, FILE *err)
{
    int fd = connect_to(path);
    if (fd < 0) {
        complain(err, path, connect_advice(errno));
        return -1;
    }
    if (send_line(fd, line))
        return fd;
    complain(err, path, strerror(errno));
    close(fd);
    return -1;
}

int client_ask(const char *path, const char *line, int wait_ms, FILE *out, FILE *err)
{
    struct reply r = {0};
    int fd = connect_to(path);
    if (fd < 0)
        return complain(err, path, connect_advice(errno));
    const char *problem = send_line(fd, line) ? receive(fd, wait_ms, &r) : strerror(errno);
    int result = problem ? complain(err, path, problem) : judge(path, &r, out, err);
    free(r.text);
    close(fd);
    return result;
}

char *client_fetch(const char *path, const char *line, int wait_ms, char **error)
{
    char *text = NULL, *complaint = NULL;
    size_t n, m;
    FILE *out = open_memstream(&text, &n), *err = open_memstream(&complaint, &m);
    int result = out && err ? client_ask(path, line, wait_ms, out, err) : CLIENT_FAILED;
    if (out)
        fclose(out);
    if (err)
        fclose(err);
    if (result != CLIENT_OK) {
        free(text);
        *error = complaint;
        return NULL;
    }
    free(complaint);
    return text;
}

/* Writes a line of an answer, which ends there. CLIENT_FAILED: it is an error, or cannot be written. */
static int show_line(const char *text, FILE *out, FILE *err)
{
    size_t mark = strlen(BRAID_ERROR_TEXT);
    if (strncmp(text, BRAID_ERROR_TEXT, mark) == 0) {
        fprintf(err, "braidctl: %s\n", text + mark);
        return CLIENT_FAILED;
    }
    if (fprintf(out, "%s\n", text) < 0 || fflush(out) != 0)
        return complain(err, "output", strerror(errno));
    return strncmp(text, BRAID_ERROR_JSON, strlen(BRAID_ERROR_JSON)) == 0 ? CLIENT_FAILED : CLIENT_OK;
}

/* What is whole of what has come; the rest stays. closed: the last line is about an end. */
static int show_lines(struct reply *r, bool *closed, FILE *out, FILE *err)
{
    char *at = r->text, *end;
    int result = CLIENT_OK;
    while (result == CLIENT_OK && (end = strchr(at, '\n')) != NULL) {
        *end = '\0';
        *closed = strstr(at, "closed");
        result = show_line(at, out, err);
        at = end + 1;
    }
    r->len -= (size_t)(at - r->text);
    memmove(r->text, at, r->len + 1);
    return result;
}

/* Until there is something to be read. False: nobody reads what is written any more. */
static bool await(int fd, FILE *out)
{
    struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = fileno(out)}};
    while (poll(p, 2, -1) < 0 && errno == EINTR)
        ;
    return (p[1].revents & (POLLERR | POLLHUP)) == 0;
}

int client_follow(const char *path, const char *line, bool one, FILE *out, FILE *err)
{
    struct reply r = {0};
    bool closed = false;
    const char *why = "the daemon has broken off: it may have ended";
    int result = CLIENT_OK, fd = connect_to(path);
    if (fd < 0)
        return complain(err, path, connect_advice(errno));
    if (!send_line(fd, line))
        result = complain(err, path, strerror(errno));
    while (result == CLIENT_OK && await(fd, out)) {
        int more = read_more(fd, &r, &why);
        if (more > 0)
            result = show_lines(&r, &closed, out, err);
        else if (more == 0 && one && closed)
            break;
        else
            result = complain(err, path, why);
    }
    free(r.text);
    close(fd);
    return result;
}
