/* Settings, what the application does, and what it finds. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "pkt.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct words {
    struct script *s;
    char **w; /* without the command itself */
    unsigned n;
};

static const char *word_at(const struct words *a, unsigned i)
{
    if (i >= a->n)
        fail(a->s, "something is missing at the end of the line");
    return a->w[i];
}

static bool is_word(const struct words *a, unsigned i, const char *word)
{
    return i < a->n && strcmp(a->w[i], word) == 0;
}

static uint64_t number_at(const struct words *a, unsigned i)
{
    return (uint64_t)parse_number(a->s, word_at(a, i));
}

/* The place of word i among `names`, which end with NULL. */
static unsigned choice_at(const struct words *a, unsigned i, const char *const *names)
{
    for (unsigned c = 0; names[c]; c++)
        if (is_word(a, i, names[c]))
            return c;
    fail(a->s, "\"%s\" is none of them", word_at(a, i));
}

static bool on_at(const struct words *a, unsigned i)
{
    const char *word = word_at(a, i);

    if (strcmp(word, "on") != 0 && strcmp(word, "off") != 0)
        fail(a->s, "\"on\" or \"off\" expected instead of \"%s\"", word);
    return strcmp(word, "on") == 0;
}

static struct braid_addr addr_at(const struct words *a, unsigned i)
{
    struct braid_addr addr = {0};
    const char *word = word_at(a, i);

    if (ip_parse(word, &addr.ip) != 0 && addr_parse(word, &addr) != 0)
        fail(a->s, "\"%s\" is not an address", word);
    return addr;
}

/* ---- settings ---- */

/* "flow NAME PEER:PORT > CORE:PORT" */
static void set_flow(const struct words *a)
{
    const char *name = word_at(a, 0);
    struct flow *f = a->s->flows;

    for (; f < a->s->flows + a->s->n_flows && strcmp(f->name, name) != 0; f++)
        ;
    if (f == a->s->flows + FLOWS)
        fail(a->s, "more than %d flows", FLOWS);
    if (strlen(name) >= sizeof(f->name))
        fail(a->s, "\"%s\" is too long for a name", name);
    strcpy(f->name, name);
    f->peer = addr_at(a, 1);
    if (!is_word(a, 2, ">"))
        fail(a->s, "flow NAME PEER:PORT > CORE:PORT expected");
    f->core = addr_at(a, 3);
    if (ip_is_v4(&f->peer.ip) != ip_is_v4(&f->core.ip) || !f->peer.port || !f->core.port)
        fail(a->s, "a flow needs two ports, and two addresses of one family");
    f->peer_iss = 1000;
    if (f == a->s->flows + a->s->n_flows)
        a->s->n_flows++;
}

static void set_pm(struct words *a)
{
    for (unsigned i = 0; pm_algorithms[i]; i++)
        if (is_word(a, 1, pm_algorithms[i]->name))
            a->s->pm = pm_algorithms[i];
    if (!a->s->pm)
        fail(a->s, "there is no path manager \"%s\"", word_at(a, 1));
}

static void set_signal(struct words *a)
{
    if (a->s->n_signal == COUNT(a->s->signal))
        fail(a->s, "more than %zu addresses to signal", COUNT(a->s->signal));
    a->s->signal[a->s->n_signal++] = addr_at(a, 1).ip;
}

