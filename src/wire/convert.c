/* Convert messages, read: see convert.h. */
#include <string.h>
#include "base/addr.h"
#include "base/bytes.h"
#include "wire/convert.h"

#define TLV_HEADER   4  /* type, length and two bytes that most types leave unassigned */
#define CONNECT_BASE 20 /* bytes of a Connect TLV without TCP options */

enum { OPTION_END, OPTION_NOP };

/* ---- TCP options --------------------------------------------------------------------------------------- */

/* False: what is left is no option. */
static bool cut_option(struct convert_bytes *list, struct convert_option *out)
{
    const uint8_t *p = list->at;
    if (list->n < 2 || p[1] < 2 || p[1] > list->n)
        return false;
    out->kind = p[0];
    out->value = (struct convert_bytes){p + 2, p[1] - 2u};
    list->at += p[1];
    list->n -= p[1];
    return true;
}

bool convert_option_next(struct convert_bytes *list, struct convert_option *out)
{
    while (list->n > 0 && list->at[0] <= OPTION_NOP) {
        list->at++;
        list->n--;
    }
    return cut_option(list, out);
}

bool convert_option_has(struct convert_bytes list, uint8_t kind)
{
    struct convert_option o;
    while (convert_option_next(&list, &o))
        if (o.kind == kind)
            return true;
    return false;
}

static bool options_are_whole(struct convert_bytes list)
{
    struct convert_option o;
    while (convert_option_next(&list, &o))
        ;
    return list.n == 0;
}

/* ---- TLVs ------------------------------------------------------------------------------------------------
 */

/* RFC 8803 section 6.2.5 names groups, broadcast and loopback. Nobody has an unspecified address or port 0
 * either; to Linux 0.0.0.0 is loopback. */
static bool is_somebody(const struct braid_addr *a)
{
    static const struct braid_ip loopback6 = {{[15] = 1}};
    const struct braid_ip loopback4 = ip_from_v4((const uint8_t[4]){127, 0, 0, 0});
    return a->port != 0 && !ip_is_unspecified(&a->ip) && !ip_is_multicast(&a->ip) &&
           !ip_equal(&a->ip, &loopback6) && !ip_in_prefix(&a->ip, &loopback4, 96 + 8);
}

static bool parse_connect(const uint8_t *tlv, size_t len, struct convert_message *m)
{
    if (len < CONNECT_BASE)
        return false;
    m->has_connect = true;
    m->connect.port = get16(tlv + 2);
    memcpy(m->connect.ip.b, tlv + TLV_HEADER, sizeof(m->connect.ip.b));
    m->connect_options = (struct convert_bytes){tlv + CONNECT_BASE, len - CONNECT_BASE};
    return is_somebody(&m->connect) && options_are_whole(m->connect_options);
}

static struct convert_bytes behind_header(const uint8_t *tlv, size_t len)
{
    return (struct convert_bytes){tlv + TLV_HEADER, len - TLV_HEADER};
}

static bool parse_supported(const uint8_t *tlv, size_t len, struct convert_message *m)
{
    m->has_supported = true;
    m->supported = behind_header(tlv, len);
    while (m->supported.n > 0 && m->supported.at[m->supported.n - 1] == 0)
        m->supported.n--;
    return true;
}

static bool parse_extended_header(const uint8_t *tlv, size_t len, struct convert_message *m)
{
    m->has_extended_header = true;
    m->extended_header = behind_header(tlv, len);
    return options_are_whole(m->extended_header);
}

static bool parse_error(const uint8_t *tlv, size_t len, struct convert_message *m)
{
    m->has_error = true;
    m->error = tlv[2];
    m->error_value = (struct convert_bytes){tlv + 3, len - 3};
    return true;
}

static enum convert_status status_of(bool good)
{
    return good ? CONVERT_COMPLETE : CONVERT_MALFORMED;
}

static enum convert_status parse_of_client(const uint8_t *tlv, size_t len, struct convert_message *m)
{
    switch (tlv[0]) {
    case CONVERT_INFO:
        m->has_info = true;
        return status_of(len == TLV_HEADER);
    case CONVERT_CONNECT:
        return status_of(parse_connect(tlv, len, m));
    case CONVERT_COOKIE:
        m->has_cookie = true;
        m->cookie = behind_header(tlv, len);
        return CONVERT_COMPLETE;
    default:
        return CONVERT_TLV_UNKNOWN;
    }
}

static enum convert_status parse_of_converter(const uint8_t *tlv, size_t len, struct convert_message *m)
{
    switch (tlv[0]) {
    case 0:
        return CONVERT_MALFORMED; /* section 6.2.2 */
    case CONVERT_CONNECT:
        return status_of(parse_connect(tlv, len, m));
    case CONVERT_EXTENDED_HEADER:
        return status_of(parse_extended_header(tlv, len, m));
    case CONVERT_SUPPORTED:
        return status_of(parse_supported(tlv, len, m));
    case CONVERT_ERROR:
        return status_of(parse_error(tlv, len, m));
    default:
        return CONVERT_COMPLETE;
    }
}

/* A type may come once (section 6.2.1). */
static bool is_second(uint32_t seen[8], uint8_t type)
{
    uint32_t bit = 1u << type % 32;
    bool second = seen[type / 32] & bit;
    seen[type / 32] |= bit;
    return second;
}

/* All of the message is here. Ends, since each TLV takes a word at least. */
static enum convert_status parse_tlvs(enum convert_sender by, const uint8_t *bytes, struct convert_message *m)
{
    uint32_t seen[8] = {0};
    for (size_t at = CONVERT_HEADER; at < m->len;) {
        const uint8_t *tlv = bytes + at;
        size_t len = (size_t)tlv[1] * CONVERT_WORD;
        if (len == 0 || len > m->len - at || is_second(seen, tlv[0]))
            return CONVERT_MALFORMED;
        enum convert_status s =
            by == CONVERT_BY_CLIENT ? parse_of_client(tlv, len, m) : parse_of_converter(tlv, len, m);
        if (s != CONVERT_COMPLETE)
            return s;
        at += len;
    }
    return CONVERT_COMPLETE;
}

enum convert_status convert_parse(enum convert_sender by, const uint8_t *bytes, size_t len,
                                  struct convert_message *out)
{
    if (len < CONVERT_HEADER)
        return CONVERT_MORE;
    if (get16(bytes + 2) != CONVERT_MAGIC)
        return CONVERT_FOREIGN;
    if (bytes[0] != CONVERT_VERSION)
        return CONVERT_VERSION_BAD;
    *out = (struct convert_message){.len = (size_t)bytes[1] * CONVERT_WORD};
    if (out->len == 0)
        return CONVERT_FOREIGN;
    return len < out->len ? CONVERT_MORE : parse_tlvs(by, bytes, out);
}
