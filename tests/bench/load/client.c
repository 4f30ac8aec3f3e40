/* The load generator: one process, one thread, MPTCP sockets of the kernel. It prints one JSON document.
 *     client [-T] [-n CONNECTIONS] [-t SECONDS] [-w RAMP] [-q REQUEST] [-a ANSWER] [-W WINDOW]
 *            [-p PID] ADDRESS PORT down|up|rate|rtt|messages|idle */
#include <arpa/inet.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netdb.h>
#include "load.h"

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "client: ");
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void resolve(struct load *l, const char *address, const char *port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(address, port, &hints, &found);
    if (error)
        die("%s, port %s: %s", address, port, gai_strerror(error));
    memcpy(&l->to, found->ai_addr, found->ai_addrlen);
    l->to_len = found->ai_addrlen;
    freeaddrinfo(found);
}

static void run(const struct load *l, const char *kind)
{
    if (strcmp(kind, "down") == 0 || strcmp(kind, "up") == 0)
        load_goodput(l, kind[0] == 'd');
    else if (strcmp(kind, "rate") == 0)
        load_rate(l);
    else if (strcmp(kind, "rtt") == 0)
        load_rtt(l);
    else if (strcmp(kind, "messages") == 0)
        load_messages(l);
    else if (strcmp(kind, "idle") == 0)
        load_idle(l);
    else
        die("no load is called %s", kind);
}

int main(int argc, char **argv)
{
    struct load l = {
        .connections = 1, .ramp = 0.5, .seconds = 3, .request = REQUEST, .answer = REQUEST, .window = 1};
    for (int option; (option = getopt(argc, argv, "Tn:t:w:p:q:a:W:")) != -1;) {
        switch (option) {
        case 'T':
            l.plain = true;
            break;
        case 'n':
            l.connections = (unsigned)atoi(optarg);
            break;
        case 't':
            l.seconds = atof(optarg);
            break;
        case 'w':
            l.ramp = atof(optarg);
            break;
        case 'q':
            l.request = (uint32_t)atoi(optarg);
            break;
        case 'a':
            l.answer = (uint32_t)atoi(optarg);
            break;
        case 'W':
            l.window = (unsigned)atoi(optarg);
            break;
        case 'p':
            l.proxy = atoi(optarg);
            break;
        default:
            return 2;
        }
    }
    if (argc - optind != 3 || l.connections == 0 || l.request < sizeof(struct order))
        die("usage: client [-T] [-n CONNECTIONS] [-t SECONDS] [-w RAMP] [-q REQUEST] [-a ANSWER] [-W WINDOW] "
            "[-p PID] "
            "ADDRESS PORT KIND");
    signal(SIGPIPE, SIG_IGN);
    resolve(&l, argv[optind], argv[optind + 1]);
    run(&l, argv[optind + 2]);
    return 0;
}