static void set_option(struct words *a)
{
    struct script *s = a->s;
    struct braid_core_params *p = &s->params;
    const char *name = word_at(a, 0);
    const struct {
        const char *name;
        braid_time *value;
    } times[] = {{"keepalive", &p->keepalive_idle},
                 {"time_wait", &p->time_wait},
                 {"break_before_make", &p->break_before_make},
                 {"syn_timeout", &p->syn_timeout}};
    const struct {
        const char *name;
        size_t *value;
    } sizes[] = {{"memory", &p->memory}, {"rcvbuf", &p->rcvbuf_max}, {"sndbuf", &p->sndbuf_max}};

    for (size_t i = 0; i < COUNT(times); i++)
        if (strcmp(name, times[i].name) == 0) {
            *times[i].value = parse_time(s, word_at(a, 1));
            return;
        }
    for (size_t i = 0; i < COUNT(sizes); i++)
        if (strcmp(name, sizes[i].name) == 0) {
            *sizes[i].value = number_at(a, 1);
            return;
        }
    if (strcmp(name, "checksum") == 0)
        s->checksum = on_at(a, 1);
    else if (strcmp(name, "max_subflows") == 0)
        p->max_subflows = (unsigned)number_at(a, 1);
    else if (strcmp(name, "max_conns") == 0)
        p->max_conns = (uint32_t)number_at(a, 1);
    else if (strcmp(name, "mtu") == 0)
        p->mtu = (uint16_t)number_at(a, 1);
    else if (strcmp(name, "iss") == 0)
        s->has_iss = true, s->iss = (uint32_t)number_at(a, 1);
    else if (strcmp(name, "peer_iss") == 0)
        s->flows[MAIN_FLOW].peer_iss = (uint32_t)number_at(a, 1);
    else if (strcmp(name, "core_idsn") == 0)
        s->has_core_idsn = true, s->want_core_idsn = number_at(a, 1);
    else if (strcmp(name, "peer_idsn") == 0)
        s->has_peer_idsn = true, s->want_peer_idsn = number_at(a, 1);
    else if (strcmp(name, "port") == 0)
        p->port_first = p->port_last = (uint16_t)number_at(a, 1);
    else if (strcmp(name, "established") == 0)
        s->give_up = choice_at(a, 1, (const char *const[]){"kept", "abort", "release", NULL});
    else if (strcmp(name, "no_join") == 0)
        s->no_join = on_at(a, 1);
    else if (strcmp(name, "version_0") == 0)
        s->version_0 = on_at(a, 1);
    else if (strcmp(name, "version") == 0)
        s->version = choice_at(a, 1, (const char *const[]){"0", "1", NULL}), s->version_0 |= s->version == 0;
    else if (strcmp(name, "believe") == 0)
        s->believing = on_at(a, 1);
    else if (strcmp(name, "clients") == 0)
        s->clients = choice_at(a, 1, (const char *const[]){"default", "any", "mptcp", "plain", NULL});
    else if (strcmp(name, "wants_plain") == 0)
        s->wants_plain = on_at(a, 1);
    else if (strcmp(name, "syn_data") == 0)
        s->syn_data = (uint16_t)number_at(a, 1);
    else if (strcmp(name, "half_open") == 0)
        p->half_open = (uint32_t)number_at(a, 1);
    else if (strcmp(name, "corekey") == 0)
        s->corekey = number_at(a, 1);
    else if (strcmp(name, "peerkey") == 0)
        s->peer_key = number_at(a, 1);
    else if (strcmp(name, "signal") == 0)
        set_signal(a);
    else if (strcmp(name, "pm") == 0)
        set_pm(a);
    else
        fail(s, "there is no option \"%s\"", name);
}

bool setting_run(struct script *s, char **words, unsigned n)
{
    struct words a = {s, words + 1, n - 1};
    bool option = strcmp(words[0], "option") == 0;

    if (!option && strcmp(words[0], "flow") != 0)
        return false;
    if (s->core && (option || s->n_flows == 0))
        fail(s, "settings come first");
    if (option)
        set_option(&a);
    else
        set_flow(&a);
    return true;
}

/* ---- what the application does ---- */

static struct braid_conn *conn(const struct words *a)
{
    if (!a->s->conn)
        fail(a->s, "there is no connection");
    return a->s->conn;
}

/* As many of the next bytes to be written as word i says. */
static size_t take_bytes(const struct words *a, unsigned i, uint8_t *bytes, size_t room)
{
    uint64_t n = number_at(a, i);

    if (n > room)
        fail(a->s, "more than %zu bytes", room);
    for (uint64_t k = 0; k < n; k++)
        bytes[k] = stream_byte(a->s->written++);
    return n;
}

/* "accept [with N|early N]": with the next N bytes, or N of what is written may leave before the third ACK.
 */
