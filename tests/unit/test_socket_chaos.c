/* libbraid-socket, all of its calls from many threads at once, with children, beside a daemon that misbehaves
 * and is started again and again. What sanitizers see of the library they see here: what programs preload is
 * built without. The daemon is played by the test. */
#include <arpa/inet.h>
#include <braid/sctp.h>
#include <braid/socket.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "app/channel.h"
#include "base/addr.h"
#include "io/clock.h"
#include "suite.h"

#define THREADS  8
#define ROUNDS   100
#define PATIENCE (3 * BRAID_SECOND) /* for a call; the library's is two */
#define SUBFLOWS 2
#define TOLD     1024

static char directory[] = "/tmp/chaos-XXXXXX";
static struct sockaddr_un path;
static struct sockaddr_in server;
static int server_fd, channel_fd;
static pthread_t daemon_thread, server_thread;
static atomic_bool ending;
static bool misbehaves;
static atomic_uint answered;

/* ---- the daemon ---------------------------------------------------------------------------------------- */

/* What was wished of sockets, by their cookies. */
static struct {
    uint64_t cookie;
    uint32_t enable;
    char profile[APP_NAME_MAX + 1];
} told[TOLD];
static unsigned n_told;
static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t len = sizeof(cookie);
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

static void note(const struct app_message *m, int fd)
{
    pthread_mutex_lock(&told_lock);
    if (n_told < TOLD) {
        told[n_told].cookie = cookie_of(fd);
        told[n_told].enable = m->value;
        memcpy(told[n_told++].profile, m->profile, sizeof(m->profile));
    }
    pthread_mutex_unlock(&told_lock);
}

static struct braid_addr addr(const char *text)
{
    struct braid_addr a = {.port = 0};
    return addr_parse(text, &a) == 0 ? a : (struct braid_addr){.port = 0};
}

static struct app_message answer_to(const struct app_message *m)
{
    struct app_message a = {
        .kind = APP_ANSWER, .number = m->number, .has_value = true, .value = 1, .n_pairs = SUBFLOWS};
    for (unsigned i = 0; i < SUBFLOWS; i++) {
        a.pairs[i] = (struct braid_pair){.local = addr("10.0.0.2:5000"), .remote = addr("192.0.2.1:443")};
        a.figures[i] = (struct app_figures){.subflow = i, .sent = 1000 + i};
    }
    a.n_figures = SUBFLOWS;
    strcpy(a.profile, "bulk");
    return a;
}

/* Several descriptors that nobody has asked for, with an answer. */
static void send_too_much(int fd, const struct app_message *m)
{
    uint8_t bytes[APP_MESSAGE_MAX];
    union {
        char bytes[CMSG_SPACE(3 * sizeof(int))];
        struct cmsghdr align;
    } room = {.bytes = {0}};
    struct iovec iov = {bytes, app_write(m, bytes)};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof(room.bytes)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    *c = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(3 * sizeof(int))};
    memcpy(CMSG_DATA(c), (int[3]){0, 0, 0}, 3 * sizeof(int));
    sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static void misbehave(int fd, struct app_message *a, unsigned turn)
{
    switch (turn % 4) {
    case 0: /* hangs up */
        break;
    case 1:
        a->number++;
        channel_send(fd, a, -1);
        break;
    case 2:
        send(fd, "nonsense", 8, MSG_NOSIGNAL);
        break;
    default:
        send_too_much(fd, a);
    }
}

static void serve(int fd, unsigned turn)
{
    struct app_message m;
    struct channel_descriptors came = {.n = 0};
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, 1000) == 1 && channel_receive(fd, &m, &came) == CHANNEL_DONE) {
        struct app_message a = answer_to(&m);
        if (m.kind == APP_CONNECT && came.n == 1)
            note(&m, came.fd[0]);
        if (misbehaves && turn % 5 == 4)
            misbehave(fd, &a, turn / 5);
        else if (channel_send(fd, &a, -1) == CHANNEL_DONE)
            atomic_fetch_add(&answered, 1);
    }
    while (came.n > 0)
        close(came.fd[--came.n]);
    close(fd);
}

