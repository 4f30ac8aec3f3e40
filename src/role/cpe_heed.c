/* See cpe_heed.h. Traffic class and Nagle's algorithm are looked at with each piece of the stream: programs
 * change the class of a connection when they know what it is for, as ssh does. */
#include "role/cpe_heed.h"
#include "io/clock.h"
#include "io/upstream.h"
#include "role/carried.h"
#include "wire/packet.h"

#define SAVED_SYN_MAX     160 /* bytes: headers with all options that there is room for */
#define CLASS_WITHOUT_ECN 0xfc

/* Of a connection of the core's. */
static int64_t value_of(const struct carried *cd, enum braid_option option)
{
    int64_t value;
    const struct end *lan = &cd->splice.ends[LAN_END];
    if (lan->gone || braid_conn_get_option(lan->conn, option, &value) < 0)
        return 0;
    return value;
}

static bool heeds(const struct carried *cd, unsigned what)
{
    return carried_cpe(cd)->params->heed & what;
}

static struct cpe_shown shown_to_core(const struct carried *cd)
{
    return (struct cpe_shown){.window = (uint32_t)value_of(cd, BRAID_OPT_PEER_WINDOW),
                              .max_segment = (uint16_t)value_of(cd, BRAID_OPT_PEER_MAXSEG),
                              .traffic_class = (uint8_t)value_of(cd, BRAID_OPT_PEER_CLASS)};
}

/* The kernel has answered the SYN, and keeps its headers. Of one that it has answered with a cookie, or that
 * had data, nothing is known. */
static struct cpe_shown shown_to_kernel(const struct carried *cd)
{
    uint8_t syn[SAVED_SYN_MAX];
    struct wire_packet w;
    size_t len = upstream_saved_syn(cd->socket->fd, syn, sizeof(syn));
    if (len == 0 || packet_parse(syn, len, false, &w) != WIRE_OK || w.kind != WIRE_TCP ||
        !(w.tcp.flags & TCP_SYN))
        return (struct cpe_shown){0};
    return (struct cpe_shown){.window = w.tcp.has_wscale && w.tcp.wscale > 0 ? UINT16_MAX + 1 : w.tcp.window,
                              .max_segment = w.tcp.has_mss ? w.tcp.mss : 0,
                              .traffic_class = w.traffic_class & CLASS_WITHOUT_ECN};
}

void cpe_heed_syn(struct carried *cd)
{
    if (carried_cpe(cd)->params->heed == 0)
        return;
    struct cpe_shown h = cd->socket ? shown_to_kernel(cd) : shown_to_core(cd);
    h.window = heeds(cd, CPE_HEED_BUFFER) ? h.window : 0;
    h.max_segment = heeds(cd, CPE_HEED_SEGMENT) ? h.max_segment : 0;
    h.traffic_class = heeds(cd, CPE_HEED_CLASS) ? h.traffic_class : 0;
    cd->asking->shown = h;
}

void cpe_heed_wish(struct carried *cd)
{
    const struct cpe_params *p = carried_cpe(cd)->params;
    struct asking *a = cd->asking;
    if (a->wish.socket.told)
        a->socket = a->wish.socket;
    const size_t sizes[] = {a->shown.window, a->socket.sndbuf, a->socket.rcvbuf};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        /* it is a wish, and no reason to refuse a connection */
        if (sizes[i] > 0 && sizes[i] < p->least_buffer && !a->wish.aware && !p->no_plain)
            a->wish.plain = true;
}

/* A window that needs no scaling is that of a small buffer; of a larger one the SYN does not tell the size.
 */
void cpe_heed_connect(struct carried *cd, struct braid_connect_params *connect)
{
    const struct cpe_shown *h = &cd->asking->shown;
    if (h->window < UINT16_MAX)
        connect->rcvbuf = h->window;
    connect->max_segment = h->max_segment;
    connect->traffic_class = cd->traffic_class = h->traffic_class;
}

void cpe_heed_opened(struct carried *cd, struct braid_conn *wan)
{
    cd->cc = cd->asking->socket.cc;
    socket_options_apply(&cd->asking->socket, wan, &cd->profile, clock_now());
}

void cpe_heed_bytes(struct carried *cd)
{
    struct end *wan = &cd->splice.ends[WAN_END];
    if (cd->socket || wan->gone || cd->splice.ends[LAN_END].gone)
        return;
    if (!profile_knows_writer(&cd->profile) && value_of(cd, BRAID_OPT_PEER_NODELAY))
        profile_writes_at_once(&cd->profile);
    if (!heeds(cd, CPE_HEED_CLASS))
        return;
    uint8_t now = (uint8_t)value_of(cd, BRAID_OPT_PEER_CLASS);
    if (now != cd->traffic_class && braid_conn_set_option(wan->conn, BRAID_OPT_TRAFFIC_CLASS, now) == 0)
        cd->traffic_class = now;
}