static void do_accept(struct words *a)
{
    struct script *s = a->s;

    if (!s->incoming)
        fail(s, "no connection has come in");
    s->incoming = false;
    if (is_word(a, 0, "early")) {
        braid_conn_accept_early(conn(a), (uint16_t)number_at(a, 1));
        return;
    }
    if (!is_word(a, 0, "with")) {
        braid_conn_accept(conn(a));
        return;
    }
    uint8_t bytes[2048];
    braid_conn_accept_with(conn(a), bytes, take_bytes(a, 1, bytes, sizeof(bytes)));
}

static void do_refuse(struct words *a)
{
    if (!a->s->incoming)
        fail(a->s, "no connection has come in");
    a->s->incoming = false;
    enum braid_refusal how = is_word(a, 0, "unreachable") ? BRAID_REFUSE_UNREACHABLE
                             : is_word(a, 0, "silently")  ? BRAID_REFUSE_SILENTLY
                                                          : BRAID_REFUSE_RESET;
    braid_conn_refuse(conn(a), how);
    a->s->conn = NULL;
}

/* "connect [plain] [with N]": the SYN carries the next N bytes. */
static void do_connect(struct words *a)
{
    struct script *s = a->s;
    bool plain = is_word(a, 0, "plain");
    uint8_t bytes[2048];
    uint16_t n = is_word(a, plain, "with") ? (uint16_t)take_bytes(a, plain + 1u, bytes, sizeof(bytes)) : 0;
    struct braid_connect_params p = {.local = s->flows[MAIN_FLOW].core,
                                     .remote = s->flows[MAIN_FLOW].peer,
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .pm = s->pm,
                                     .checksum = s->checksum,
                                     .plain = plain,
                                     .syn_data = bytes,
                                     .syn_len = n,
                                     .no_join = s->no_join,
                                     .version_0 = s->version == 0,
                                     .believe_addresses = s->believing,
                                     .ops = &script_ops,
                                     .user = s};

    s->conn = braid_connect(s->core, &p, s->now);
    if (!s->conn)
        fail(s, "connect failed");
}

/* "join FLOW [backup] [refused]" */
static void do_join(struct words *a)
{
    struct flow *f = script_flow(a->s, word_at(a, 0));
    bool backup = is_word(a, 1, "backup"), refused = is_word(a, 1u + backup, "refused");
    int result = braid_conn_join(conn(a), &f->core, &f->peer, backup, a->s->now);

    if ((result != 0) != refused)
        fail(a->s, refused ? "the join was not refused" : "the join was refused");
}

/* "read N [data POSITION]": all that there is to read are these bytes. */
static void do_read(struct words *a)
{
    struct script *s = a->s;
    uint64_t want = number_at(a, 0), got = 0, at = is_word(a, 1, "data") ? number_at(a, 2) - 1 : s->read_at;
    struct iovec iov[64];
    unsigned n = braid_conn_peek(conn(a), iov, COUNT(iov));

    for (unsigned i = 0; i < n; i++) {
        const uint8_t *b = iov[i].iov_base;

        for (size_t k = 0; k < iov[i].iov_len; k++, got++)
            if (b[k] != stream_byte(at + got))
                fail(s, "byte %llu of the stream is wrong", (unsigned long long)(at + got + 1));
    }
    if (got != want)
        fail(s, "%llu bytes to read", (unsigned long long)got);
    s->read_at += got;
    braid_conn_consume(conn(a), got);
}

/* "write N [end]": all of them fit; they are the last ones. */
static void do_write(struct words *a)
{
    struct script *s = a->s;
    uint64_t n = number_at(a, 0);

    for (; n > 0; n--, s->written++) {
        uint8_t byte = stream_byte(s->written);

        if (braid_conn_write(conn(a), &byte, 1) != 1)
            fail(s, "%llu bytes did not fit", (unsigned long long)n);
    }
    if (is_word(a, 1, "end"))
        braid_conn_shutdown(conn(a));
}

static void do_shutdown(struct words *a)
{
    braid_conn_shutdown(conn(a));
}

static void do_abort(struct words *a)
{
    braid_conn_abort(conn(a));
}

static void do_release(struct words *a)
{
    braid_conn_release(conn(a));
    a->s->conn = NULL;
}

