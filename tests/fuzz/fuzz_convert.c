/* Feeds the Convert Protocol's codec with arbitrary bytes. Whatever parses must stay inside the input, be
 * told from its beginnings, and come back the same after being written and parsed again. The first byte of
 * the input says who has sent the rest. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "wire/convert.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_be_same_bytes(struct convert_bytes a, struct convert_bytes b)
{
    MUST(a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0));
}

static void must_be_same(const struct convert_message *a, const struct convert_message *b)
{
    MUST(a->has_info == b->has_info && a->has_connect == b->has_connect);
    MUST(a->has_extended_header == b->has_extended_header && a->has_supported == b->has_supported);
    MUST(a->has_cookie == b->has_cookie && a->has_error == b->has_error && a->error == b->error);
    MUST(addr_equal(&a->connect, &b->connect));
    must_be_same_bytes(a->connect_options, b->connect_options);
    must_be_same_bytes(a->extended_header, b->extended_header);
    must_be_same_bytes(a->supported, b->supported);
    must_be_same_bytes(a->cookie, b->cookie);
    must_be_same_bytes(a->error_value, b->error_value);
}

static void must_be_whole(struct convert_bytes list, const uint8_t *data, size_t len)
{
    struct convert_option o;
    while (convert_option_next(&list, &o))
        MUST(o.kind > 1 && o.value.at >= data && o.value.at + o.value.n <= data + len);
    MUST(list.n == 0);
}

static size_t write_again(const struct convert_message *m, uint8_t out[CONVERT_MESSAGE_MAX])
{
    struct convert_writer w;
    convert_begin(&w, out, CONVERT_MESSAGE_MAX);
    if (m->has_info)
        convert_put_info(&w);
    if (m->has_connect)
        convert_put_connect(&w, &m->connect, m->connect_options.at, m->connect_options.n);
    if (m->has_extended_header)
        convert_put_extended_header(&w, m->extended_header.at, m->extended_header.n);
    if (m->has_supported)
        convert_put_supported(&w, m->supported.at, m->supported.n);
    if (m->has_cookie)
        convert_put_cookie(&w, m->cookie.at, m->cookie.n);
    if (m->has_error)
        convert_put_error(&w, m->error, m->error_value.at, m->error_value.n);
    return convert_end(&w);
}

/* Written again it is no longer: unknown TLVs and the padding of lists are gone. */
static void try_again(enum convert_sender by, const struct convert_message *m)
{
    uint8_t out[CONVERT_MESSAGE_MAX];
    struct convert_message again;
    size_t n = write_again(m, out);
    MUST(n > 0 && n <= m->len);
    MUST(convert_parse(by, out, n, &again) == CONVERT_COMPLETE && again.len == n);
    must_be_same(m, &again);
}

static void try_echo(const uint8_t *data, size_t len)
{
    uint8_t out[CONVERT_MESSAGE_MAX];
    struct convert_writer w;
    struct convert_message m;
    convert_begin(&w, out, sizeof(out));
    convert_put_error_echo(&w, CONVERT_MALFORMED_MESSAGE, data, len);
    size_t n = convert_end(&w);
    MUST(n >= 8 && convert_parse(CONVERT_BY_CONVERTER, out, n, &m) == CONVERT_COMPLETE);
    MUST(m.has_error && m.error == CONVERT_MALFORMED_MESSAGE);
    size_t same = m.error_value.n - 1 < len ? m.error_value.n - 1 : len;
    MUST(memcmp(m.error_value.at + 1, data, same) == 0 && (same == len || n == CONVERT_MESSAGE_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct convert_message m, part;
    if (len == 0)
        return 0;
    enum convert_sender by = data[0] & 1 ? CONVERT_BY_CONVERTER : CONVERT_BY_CLIENT;
    uint8_t *bytes = malloc(len); /* used to its very end, which ASan guards */
    if (!bytes)
        return 0;
    memcpy(bytes, data + 1, --len);
    enum convert_status s = convert_parse(by, bytes, len, &m);
    if (s == CONVERT_MORE) {
        MUST(len < CONVERT_MESSAGE_MAX);
    } else if (s == CONVERT_COMPLETE || s == CONVERT_MALFORMED || s == CONVERT_TLV_UNKNOWN) {
        MUST(m.len >= CONVERT_HEADER && m.len <= len && m.len <= CONVERT_MESSAGE_MAX);
        for (size_t n = 0; n < m.len; n++)
            MUST(convert_parse(by, bytes, n, &part) == CONVERT_MORE);
        try_echo(bytes, m.len);
    }
    if (s == CONVERT_COMPLETE) {
        must_be_whole(m.connect_options, bytes, len);
        must_be_whole(m.extended_header, bytes, len);
        try_again(by, &m);
    }
    free(bytes);
    return 0;
}
