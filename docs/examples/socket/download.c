/* A downloader that moves from one uplink to another: it begins with the first, takes the second one in when
 * a third of the file is here, and gives up the first at two thirds. The file goes to standard output. */
#define _GNU_SOURCE /* strcasestr */
#include "example.h"

static void say_what_was_carried(int fd, const char *when)
{
    struct tcp_multipath_statistics s[TCP_MULTIPATH_SUBFLOWS_MAX];
    socklen_t len = sizeof(s);
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_STATISTICS, s, &len) < 0)
        die("TCP_MULTIPATH_STATISTICS");
    fprintf(stderr, "%s:", when);
    for (size_t i = 0; i < len / sizeof(s[0]); i++)
        fprintf(stderr, " %s %llu", text(&s[i].local), (unsigned long long)s[i].bytes_received);
    fprintf(stderr, "\n");
}

/* Sends the request, and reads the head of the answer, a byte at a time. The length of the body. */
static long long ask(int fd, const char *host, const char *path)
{
    char head[4096];
    int n = snprintf(head, sizeof(head), "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, host);
    if (n >= (int)sizeof(head) || write(fd, head, (size_t)n) != n)
        die("write");
    for (n = 0; n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0; n++)
        if (n == sizeof(head) - 1 || read(fd, head + n, 1) != 1)
            die("the answer");
    head[n] = '\0';
    const char *length = strcasestr(head, "\r\nContent-Length:");
    if (!length || strncmp(head, "HTTP/1.", 7) != 0 || atoi(head + 9) != 200) {
        fprintf(stderr, "%s\n", head);
        exit(1);
    }
    return atoll(length + strlen("\r\nContent-Length:"));
}

int main(int argc, char **argv)
{
    if (argc != 6)
        usage(argv[0], "SERVER PORT PATH FIRST SECOND");
    union tcp_multipath_address server = address(argv[1], argv[2]), first = address(argv[4], "0"),
                                second = address(argv[5], "0");
    int fd = open_socket(&server), stage = 0;
    SET(fd, TCP_MULTIPATH_ADD, &first, size_of(&first));
    connect_socket(fd, &server);
    long long all = ask(fd, argv[1], argv[3]), done = 0;
    static char bytes[65536];
    for (ssize_t n; done < all && (n = read(fd, bytes, sizeof(bytes))) > 0; done += n) {
        if (fwrite(bytes, 1, (size_t)n, stdout) != (size_t)n)
            die("output");
        if (stage == 0 && done >= all / 3) {
            say_what_was_carried(fd, "one third");
            SET(fd, TCP_MULTIPATH_ADD, &second, size_of(&second));
            stage++;
        } else if (stage == 1 && done >= all / 3 * 2) {
            say_what_was_carried(fd, "two thirds");
            SET(fd, TCP_MULTIPATH_REMOVE, &first, size_of(&first));
            stage++;
        }
    }
    say_what_was_carried(fd, "all");
    return done == all ? 0 : 1;
}