static void do_announce(struct words *a)
{
    struct braid_addr addr = addr_at(a, 0);

    if (braid_conn_announce(conn(a), &addr) != 0)
        fail(a->s, "announcing was refused");
}

/* "endpoint ADDRESS on|off [backup]" */
static void do_endpoint(struct words *a)
{
    struct braid_endpoint e = {.addr = addr_at(a, 0), .subflow = true, .backup = is_word(a, 2, "backup")};
    int result = on_at(a, 1) ? braid_core_endpoint_add(a->s->core, &e)
                             : braid_core_endpoint_remove(a->s->core, &e.addr.ip);

    if (result != 0)
        fail(a->s, "the endpoint was refused");
}

static void do_withdraw(struct words *a)
{
    struct braid_addr addr = addr_at(a, 0);

    if (braid_conn_withdraw(conn(a), &addr.ip) != 0)
        fail(a->s, "withdrawing was refused");
}

static void do_forbid(struct words *a)
{
    struct braid_addr addr = addr_at(a, 0);

    if (braid_conn_forbid(conn(a), &addr.ip) != 0)
        fail(a->s, "forbidding was refused");
}

static void do_allow(struct words *a)
{
    struct braid_addr addr = addr_at(a, 0);

    if (braid_conn_allow(conn(a), &addr) != BRAID_ERROR_NONE)
        fail(a->s, "allowing was refused");
}

static const struct braid_subflow_stats *subflow_at(const struct words *a, unsigned i)
{
    static struct braid_conn_stats stats;
    const struct flow *f = script_flow(a->s, word_at(a, i));

    braid_conn_stats(conn(a), &stats);
    for (unsigned k = 0; k < stats.n_subflows && k < BRAID_STATS_SUBFLOWS; k++)
        if (addr_equal(&stats.subflows[k].local, &f->core) && addr_equal(&stats.subflows[k].remote, &f->peer))
            return &stats.subflows[k];
    return NULL;
}

static uint32_t subflow_id_at(const struct words *a, unsigned i)
{
    const struct braid_subflow_stats *f = subflow_at(a, i);

    if (!f)
        fail(a->s, "%s is no subflow", a->w[i]);
    return f->id;
}

static void do_backup(struct words *a)
{
    if (braid_conn_set_backup(conn(a), subflow_id_at(a, 0), on_at(a, 1)) != 0)
        fail(a->s, "backup was refused");
}

static void do_reset(struct words *a)
{
    if (braid_conn_reset_subflow(conn(a), subflow_id_at(a, 0)) != 0)
        fail(a->s, "the reset was refused");
}

static void do_reason(struct words *a)
{
    if (braid_conn_set_option(conn(a), BRAID_OPT_RESET_REASON, (int64_t)number_at(a, 0)) != 0)
        fail(a->s, "the reason was refused");
}

/* ---- what it finds ---- */

static void expect_closed(const struct words *a)
{
    static const char *const reasons[] = {"done",        "reset",    "timeout",   "refused",
                                          "unreachable", "protocol", "resources", "aborted"};

    if (!a->s->closed)
        fail(a->s, "the connection is open");
    if (strcmp(reasons[a->s->why], word_at(a, 1)) != 0)
        fail(a->s, "closed: %s", reasons[a->s->why]);
}

static void expect_counter(const struct words *a)
{
    const struct braid_counters *c = braid_core_counters(a->s->core);
    const char *name = word_at(a, 1);

    for (int i = 0; i < COUNT_MAX; i++) {
        if (strcmp(braid_counter_name((enum braid_counter)i), name) != 0)
            continue;
        if (c->v[i] != number_at(a, 2))
            fail(a->s, "%s is %llu", name, (unsigned long long)c->v[i]);
        return;
    }
    fail(a->s, "there is no counter %s", name);
}

static void expect_state(const struct words *a)
{
    const struct braid_subflow_stats *f = subflow_at(a, 1);
    const char *state = f ? f->state : "none";

    if (strcmp(state, word_at(a, 2)) != 0)
        fail(a->s, "the state is %s", state);
}

