/* braid-connect: a connection to a host by its name, between the standard input and output; see
 * braid-connect(1).
 *
 * Each direction is copied by a thread of its own: whoever does not take what comes makes only that one wait,
 * and blocking calls are all that is needed. */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <braid/socket.h>
#include <braid/version.h>

#define CHUNK (128 * 1024)

static const char usage[] =
    "usage: braid-connect [-4 | -6] [-n] [-p PROFILE] [-t SECONDS] [-v] [-V] [-h] HOST SERVICE\n"
    "  -4, -6      only addresses of this family\n"
    "  -n          plain TCP\n"
    "  -p PROFILE  a profile of the daemon's configuration\n"
    "  -t SECONDS  how long connecting may take (30)\n"
    "  -v          say whom it has become\n"
    "  -V          print the version and exit\n"
    "  -h          print this help and exit\n";

struct wishes {
    bool plain, verbose;
    const char *profile; /* NULL: none */
    struct braid_name_options how;
};

/* For each socket that is tried. Without a daemon there is nothing but plain TCP. */
static int prepare(int fd, void *arg)
{
    const struct wishes *w = arg;
    const int off = 0;
    if (w->plain && braid_setsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_ENABLE, &off, sizeof(off)) < 0 &&
        errno != ENOPROTOOPT)
        return -1;
    return w->profile ? braid_setsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_PROFILE, w->profile,
                                         (socklen_t)strlen(w->profile))
                      : 0;
}

/* ---- copying ------------------------------------------------------------------------------------------ */

/* Until the end of what there is to read. -1 with errno. */
static int copy(int from, int to)
{
    char *chunk = malloc(CHUNK);
    ssize_t n = chunk ? 0 : -1;
    while (chunk && (n = read(from, chunk, CHUNK)) > 0)
        for (ssize_t done = 0, put; done < n; done += put) {
            put = write(to, chunk + done, (size_t)(n - done));
            if (put < 0) {
                free(chunk);
                return -1;
            }
        }
    free(chunk);
    return n < 0 ? -1 : 0;
}

static int fail(const char *what)
{
    fprintf(stderr, "braid-connect: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void *copy_input(void *arg)
{
    int fd = *(int *)arg;
    if (copy(STDIN_FILENO, fd) < 0)
        fail("standard input to the host");
    shutdown(fd, SHUT_WR);
    return NULL;
}

/* ---- options ------------------------------------------------------------------------------------------ */

static int wrong(const char *format, const char *what)
{
    fputs("braid-connect: ", stderr);
    fprintf(stderr, format, what);
    fputs("; see braid-connect -h\n", stderr);
    exit(2);
}

static int read_seconds(const char *text)
{
    char *end;
    long seconds = strtol(text, &end, 10);
    if (*end || end == text || seconds < 1 || seconds > 3600)
        wrong("-t: \"%s\" is not a number of seconds from 1 to 3600", text);
    return (int)seconds * 1000;
}

static void read_options(int argc, char **argv, struct wishes *w)
{
    for (int c; (c = getopt(argc, argv, "46np:t:vVh")) != -1;) {
        switch (c) {
        case '4':
        case '6':
            w->how.family = c == '4' ? AF_INET : AF_INET6;
            break;
        case 'n':
            w->plain = true;
            break;
        case 'p':
            w->profile = optarg;
            break;
        case 't':
            w->how.timeout_ms = read_seconds(optarg);
            break;
        case 'v':
            w->verbose = true;
            break;
        case 'V':
            puts("braid-connect " BRAID_VERSION);
            exit(EXIT_SUCCESS);
        case 'h':
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        default:
            exit(2);
        }
    }
    if (argc - optind != 2)
        wrong("%s", "give a host and a service, such as example.org 80");
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

static void tell(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa), size = sizeof(int);
    char host[NI_MAXHOST], port[NI_MAXSERV];
    int mptcp = 0;
    braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_ENABLE, &mptcp, &size);
    if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0 &&
        getnameinfo((const struct sockaddr *)&sa, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        fprintf(stderr, "braid-connect: connected to %s port %s by %s\n", host, port,
                mptcp ? "MPTCP" : "TCP");
}

int main(int argc, char **argv)
{
    struct wishes w = {.how = {.flags = SOCK_CLOEXEC, .prepare = prepare, .arg = &w}};
    char what[300];
    pthread_t input;
    read_options(argc, argv, &w);
    signal(SIGPIPE, SIG_IGN);
    snprintf(what, sizeof(what), "%s %s", argv[optind], argv[optind + 1]);
    int fd = braid_connect_name(argv[optind], argv[optind + 1], &w.how);
    if (fd < 0)
        return fail(what);
    if (w.verbose)
        tell(fd);
    errno = pthread_create(&input, NULL, copy_input, &fd);
    if (errno || copy(fd, STDOUT_FILENO) < 0)
        return fail(what);
    return EXIT_SUCCESS; /* what the standard input may still have is of no use */
}
