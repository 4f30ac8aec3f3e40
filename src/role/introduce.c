/* See introduce.h. A header is written whole or not at all, when the server has answered: whoever is asked
 * beside it, or before it in vain, has read nothing, and no state of a header is left to hand over. */
#include "role/introduce.h"
#include <stdio.h>
#include "base/addr.h"
#include "io/upstream.h"
#include "role/edge_client.h"
#include "wire/proxy_protocol.h"

/* TLVs of our own: how many subflows there are, and the client's ends of them, both in text, so that what
 * servers log and pass on can be read. */
enum { TLV_SUBFLOWS = PROXY_TLV_OWN_FIRST, TLV_ADDRESSES };

#define TLV_HEADER   3
#define SUBFLOWS_MAX 32 /* more addresses than fit into a header */

/* The ends, the oldest first; the one that asks for the connection counts although its handshake may not be
 * complete. How many there are, of which at most SUBFLOWS_MAX are in out. */
static unsigned client_ends(const struct braid_conn *c, struct braid_pair out[SUBFLOWS_MAX])
{
    unsigned n = braid_conn_subflows(c, out, SUBFLOWS_MAX);
    if (n > 0)
        return n;
    braid_conn_addrs(c, &out[0].local, &out[0].remote);
    return 1;
}

/* As many as there is room for. */
static void put_addresses(struct proxy_writer *w, const struct braid_pair *ends, unsigned n)
{
    char list[PROXY_WRITE_MAX], text[ADDR_TEXT];
    size_t len = 0, room = w->room - w->len - TLV_HEADER - PROXY_CRC32C_TLV;
    for (unsigned i = 0; i < n; i++) {
        int more = snprintf(list + len, sizeof(list) - len, "%s%s", i > 0 ? "," : "",
                            addr_text(&ends[i].remote, text));
        if (more < 0 || len + (size_t)more > room)
            break;
        len += (size_t)more;
    }
    proxy_put(w, TLV_ADDRESSES, list, len);
}

static void put_subflows(struct proxy_writer *w, const struct braid_conn *c)
{
    struct braid_pair ends[SUBFLOWS_MAX];
    char number[12];
    unsigned n = client_ends(c, ends);
    int len = snprintf(number, sizeof(number), "%u", n);
    proxy_put(w, TLV_SUBFLOWS, number, (size_t)len);
    put_addresses(w, ends, n < SUBFLOWS_MAX ? n : SUBFLOWS_MAX);
}

/* It may not be known yet: then the client's SYN has offered it. */
static bool has_subflows(const struct braid_conn *c)
{
    int64_t mode;
    return braid_conn_get_option(c, BRAID_OPT_MODE, &mode) == 0 &&
           (mode == BRAID_MODE_MPTCP || mode == BRAID_MODE_NOT_YET);
}

static size_t write_v2(const struct client *cl, uint8_t *out, size_t room)
{
    struct proxy_writer w;
    struct braid_addr meant, client;
    client_addrs(cl, &meant, &client);
    proxy_begin(&w, out, room, &client, &meant);
    if (has_subflows(client_conn(cl)))
        put_subflows(&w, client_conn(cl));
    return proxy_end(&w);
}

static size_t write_v1(const struct client *cl, uint8_t *out, size_t room)
{
    struct braid_addr meant, client;
    client_addrs(cl, &meant, &client);
    return proxy_write_v1(out, room, &client, &meant);
}

int introduce_client(const struct client *cl, int fd)
{
    uint8_t header[PROXY_WRITE_MAX];
    size_t n = 0;
    switch (client_edge(cl)->params->proxy_protocol) {
    case PROXY_NONE:
        return 0;
    case PROXY_V1:
        n = write_v1(cl, header, sizeof(header));
        break;
    case PROXY_V2:
        n = write_v2(cl, header, sizeof(header));
        break;
    }
    return upstream_say(fd, header, n);
}
