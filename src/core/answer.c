/* What addresses of our own answer to other things than TCP, as every host does: an echo reply to a ping, and
 * an ICMP error to a protocol that nobody speaks here, above all UDP. */
#include "base/addr.h"
#include "core/answer.h"
#include "core/passing.h"
#include "wire/icmp.h"
#include "wire/ip.h"

#define SOURCE_SHARE 10 /* one source, and those that share its place, get a tenth of all answers */

static bool allows(struct braid_core *core, struct answers *a, const struct braid_ip *to, braid_time now)
{
    struct tcp_env *tcp = &core->env.tcp;
    unsigned limit = core->env.params.icmp_answers, share = limit / SOURCE_SHARE;
    struct rate *source = &a->source[core_hash_ip(core, to) % ANSWER_SOURCES];
    if (rate_allows(source, share > 0 ? share : limit, now) && rate_allows(&a->all, limit, now))
        return true;
    tcp->count.v[COUNT_ICMP_LIMITED]++;
    return false;
}

/* A reply may be as long as the request, which came through the same device. */
static void reply(struct braid_core *core, const struct wire_packet *p, const uint8_t *data, braid_time now)
{
    struct tcp_env *tcp = &core->env.tcp;
    struct packet_header h;
    tcp->count.v[COUNT_ICMP_IN_ECHOS]++;
    if (icmp_echo_reply(data, p, &h) < 0 || !allows(core, &core->echo_replies, &p->src.ip, now))
        return;
    struct iovec payload = {.iov_base = (void *)p->payload, .iov_len = p->payload_len};
    struct braid_packet out = {.header = h.bytes,
                               .header_len = h.len,
                               .payload = &payload,
                               .n_payload = p->payload_len > 0,
                               .payload_len = p->payload_len,
                               .v6 = h.v6};
    tcp->count.v[COUNT_ICMP_OUT_ECHO_REPS]++;
    tcp->host.output(tcp->host.ctx, &out);
}

static void unreachable(struct braid_core *core, const struct wire_packet *p, const uint8_t *data, size_t len,
                        braid_time now)
{
    struct tcp_env *tcp = &core->env.tcp;
    enum icmp_error error = p->protocol == PROTO_UDP ? ICMP_ERROR_PORT : ICMP_ERROR_PROTOCOL;
    uint8_t icmp[ICMP_ERROR_MAX];
    size_t n = icmp_error_build(error, data, len, &p->dst.ip, p->protocol_at, icmp);
    if (n == 0 || !allows(core, &core->icmp_errors, &p->src.ip, now))
        return;
    struct braid_packet out = {.header = icmp, .header_len = (uint32_t)n, .v6 = !ip_is_v4(&p->dst.ip)};
    tcp->count.v[COUNT_ICMP_OUT_UNREACH]++;
    tcp->host.output(tcp->host.ctx, &out);
}

void core_answer(struct braid_core *core, const struct wire_packet *p, const uint8_t *data, size_t len,
                 braid_time now)
{
    if (!core_owns(core, &p->dst.ip))
        return;
    if (p->kind == WIRE_ECHO)
        reply(core, p, data, now);
    else
        unreachable(core, p, data, len, now);
}
