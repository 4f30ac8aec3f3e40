/* Calls that programs may make at awkward moments: what POSIX allows must work with libbraid-socket
 * preloaded. `strained NAME ADDRESS PORT`, where somebody listens; with status 0 if it did. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ENABLE   10002 /* TCP_MULTIPATH_ENABLE */
#define PATIENCE 20    /* seconds, after which SIGALRM ends the program: it hangs */
#define CONNECTS 300   /* within a handler */

static struct sockaddr_in server;

/* ---- getsockopt is no cancellation point ---- */

static int descriptors(void)
{
    int n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static int connected(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&server, sizeof(server)) == 0 ? fd : -1;
}

static int asked = -2;

static void *ask_when_cancelled(void *fd)
{
    int enable;
    socklen_t len = sizeof(enable);
    pthread_cancel(pthread_self());
    asked = getsockopt(*(int *)fd, IPPROTO_TCP, ENABLE, &enable, &len);
    pthread_testcancel();
    return NULL;
}

static int cancelled(void)
{
    pthread_t thread;
    void *how;
    int fd = connected(), before = descriptors();
    pthread_create(&thread, NULL, ask_when_cancelled, &fd);
    pthread_join(thread, &how);
    if (how != PTHREAD_CANCELED || asked != 0)
        return 2;
    return descriptors() == before ? 0 : 3;
}

/* ---- connect is safe in handlers of signals ---- */

static volatile sig_atomic_t handled;

static void connect_now(int number)
{
    int saved = errno, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)number;
    connect(fd, (struct sockaddr *)&server, sizeof(server));
    close(fd);
    handled++;
    errno = saved;
}

/* While the library does what it has a lock for. */
static int handler(void)
{
    struct itimerval often = {{0, 300}, {0, 300}};
    struct sigaction action = {.sa_handler = connect_now, .sa_flags = SA_RESTART};
    int fd = socket(AF_INET, SOCK_STREAM, 0), off = 0;
    socklen_t len = sizeof(off);
    if (setsockopt(fd, IPPROTO_TCP, ENABLE, &off, len) < 0)
        return 2;
    inet_pton(AF_INET, "127.0.0.1", &server.sin_addr); /* is carried by nobody, and refuses */
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &often, NULL);
    while (handled < CONNECTS)
        if (getsockopt(fd, IPPROTO_TCP, ENABLE, &off, &len) < 0 || off != 0)
            return 3;
    return 0;
}

/* ---- pointers to nowhere are the kernel's to refuse ---- */

static int nowhere(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), how;
    how = connect(fd, (struct sockaddr *)1, sizeof(server));
    return how < 0 && errno == EFAULT ? 0 : 2;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } all[] = {{"cancelled", cancelled}, {"handler", handler}, {"nowhere", nowhere}};
    if (argc != 4)
        return 1;
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((in_port_t)atoi(argv[3]))};
    inet_pton(AF_INET, argv[2], &server.sin_addr);
    alarm(PATIENCE);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(all[i].name, argv[1]) == 0)
            return all[i].run();
    return 1;
}
