/* What a client sends behind its message in the SYN may go to the server before the third ACK, and the
 * server's answer come back behind the SYN/ACK: one round trip for both (RFC 8803 section 4.2, RFC 7413). TCP
 * would wait for the third ACK for two reasons. The SYN may come from somebody else: how much is sent to an
 * address that has proven nothing is limited, and to how many such addresses (role/unproven.h). And it may
 * have been here before: a copy that the network has kept until its connection was over would make a second
 * request of one. So those that went this way are remembered for as long as a segment lives; what looks like
 * one of them, and everything while there is no room to remember more, waits for the third ACK, which a copy
 * never gets. */
#include <string.h>
#include "io/clock.h"
#include "relay/end_conn.h"
#include "role/converter.h"

#define SEGMENT_LIFE (120 * BRAID_SECOND) /* RFC 9293 section 3.4.2, MSL */
#define UNPROVEN     4380                 /* bytes to an address that has proven nothing: three segments */

struct sent_before {
    struct recent_entry entry;
    braid_time until;
};

/* The server and the data behind the message. They differ for each request, or the client's port does. */
static uint32_t digest(const struct client *cl)
{
    uint8_t bytes[sizeof(cl->server) + CONVERTER_SYN_DATA];
    size_t len = sizeof(cl->server);
    memcpy(bytes, &cl->server, len);
    len += end_conn_copy(client_conn(cl), bytes + len, sizeof(bytes) - len);
    return (uint32_t)siphash(&client_edge(cl)->early.key, bytes, len);
}

static bool is_over(const struct recent_entry *e, braid_time now)
{
    return ((const struct sent_before *)e)->until <= now;
}

/* Remembers it. False: it may have been here before, or cannot be remembered. */
static bool is_first(struct client *cl, braid_time now)
{
    struct recent *r = &client_edge(cl)->early;
    struct braid_addr ours, client;
    braid_conn_addrs(client_conn(cl), &ours, &client);
    const struct recent_key key = {.ip = client.ip, .owner = digest(cl), .port = client.port};
    while (recent_count(r) > 0 && is_over(recent_entry(r->order.next), now))
        recent_drop(r, recent_entry(r->order.next));
    if (recent_count(r) == r->max || recent_find(r, &key))
        return false;
    struct recent_entry *e = recent_put(r, &key, sizeof(struct sent_before));
    if (e)
        ((struct sent_before *)e)->until = now + SEGMENT_LIFE;
    return e;
}

bool converter_begins_early(struct client *cl)
{
    return client_edge(cl)->params->convert.early && braid_conn_readable(client_conn(cl)) > 0 &&
           is_first(cl, clock_now());
}

void converter_begin_early(struct client *cl)
{
    bool proven = client_edge(cl)->params->convert.cookie != CONVERT_COOKIE_NONE;
    client_edge(cl)->counters.v[EDGE_EARLY]++;
    braid_conn_accept_early(client_conn(cl), proven ? UINT16_MAX : UNPROVEN);
    converter_speak(cl);
    cl->splice.ends[CLIENT_END].full = false;
}