static int begin_to_listen(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    unlink(path.sun_path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&path, sizeof(path)), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

static void *daemon_main(void *arg)
{
    (void)arg;
    for (unsigned turn = 0; !ending; turn++) {
        struct pollfd p = {.fd = channel_fd, .events = POLLIN};
        int fd = poll(&p, 1, 10) == 1 ? accept4(channel_fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            serve(fd, turn);
        if (misbehaves && turn % 97 == 96) { /* it is started again; who waited is hung up on */
            close(channel_fd);
            poll(NULL, 0, 2);
            channel_fd = begin_to_listen();
        }
    }
    return NULL;
}

/* ---- who it connects to ------------------------------------------------------------------------------- */

static void *server_main(void *arg)
{
    (void)arg;
    while (!ending) {
        struct pollfd p = {.fd = server_fd, .events = POLLIN};
        int fd = poll(&p, 1, 10) == 1 ? accept4(server_fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            close(fd);
    }
    return NULL;
}

static void begin(void)
{
    socklen_t len = sizeof(server);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    path.sun_family = AF_UNIX;
    snprintf(path.sun_path, sizeof(path.sun_path), "%s/app.sock", directory);
    setenv("BRAID_APP_SOCKET", path.sun_path, 1);
    channel_fd = begin_to_listen();
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server_fd, (struct sockaddr *)&server, len), 0);
    ck_assert_int_eq(listen(server_fd, 1024), 0);
    ck_assert_int_eq(getsockname(server_fd, (struct sockaddr *)&server, &len), 0);
    ck_assert_int_eq(pthread_create(&daemon_thread, NULL, daemon_main, NULL), 0);
    ck_assert_int_eq(pthread_create(&server_thread, NULL, server_main, NULL), 0);
}

static void end(void)
{
    ending = true;
    pthread_join(daemon_thread, NULL);
    pthread_join(server_thread, NULL);
    close(channel_fd);
    close(server_fd);
    unlink(path.sun_path);
    rmdir(directory);
}

/* ---- programs ------------------------------------------------------------------------------------------ */

struct caller {
    pthread_t thread;
    unsigned number;
    unsigned done;      /* calls that did what they were asked */
    char wrong[128];    /* the first thing that was not as it should be; empty: nothing */
    braid_time longest; /* call */
};

static void complain(struct caller *c, const char *what, int result)
{
    if (!c->wrong[0])
        snprintf(c->wrong, sizeof(c->wrong), "%s: %d, errno %d (%s)", what, result, errno, strerror(errno));
}

/* That there is no daemon, or none that answers in time; EOPNOTSUPP: so SCTP's calls say it. */
static bool is_allowed(int why)
{
    return misbehaves && (why == ENOPROTOOPT || why == ENOBUFS || why == EOPNOTSUPP);
}

/* What the call gave; it may have failed for a reason that it may have while the daemon is as it is. */
static int may_fail(struct caller *c, const char *what, int result, braid_time begun)
{
    braid_time took = clock_now() - begun;
    c->longest = took > c->longest ? took : c->longest;
    if (result < 0 && !is_allowed(errno))
        complain(c, what, result);
    c->done += result >= 0;
    return result;
}

#define CALL(c, call)                                                                                        \
    ({                                                                                                       \
        braid_time begun_ = clock_now();                                                                     \
        may_fail(c, #call, call, begun_);                                                                    \
    })

static int set(int fd, int option, const void *value, size_t len)
{
    return braid_setsockopt(fd, IPPROTO_TCP, option, value, (socklen_t)len);
}

static int get(int fd, int option, void *value, size_t size)
{
    socklen_t len = (socklen_t)size;
    int result = braid_getsockopt(fd, IPPROTO_TCP, option, value, &len);
    return result < 0 ? result : (int)len;
}

static void expect_enable(struct caller *c, int fd, int wanted)
{
    int value = -1;
    if (get(fd, TCP_MULTIPATH_ENABLE, &value, sizeof(value)) < 0 || value != wanted)
        complain(c, "ENABLE before connect", value);
}

/* A child has what was set, whatever other threads were doing at that moment. */
static void ask_in_a_child(struct caller *c, int fd, int wanted)
{
    int status = -1, value = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(get(fd, TCP_MULTIPATH_ENABLE, &value, sizeof(value)) < 0 || value != wanted);
    if (waitpid(child, &status, 0) != child || status != 0)
        complain(c, "a child", status);
}

/* True: all of it was taken. */
static bool wish(struct caller *c, int fd, int enable, const char *profile)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000002)};
    bool taken = CALL(c, set(fd, TCP_MULTIPATH_ENABLE, &enable, sizeof(enable))) == 0 &&
                 CALL(c, set(fd, TCP_MULTIPATH_PROFILE, profile, strlen(profile))) == 0;
    CALL(c, set(fd, TCP_MULTIPATH_ADD, &local, sizeof(local)));
    CALL(c, sctp_bindx(fd, (struct sockaddr *)&local, 1, SCTP_BINDX_REM_ADDR));
    return taken;
}

/* What the daemon was told of this socket is this socket's. */
static void expect_told(struct caller *c, int fd, int enable, const char *profile)
{
    uint64_t cookie = cookie_of(fd);
    pthread_mutex_lock(&told_lock);
    for (unsigned i = 0; i < n_told; i++)
        if (told[i].cookie == cookie &&
            (told[i].enable != (uint32_t)enable || strcmp(told[i].profile, profile) != 0))
            complain(c, "the wishes of another socket", (int)told[i].enable);
    pthread_mutex_unlock(&told_lock);
}

