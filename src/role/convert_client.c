/* See convert_client.h. */
#include "role/convert_client.h"
#include <string.h>

#define KIND_MPTCP 30

size_t convert_client_message(uint8_t out[CONVERT_MESSAGE_MAX], const struct convert_wish *wish)
{
    static const uint8_t mptcp[] = {KIND_MPTCP, 2}; /* without a value: the converter makes its own */
    struct convert_writer w;
    convert_begin(&w, out, CONVERT_MESSAGE_MAX);
    convert_put_connect(&w, &wish->server, mptcp, wish->ask_mptcp ? sizeof(mptcp) : 0);
    if (wish->n_cookie > 0)
        convert_put_cookie(&w, wish->cookie, wish->n_cookie);
    return convert_end(&w);
}

size_t convert_client_question(uint8_t out[CONVERT_MESSAGE_MAX])
{
    struct convert_writer w;
    convert_begin(&w, out, CONVERT_MESSAGE_MAX);
    convert_put_info(&w);
    return convert_end(&w);
}

/* Seconds; none stands for the default (section 6.2.8). */
static braid_time rest_of(const struct convert_message *m)
{
    unsigned seconds = m->error_value.n > 0 ? m->error_value.at[0] : 0;
    return (seconds > 0 ? seconds : CONVERT_REST_DEFAULT) * BRAID_SECOND;
}

/* A zero byte, and the cookie. An answer without one has nothing that could be shown. */
static struct convert_answer cookie_of(const struct convert_message *m)
{
    struct convert_answer a = {.verdict = CONVERT_DENIED,
                               .text = "it wants a cookie, and gives none that fits"};
    if (m->error_value.n <= 1 || m->error_value.n - 1 > sizeof(a.cookie))
        return a;
    a.verdict = CONVERT_COOKIE_GIVEN;
    a.text = "it wants a cookie, whatever is shown";
    a.n_cookie = m->error_value.n - 1;
    memcpy(a.cookie, m->error_value.at + 1, a.n_cookie);
    return a;
}

static struct convert_answer error_of(const struct convert_message *m)
{
    switch (m->error) {
    case CONVERT_CONNECTION_RESET:
        return (struct convert_answer){.verdict = CONVERT_REFUSED, .text = "the server refused"};
    case CONVERT_DESTINATION_UNREACHABLE:
        return (struct convert_answer){.verdict = CONVERT_UNREACHABLE, .text = "the server is unreachable"};
    case CONVERT_RESOURCE_EXCEEDED:
        return (struct convert_answer){
            .verdict = CONVERT_EXHAUSTED, .text = "it is short of resources", .rest = rest_of(m)};
    case CONVERT_NETWORK_FAILURE:
        return (struct convert_answer){
            .verdict = CONVERT_EXHAUSTED, .text = "its network has failed", .rest = rest_of(m)};
    case CONVERT_NOT_AUTHORIZED:
        return (struct convert_answer){.verdict = CONVERT_UNAUTHORIZED, .text = "we are not authorized"};
    case CONVERT_UNSUPPORTED_OPTION:
        return (struct convert_answer){.verdict = CONVERT_OPTION_UNKNOWN,
                                       .text = "it does not know a TCP option"};
    case CONVERT_MISSING_COOKIE:
        return cookie_of(m);
    case CONVERT_UNSUPPORTED_VERSION:
        return (struct convert_answer){.verdict = CONVERT_DENIED, .text = "it speaks another version"};
    default:
        return (struct convert_answer){.verdict = CONVERT_DENIED, .text = "it did not understand us"};
    }
}

/* The stream's first bytes, as many as a message can have. */
static size_t first_bytes(const struct braid_conn *c, uint8_t out[CONVERT_MESSAGE_MAX])
{
    struct iovec iov[16];
    unsigned n = braid_conn_peek(c, iov, sizeof(iov) / sizeof(iov[0]));
    size_t len = 0;
    for (unsigned i = 0; i < n && len < CONVERT_MESSAGE_MAX; i++) {
        size_t take = iov[i].iov_len;
        if (take > CONVERT_MESSAGE_MAX - len)
            take = CONVERT_MESSAGE_MAX - len;
        memcpy(out + len, iov[i].iov_base, take);
        len += take;
    }
    return len;
}

/* The converter's direction has: nothing more comes. */
static bool has_ended(const struct braid_conn *c)
{
    enum braid_conn_state s = braid_conn_state(c);
    return s == BRAID_CONN_CLOSE_WAIT || s == BRAID_CONN_LAST_ACK || s == BRAID_CONN_CLOSING;
}

bool convert_client_is_refused(const struct braid_conn *c)
{
    uint8_t bytes[CONVERT_MESSAGE_MAX];
    struct convert_message m;
    return convert_parse(CONVERT_BY_CONVERTER, bytes, first_bytes(c, bytes), &m) == CONVERT_COMPLETE &&
           m.has_error;
}

struct convert_answer convert_client_hear(struct braid_conn *c)
{
    static const char text[] = "it does not speak the Convert Protocol";
    uint8_t bytes[CONVERT_MESSAGE_MAX];
    struct convert_message m;
    size_t len = first_bytes(c, bytes);
    switch (convert_parse(CONVERT_BY_CONVERTER, bytes, len, &m)) {
    case CONVERT_MORE:
        if (has_ended(c))
            return (struct convert_answer){.verdict = CONVERT_DENIED, .text = text};
        return (struct convert_answer){.verdict = CONVERT_NOT_HEARD};
    case CONVERT_COMPLETE:
        if (m.has_error)
            return error_of(&m);
        braid_conn_consume(c, m.len);
        return (struct convert_answer){.verdict = CONVERT_ACCEPTED,
                                       .server_told = m.has_extended_header,
                                       .server_mptcp = m.has_extended_header &&
                                                       convert_option_has(m.extended_header, KIND_MPTCP)};
    default: /* it, or somebody on the way (section 8) */
        return (struct convert_answer){
            .verdict = CONVERT_DENIED, .text = text, .rest = CONVERT_REST_DEFAULT * BRAID_SECOND};
    }
}
