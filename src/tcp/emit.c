/* From a header and payload to the host: see emit.h. */
#include "tcp/emit.h"

#include <assert.h>
#include <sys/uio.h>

#include "tcp/internal.h"
#include "tcp/tap_hook.h"

/* One super-packet if the payload is larger than a segment: the host cuts it, or hands it to the kernel
 * whole. The checksum over the payload is left to whoever cuts. */
uint32_t tcp_emit_spec(struct tcp_env *env, const struct packet_spec *spec, const struct iovec *payload,
                       unsigned n, uint32_t mss)
{
    struct packet_header h;
    int built = packet_header_build(spec, &h);

    /* It fails for what does not fit into a packet: options are counted as they are added, payload by
     * pacer_quantum. */
    assert(built == 0);
    (void)built;
    struct braid_packet packet = {
        .header = h.bytes,
        .header_len = h.len,
        .payload = payload,
        .n_payload = n,
        .payload_len = spec->payload_len,
        .gso_size = spec->payload_len > mss ? (uint16_t)mss : 0,
        .csum_start = h.csum_start,
        .v6 = h.v6,
    };
    tap_output(env, &packet);
    return h.len;
}

/* No payload, so no segmentation: the size is one that no packet reaches. */
void tcp_emit_classed(struct tcp_env *env, const struct braid_addr *from, const struct braid_addr *to,
                      const struct wire_tcp *t, uint8_t traffic_class)
{
    struct packet_spec spec = {
        .src = *from, .dst = *to, .tcp = t, .hop_limit = TCP_HOP_LIMIT, .traffic_class = traffic_class};

    env->count.v[COUNT_TCP_OUT_SEGS]++;
    if (t->flags & TCP_RST)
        env->count.v[COUNT_TCP_OUT_RSTS]++;
    tcp_emit_spec(env, &spec, NULL, 0, UINT16_MAX);
}

void tcp_emit(struct tcp_env *env, const struct braid_addr *from, const struct braid_addr *to,
              const struct wire_tcp *t)
{
    tcp_emit_classed(env, from, to, t, 0);
}