static void ask_everything(struct caller *c, int fd)
{
    struct tcp_multipath_subflow flows[4];
    struct tcp_multipath_statistics figures[4];
    struct sockaddr *addrs;
    char name[64];
    uint32_t number = 1;
    int len = CALL(c, get(fd, TCP_MULTIPATH_SUBFLOWS, flows, sizeof(flows)));
    if (len >= 0 && (len != SUBFLOWS * (int)sizeof(flows[0]) || flows[1].local.in.sin_port != htons(5000)))
        complain(c, "SUBFLOWS", len);
    if (len >= 0)
        CALL(c, set(fd, TCP_MULTIPATH_OPEN, &flows[0], sizeof(flows[0])));
    len = CALL(c, get(fd, TCP_MULTIPATH_STATISTICS, figures, sizeof(figures)));
    if (len >= 0 && (len != SUBFLOWS * (int)sizeof(figures[0]) || figures[1].bytes_sent != 1001))
        complain(c, "STATISTICS", len);
    len = CALL(c, get(fd, TCP_MULTIPATH_PROFILE, name, sizeof(name)));
    if (len >= 0 && strcmp(name, "bulk") != 0)
        complain(c, "PROFILE", len);
    CALL(c, get(fd, TCP_MULTIPATH_CONNID, &number, sizeof(number)));
    CALL(c, get(fd, TCP_MULTIPATH_ENABLE, &number, sizeof(number)));
    for (int option = TCP_MULTIPATH_CLOSE; option <= TCP_MULTIPATH_USE; option++)
        CALL(c, set(fd, option, &number, sizeof(number)));
    if (CALL(c, sctp_getladdrs(fd, 0, &addrs)) > 0)
        sctp_freeladdrs(addrs);
}

static void go_round(struct caller *c, unsigned round)
{
    char profile[APP_NAME_MAX];
    int enable = (int)(c->number + round) & 1, one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(profile, sizeof(profile), "p%u-%u", c->number, round);
    bool taken = wish(c, fd, enable, profile);
    int other = dup(fd); /* which is the same socket */
    close(fd);
    if (taken) {
        expect_enable(c, other, enable);
        if (round % 8 == c->number)
            ask_in_a_child(c, other, enable);
    }
    if (set(other, TCP_NODELAY, &one, sizeof(one)) < 0 || get(other, TCP_NODELAY, &one, sizeof(one)) < 0)
        complain(c, "an option of the kernel's", 0);
    if (CALL(c, braid_socket_connect(other, (struct sockaddr *)&server, sizeof(server))) == 0) {
        if (taken)
            expect_told(c, other, enable, profile);
        ask_everything(c, other);
    }
    close(other);
}

static void *caller_main(void *arg)
{
    struct caller *c = arg;
    for (unsigned round = 0; round < ROUNDS && !c->wrong[0]; round++)
        go_round(c, round);
    return NULL;
}

static void call_from_all(void)
{
    static struct caller callers[THREADS];
    memset(callers, 0, sizeof(callers));
    for (unsigned i = 0; i < THREADS; i++) {
        callers[i].number = i;
        ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(callers[i].thread, NULL);
        ck_assert_str_eq(callers[i].wrong, "");
        ck_assert_int_lt(callers[i].longest, PATIENCE);
        ck_assert_uint_gt(callers[i].done, ROUNDS);
    }
}

static unsigned descriptors(void)
{
    unsigned n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

START_TEST(beside_an_honest_daemon_all_is_done)
{
    unsigned before = descriptors();
    misbehaves = false;
    begin();
    call_from_all();
    ck_assert_uint_ge(atomic_load(&answered), THREADS * ROUNDS);
    end();
    ck_assert_uint_eq(descriptors(), before);
}
END_TEST

START_TEST(beside_one_that_misbehaves_nobody_hangs_and_nothing_is_mixed_up)
{
    unsigned before = descriptors();
    misbehaves = true;
    begin();
    call_from_all();
    end();
    ck_assert_uint_eq(descriptors(), before);
}
END_TEST

/* Many of them, with descriptors that are used again for others. */
START_TEST(what_was_set_stays_with_the_socket_by_whatever_descriptor)
{
    static int fds[400];
    misbehaves = false;
    begin();
    for (int i = 0; i < 400; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0), enable = i & 1;
        ck_assert_int_eq(set(fd, TCP_MULTIPATH_ENABLE, &enable, sizeof(enable)), 0);
        fds[i] = fcntl(fd, F_DUPFD, 500);
        close(fd);
    }
    for (int i = 0; i < 400; i++) {
        int enable = -1;
        ck_assert_int_gt(get(fds[i], TCP_MULTIPATH_ENABLE, &enable, sizeof(enable)), 0);
        ck_assert_int_eq(enable, i & 1);
        close(fds[i]);
    }
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("socket_chaos");
    TCase *t = tcase_create("socket_chaos");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, beside_an_honest_daemon_all_is_done);
    tcase_add_test(t, beside_one_that_misbehaves_nobody_hangs_and_nothing_is_mixed_up);
    tcase_add_test(t, what_was_set_stays_with_the_socket_by_whatever_descriptor);
    suite_add_tcase(s, t);
    return run_suite(s);
}