static void expect_number(const struct words *a, uint64_t is)
{
    if (is != number_at(a, 1))
        fail(a->s, "%s is %llu", a->w[0], (unsigned long long)is);
}

static void expect_true(const struct words *a, bool is)
{
    if (!is)
        fail(a->s, "it is not so");
}

static uint64_t readable(const struct words *a)
{
    struct iovec iov[64];
    unsigned n = braid_conn_peek(conn(a), iov, COUNT(iov));
    uint64_t bytes = 0;

    for (unsigned i = 0; i < n; i++)
        bytes += iov[i].iov_len;
    return bytes;
}

static uint64_t option_of(const struct words *a, enum braid_option option)
{
    int64_t value = -1;

    braid_conn_get_option(conn(a), option, &value);
    return (uint64_t)value;
}

static void expect_mode(const struct words *a)
{
    static const char *const names[] = {"not-yet", "mptcp", "plain", "fallen-back", NULL};
    uint64_t mode = option_of(a, BRAID_OPT_MODE);

    if (mode != choice_at(a, 1, names))
        fail(a->s, "the mode is %s", names[mode]);
}

static void expect_of_conn(struct words *a, const char *what)
{
    static struct braid_conn_stats stats;

    braid_conn_stats(conn(a), &stats);
    if (strcmp(what, "mptcp") == 0)
        expect_true(a, stats.mptcp);
    else if (strcmp(what, "plain") == 0)
        expect_true(a, !stats.mptcp);
    else if (strcmp(what, "fellback") == 0)
        expect_true(a, stats.fell_back);
    else if (strcmp(what, "checksum") == 0)
        expect_true(a, stats.checksum == on_at(a, 1));
    else if (strcmp(what, "subflows") == 0)
        expect_number(a, stats.n_subflows);
    else if (strcmp(what, "eof") == 0)
        expect_true(a, braid_conn_eof(conn(a)));
    else if (strcmp(what, "more") == 0)
        expect_true(a, !braid_conn_eof(conn(a)));
    else if (strcmp(what, "readable") == 0)
        expect_number(a, readable(a));
    else if (strcmp(what, "syn-data") == 0)
        expect_number(a, option_of(a, BRAID_OPT_SYN_DATA));
    else if (strcmp(what, "state") == 0)
        expect_state(a);
    else if (strcmp(what, "mode") == 0)
        expect_mode(a);
    else
        fail(a->s, "\"%s\" cannot be expected", what);
}

static void do_expect(struct words *a)
{
    const char *what = word_at(a, 0);
    struct script *s = a->s;

    if (strcmp(what, "established") == 0)
        expect_true(a, s->established);
    else if (strcmp(what, "unestablished") == 0)
        expect_true(a, !s->established);
    else if (strcmp(what, "open") == 0)
        expect_true(a, s->conn && !s->closed);
    else if (strcmp(what, "incoming") == 0)
        expect_true(a, s->incoming);
    else if (strcmp(what, "no-incoming") == 0)
        expect_true(a, !s->incoming);
    else if (strcmp(what, "closed") == 0)
        expect_closed(a);
    else if (strcmp(what, "counter") == 0)
        expect_counter(a);
    else
        expect_of_conn(a, what);
}

void command_run(struct script *s, char **words, unsigned n)
{
    static const struct {
        const char *name;
        void (*run)(struct words *a);
    } commands[] = {
        {"accept", do_accept},   {"refuse", do_refuse},     {"connect", do_connect},   {"join", do_join},
        {"read", do_read},       {"write", do_write},       {"shutdown", do_shutdown}, {"abort", do_abort},
        {"release", do_release}, {"announce", do_announce}, {"withdraw", do_withdraw}, {"forbid", do_forbid},
        {"allow", do_allow},     {"backup", do_backup},     {"endpoint", do_endpoint}, {"reset", do_reset},
        {"reason", do_reason},   {"expect", do_expect},
    };
    struct words a = {s, words + 1, n - 1};

    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(words[0], commands[i].name) == 0) {
            commands[i].run(&a);
            script_settle(s);
            return;
        }
    fail(s, "\"%s\" is no command", words[0]);
}
