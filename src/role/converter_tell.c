/* What a converter says to its clients, and when. With its third ACK a client that speaks MPTCP has told its
 * key: success is said behind it, by data of MPTCP's, since anything earlier would end MPTCP. An error is
 * said with the SYN/ACK, by plain TCP, so that the client's connect fails (RFC 8803 section 6.2.8). */
#include <assert.h>
#include <string.h>
#include "io/clock.h"
#include "io/upstream.h"
#include "role/converter.h"

/* Error TLVs a second, of one edge on one worker. An echo is as long as what it answers, and no longer. */
#define ERRORS 1000

/* What the kernel puts into its SYNs; of the client's side, we convert MPTCP. */
static const uint8_t supported[] = {4, 8, 30};

void converter_limit(struct client *cl)
{
    struct edge *e = client_edge(cl);
    struct conversion *co = &cl->opening->conversion;
    list_remove(&cl->link);
    list_append(&e->limited, &cl->link);
    co->deadline = clock_now() + CONVERTER_PATIENCE;
    role_expire_at(&e->owner->role, co->deadline);
    if (!cl->opening->accepted)
        braid_conn_accept(client_conn(cl));
    cl->opening->accepted = true;
}

/* There is room: nothing was written before. */
static void write_all(struct client *cl, const uint8_t *bytes, size_t n)
{
    ssize_t taken = braid_conn_write(client_conn(cl), bytes, n);
    assert(taken == (ssize_t)n || taken == BRAID_SHUT);
    (void)taken;
}

static size_t write_error(const struct converter_verdict *v, uint8_t out[CONVERT_MESSAGE_MAX])
{
    struct convert_writer w;
    convert_begin(&w, out, CONVERT_MESSAGE_MAX);
    if (v->echo)
        convert_put_error_echo(&w, v->error, v->value, v->n_value);
    else
        convert_put_error(&w, v->error, v->value, v->n_value);
    return convert_end(&w);
}

/* An answered client's stream is to begin with this, and end there. */
static void say_last(struct client *cl, const uint8_t *bytes, size_t n)
{
    struct conversion *co = &cl->opening->conversion;
    if (cl->opening->established) {
        write_all(cl, bytes, n);
        braid_conn_shutdown(client_conn(cl));
    } else {
        /* The server has failed after the client was answered, and before that has come back. */
        assert(n <= sizeof(co->answer));
        memcpy(co->answer, bytes, n);
        co->answer_len = n;
    }
}

static enum farewell_reason reason_of(enum edge_counter c)
{
    switch (c) {
    case EDGE_REFUSED:
        return FAREWELL_SERVER_REFUSED;
    case EDGE_UNREACHABLE:
        return FAREWELL_UNREACHABLE;
    case EDGE_FAILED:
        return FAREWELL_MEMORY;
    default:
        return FAREWELL_DENIED;
    }
}

void converter_refuse(struct client *cl, const struct converter_verdict *v)
{
    struct edge *e = client_edge(cl);
    struct opening *o = cl->opening;
    uint8_t bytes[CONVERT_MESSAGE_MAX];
    e->counters.v[v->counter]++;
    cl->why = reason_of(v->counter);
    o->conversion.stage = CONVERSION_TOLD;
    if (!rate_allows(&e->errors, ERRORS, clock_now())) {
        e->counters.v[EDGE_ERRORS_LIMITED]++;
        if (o->accepted)
            splice_abort(&cl->splice, CLIENT_END);
        else
            client_refuse(cl, BRAID_REFUSE_RESET);
        return;
    }
    e->counters.v[EDGE_ERRORS]++;
    size_t n = write_error(v, bytes);
    if (o->accepted) {
        say_last(cl, bytes, n);
    } else {
        o->accepted = true;
        braid_conn_accept_with(client_conn(cl), bytes, n);
    }
    converter_limit(cl);
}

void converter_answer(struct client *cl, int fd)
{
    struct conversion *co = &cl->opening->conversion;
    uint8_t options[UPSTREAM_OPTIONS];
    struct convert_writer w;
    convert_begin(&w, co->answer, sizeof(co->answer));
    if (co->is_extended && fd >= 0)
        convert_put_extended_header(&w, options, upstream_options(fd, options));
    if (co->asks_info)
        convert_put_supported(&w, supported, sizeof(supported));
    co->answer_len = convert_end(&w);
    assert(co->answer_len > 0);
    if (cl->opening->established)
        converter_speak(cl);
}

void converter_speak(struct client *cl)
{
    struct conversion *co = &cl->opening->conversion;
    if (co->answer_len > 0)
        write_all(cl, co->answer, co->answer_len);
    co->answer_len = 0;
    if (co->stage == CONVERSION_TOLD)
        braid_conn_shutdown(client_conn(cl));
}
