/* The Convert Protocol's messages: each TLV and each error code read and written, everything that is cut
 * short, lengths and addresses that cannot be, and random messages both ways. */
#include <check.h>
#include <string.h>
#include "base/addr.h"
#include "property.h"
#include "suite.h"
#include "wire/convert.h"

static struct convert_message m;
static uint8_t out[CONVERT_MESSAGE_MAX];
static struct convert_writer w;

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define V4_1234    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 66, 0, 2

static void expect_bytes(struct convert_bytes b, const uint8_t *bytes, size_t n)
{
    ck_assert_uint_eq(b.n, n);
    ck_assert_mem_eq(b.at, bytes, n);
}

/* Ends the message; it is these bytes. */
static void expect_written(const uint8_t *bytes, size_t n)
{
    ck_assert_uint_eq(convert_end(&w), n);
    ck_assert_mem_eq(out, bytes, n);
}

static void begin(void)
{
    memset(out, 0xa5, sizeof(out));
    convert_begin(&w, out, sizeof(out));
}

/* The status of a message of one TLV or several, whose header is made here. */
static enum convert_status parse(enum convert_sender by, const uint8_t *tlvs, size_t n)
{
    static uint8_t message[CONVERT_MESSAGE_MAX];
    ck_assert_uint_eq(n % CONVERT_WORD, 0);
    memcpy(message, (const uint8_t[]){1, (uint8_t)(1 + n / CONVERT_WORD), 0x22, 0x63}, CONVERT_HEADER);
    memcpy(message + CONVERT_HEADER, tlvs, n);
    return convert_parse(by, message, CONVERT_HEADER + n, &m);
}

/* Every beginning of the message asks for more. */
static void expect_patience(enum convert_sender by, const uint8_t *bytes, size_t n)
{
    for (size_t len = 0; len < n; len++)
        ck_assert_int_eq(convert_parse(by, bytes, len, &m), CONVERT_MORE);
    ck_assert_int_eq(convert_parse(by, bytes, n, &m), CONVERT_COMPLETE);
    ck_assert_uint_eq(m.len, n);
}

static struct braid_addr address(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* ---- each TLV ---------------------------------------------------------------------------------- */

START_TEST(a_base_connect_names_a_server)
{
    static const uint8_t wire[] = {1, 6, 0x22, 0x63, 10, 5, 0x1f, 0x40, V4_1234};
    const struct braid_addr server = address("10.66.0.2:8000");
    begin();
    convert_put_connect(&w, &server, NULL, 0);
    expect_written(wire, sizeof(wire));
    expect_patience(CONVERT_BY_CLIENT, wire, sizeof(wire));
    ck_assert(m.has_connect && addr_equal(&m.connect, &server) && m.connect_options.n == 0);
    ck_assert(!m.has_info && !m.has_cookie);
    /* of an incoming connection (section 5.2) */
    expect_patience(CONVERT_BY_CONVERTER, wire, sizeof(wire));
    ck_assert(m.has_connect && addr_equal(&m.connect, &server));
}
END_TEST

START_TEST(user_data_behind_a_message_is_not_its_own)
{
    static const uint8_t wire[] = {1, 2, 0x22, 0x63, 1, 1, 0, 0, 'G', 'E', 'T', ' '};
    ck_assert_int_eq(convert_parse(CONVERT_BY_CLIENT, wire, sizeof(wire), &m), CONVERT_COMPLETE);
    ck_assert_uint_eq(m.len, 8);
}
END_TEST

START_TEST(an_extended_connect_lists_tcp_options)
{
    static const uint8_t options[] = {30, 2, 34, 6, 1, 2, 3, 4, 8, 2};
    static const uint8_t wire[] = {1,  16 - 7, 0x22, 0x63, 10, 8, 1, 0xbb, 0x20, 1, 0x0d, 0xb8,
                                   0,  0,      0,    0,    0,  0, 0, 0,    0,    0, 0,    7,
                                   30, 2,      34,   6,    1,  2, 3, 4,    8,    2, 0,    0};
    const struct braid_addr server = address("[2001:db8::7]:443");
    struct convert_option o;
    begin();
    convert_put_connect(&w, &server, options, sizeof(options));
    expect_written(wire, sizeof(wire));
    expect_patience(CONVERT_BY_CLIENT, wire, sizeof(wire));
    ck_assert(addr_equal(&m.connect, &server));
    ck_assert(convert_option_has(m.connect_options, 34) && !convert_option_has(m.connect_options, 29));
    ck_assert(convert_option_next(&m.connect_options, &o) && o.kind == 30 && o.value.n == 0);
    ck_assert(convert_option_next(&m.connect_options, &o) && o.kind == 34);
    expect_bytes(o.value, BYTES(1, 2, 3, 4));
    ck_assert(convert_option_next(&m.connect_options, &o) && o.kind == 8 && o.value.n == 0);
    ck_assert(!convert_option_next(&m.connect_options, &o) && m.connect_options.n == 0);
}
END_TEST

START_TEST(kinds_without_a_length_are_passed_over_anywhere)
{
    struct convert_option o;
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(10, 7, 0, 80, V4_1234, 1, 0, 4, 2, 1, 0, 8, 2)),
                     CONVERT_COMPLETE);
    ck_assert(convert_option_next(&m.connect_options, &o) && o.kind == 4);
    ck_assert(convert_option_next(&m.connect_options, &o) && o.kind == 8);
    ck_assert(!convert_option_next(&m.connect_options, &o));
}
END_TEST

START_TEST(a_client_asks_with_info_and_cookie)
{
    static const uint8_t wire[] = {1, 5, 0x22, 0x63, 1,   1,   0,   0,   22, 3,
                                   0, 0, 'c',  'o',  'o', 'k', 'i', 'e', 0,  0};
    begin();
    convert_put_info(&w);
    convert_put_cookie(&w, (const uint8_t *)"cookie", 6);
    expect_written(wire, sizeof(wire));
    expect_patience(CONVERT_BY_CLIENT, wire, sizeof(wire));
    ck_assert(m.has_info && m.has_cookie && !m.has_connect);
    expect_bytes(m.cookie, BYTES('c', 'o', 'o', 'k', 'i', 'e', 0, 0));
}
END_TEST

START_TEST(a_cookie_may_be_empty)
{
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(22, 1, 0, 0)), CONVERT_COMPLETE);
    ck_assert(m.has_cookie && m.cookie.n == 0);
}
END_TEST

START_TEST(a_converter_says_yes_by_a_header_alone)
{
    static const uint8_t wire[] = {1, 1, 0x22, 0x63};
    begin();
    expect_written(wire, sizeof(wire));
    expect_patience(CONVERT_BY_CONVERTER, wire, sizeof(wire));
    ck_assert(!m.has_error && !m.has_extended_header && !m.has_supported && !m.has_connect);
}
END_TEST

START_TEST(a_converter_tells_options_and_what_it_supports)
{
    static const uint8_t options[] = {2, 4, 5, 0xb4, 1, 3, 3, 7, 30, 12, 1, 0x81, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t kinds[] = {4, 8, 30};
    static const uint8_t wire[] = {1, 1 + 6 + 2, 0x22, 0x63, 20, 6, 0, 0, 2, 4, 5,  0xb4, 1, 3, 3, 7, 30, 12,
                                   1, 0x81,      0,    0,    0,  0, 0, 0, 0, 0, 21, 2,    0, 0, 4, 8, 30, 0};
    begin();
    convert_put_extended_header(&w, options, sizeof(options));
    convert_put_supported(&w, kinds, sizeof(kinds));
    expect_written(wire, sizeof(wire));
    expect_patience(CONVERT_BY_CONVERTER, wire, sizeof(wire));
    ck_assert(m.has_extended_header && convert_option_has(m.extended_header, 30));
    ck_assert(!convert_option_has(m.extended_header, 8));
    ck_assert(m.has_supported);
    expect_bytes(m.supported, kinds, sizeof(kinds));
}
END_TEST

START_TEST(unassigned_fields_are_ignored)
{
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(1, 1, 9, 9, 22, 2, 9, 9, 1, 2, 3, 4)), CONVERT_COMPLETE);
    ck_assert_int_eq(parse(CONVERT_BY_CONVERTER, BYTES(20, 1, 9, 9, 21, 1, 9, 9)), CONVERT_COMPLETE);
    ck_assert(m.has_supported && m.supported.n == 0 && m.extended_header.n == 0);
}
END_TEST

/* ---- errors ------------------------------------------------------------------------------------ */

static const struct {
    enum convert_error code;
    uint8_t value[5];
    size_t n, wire_n;
    uint8_t wire[12];
} errors[] = {
    {CONVERT_UNSUPPORTED_VERSION, {1}, 1, 8, {1, 2, 0x22, 0x63, 30, 1, 0, 1}},
    {CONVERT_UNSUPPORTED_VERSION, {1, 2, 3}, 3, 12, {1, 3, 0x22, 0x63, 30, 2, 0, 1, 2, 3}},
    {CONVERT_NOT_AUTHORIZED, {0}, 0, 8, {1, 2, 0x22, 0x63, 30, 1, 32, 0}},
    {CONVERT_UNSUPPORTED_OPTION, {29, 19}, 2, 12, {1, 3, 0x22, 0x63, 30, 2, 33, 29, 19}},
    {CONVERT_RESOURCE_EXCEEDED, {60}, 1, 8, {1, 2, 0x22, 0x63, 30, 1, 64, 60}},
    {CONVERT_NETWORK_FAILURE, {0}, 1, 8, {1, 2, 0x22, 0x63, 30, 1, 65, 0}},
    {CONVERT_CONNECTION_RESET, {0}, 0, 8, {1, 2, 0x22, 0x63, 30, 1, 96, 0}},
    {CONVERT_DESTINATION_UNREACHABLE, {13}, 1, 8, {1, 2, 0x22, 0x63, 30, 1, 97, 13}},
};
static const enum convert_error echoes[] = {CONVERT_MALFORMED_MESSAGE, CONVERT_UNSUPPORTED_MESSAGE,
                                            CONVERT_MISSING_COOKIE};

START_TEST(each_error_has_its_code_and_value)
{
    begin();
    convert_put_error(&w, errors[_i].code, errors[_i].value, errors[_i].n);
    expect_written(errors[_i].wire, errors[_i].wire_n);
    expect_patience(CONVERT_BY_CONVERTER, errors[_i].wire, errors[_i].wire_n);
    ck_assert(m.has_error && m.error == errors[_i].code);
    ck_assert_uint_ge(m.error_value.n, 1);
    ck_assert_mem_eq(m.error_value.at, errors[_i].value, errors[_i].n);
}
END_TEST

START_TEST(each_error_that_echoes_does_so_in_words)
{
    static const uint8_t wire[] = {1, 4, 0x22, 0x63, 30, 3, 0xee, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t expected[sizeof(wire)];
    memcpy(expected, wire, sizeof(wire));
    expected[6] = (uint8_t)echoes[_i];
    begin();
    convert_put_error_echo(&w, echoes[_i], wire + 8, 8);
    expect_written(expected, sizeof(expected));
    expect_patience(CONVERT_BY_CONVERTER, expected, sizeof(expected));
    ck_assert(m.has_error && m.error == echoes[_i]);
    expect_bytes(m.error_value, BYTES(0, 1, 2, 3, 4, 5, 6, 7, 8));
}
END_TEST

START_TEST(an_echo_is_cut_to_what_a_message_holds)
{
    uint8_t message[CONVERT_MESSAGE_MAX];
    for (unsigned i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)(i * 7);
    begin();
    convert_put_error_echo(&w, CONVERT_MALFORMED_MESSAGE, message, sizeof(message));
    ck_assert_uint_eq(convert_end(&w), CONVERT_MESSAGE_MAX);
    ck_assert_int_eq(convert_parse(CONVERT_BY_CONVERTER, out, sizeof(out), &m), CONVERT_COMPLETE);
    ck_assert_uint_eq(m.error_value.n, 1 + CONVERT_MESSAGE_MAX - 8);
    ck_assert_mem_eq(m.error_value.at + 1, message, CONVERT_MESSAGE_MAX - 8);
    convert_begin(&w, out, 19); /* by the caller's room as well */
    convert_put_error_echo(&w, CONVERT_MALFORMED_MESSAGE, message, sizeof(message));
    ck_assert_uint_eq(convert_end(&w), 16);
    convert_begin(&w, out, 7);
    convert_put_error_echo(&w, CONVERT_MALFORMED_MESSAGE, message, sizeof(message));
    ck_assert_uint_eq(convert_end(&w), 0);
}
END_TEST

START_TEST(any_code_and_value_is_an_error)
{
    for (unsigned code = 0; code < 256; code++) {
        const uint8_t tlv[] = {30, 1, (uint8_t)code, 0};
        ck_assert_int_eq(parse(CONVERT_BY_CONVERTER, tlv, sizeof(tlv)), CONVERT_COMPLETE);
        ck_assert(m.has_error && m.error == code);
    }
}
END_TEST

/* ---- what is no message -------------------------------------------------------------------------- */

START_TEST(other_protocols_are_told_by_the_header)
{
    ck_assert_int_eq(convert_parse(CONVERT_BY_CLIENT, (const uint8_t *)"GET / HT", 8, &m), CONVERT_FOREIGN);
    ck_assert_int_eq(convert_parse(CONVERT_BY_CLIENT, BYTES(1, 1, 0x22, 0x64), &m), CONVERT_FOREIGN);
    ck_assert_int_eq(convert_parse(CONVERT_BY_CLIENT, BYTES(1, 1, 0x23, 0x63), &m), CONVERT_FOREIGN);
    ck_assert_int_eq(convert_parse(CONVERT_BY_CLIENT, BYTES(1, 0, 0x22, 0x63), &m), CONVERT_FOREIGN);
    ck_assert_int_eq(convert_parse(CONVERT_BY_CONVERTER, BYTES(1, 0, 0x22, 0x63), &m), CONVERT_FOREIGN);
}
END_TEST

START_TEST(other_versions_are_told_before_anything_else)
{
    for (unsigned version = 0; version < 256; version++) {
        const uint8_t header[] = {(uint8_t)version, 200, 0x22, 0x63};
        ck_assert_int_eq(convert_parse(CONVERT_BY_CLIENT, header, sizeof(header), &m),
                         version == 1 ? CONVERT_MORE : CONVERT_VERSION_BAD);
    }
    ck_assert_int_eq(convert_parse(CONVERT_BY_CLIENT, BYTES(2, 0, 0x22, 0x63), &m), CONVERT_VERSION_BAD);
}
END_TEST

START_TEST(a_converter_refuses_types_that_are_not_a_clients)
{
    for (unsigned type = 0; type < 256; type++) {
        const uint8_t tlv[] = {(uint8_t)type, 1, 0, 0};
        bool known = type == CONVERT_INFO || type == CONVERT_COOKIE;
        ck_assert_int_eq(parse(CONVERT_BY_CLIENT, tlv, sizeof(tlv)), known ? CONVERT_COMPLETE
                                                                     : type == CONVERT_CONNECT
                                                                         ? CONVERT_MALFORMED
                                                                         : CONVERT_TLV_UNKNOWN);
        ck_assert_uint_eq(m.len, CONVERT_HEADER + sizeof(tlv)); /* for the echo */
    }
}
END_TEST

START_TEST(a_client_passes_over_types_that_it_does_not_know_but_zero)
{
    for (unsigned type = 0; type < 256; type++) {
        const uint8_t tlv[] = {(uint8_t)type, 1, 0, 0};
        ck_assert_int_eq(parse(CONVERT_BY_CONVERTER, tlv, sizeof(tlv)),
                         type == 0 || type == CONVERT_CONNECT ? CONVERT_MALFORMED : CONVERT_COMPLETE);
    }
    ck_assert(!m.has_info && !m.has_cookie);
}
END_TEST

START_TEST(no_type_comes_twice)
{
    for (unsigned type = 1; type < 256; type++) {
        const uint8_t twice[] = {(uint8_t)type, 1, 0, 0, (uint8_t)type, 1, 0, 0};
        if (type != CONVERT_CONNECT)
            ck_assert_int_eq(parse(CONVERT_BY_CONVERTER, twice, sizeof(twice)), CONVERT_MALFORMED);
    }
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(1, 1, 0, 0, 1, 1, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(22, 1, 0, 0, 22, 2, 0, 0, 1, 2, 3, 4)),
                     CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(10, 5, 0, 80, V4_1234, 10, 5, 0, 80, V4_1234)),
                     CONVERT_MALFORMED);
}
END_TEST

START_TEST(lengths_stay_within_the_message)
{
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(1, 0, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(1, 2, 0, 0, 0, 0, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(22, 2, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(22, 255, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(1, 1, 0, 0, 22, 0, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CONVERTER, BYTES(20, 0, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CONVERTER, BYTES(99, 2, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(10, 4, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
                     CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(10, 6, 0, 80, V4_1234)), CONVERT_MALFORMED);
}
END_TEST

START_TEST(options_stay_within_their_list)
{
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(10, 6, 0, 80, V4_1234, 30, 4, 0, 0)), CONVERT_COMPLETE);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(10, 6, 0, 80, V4_1234, 30, 5, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(10, 6, 0, 80, V4_1234, 30, 1, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(10, 6, 0, 80, V4_1234, 30, 0, 0, 0)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CLIENT, BYTES(10, 6, 0, 80, V4_1234, 0, 0, 0, 30)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CONVERTER, BYTES(20, 2, 0, 0, 2, 5, 5, 0xb4)), CONVERT_MALFORMED);
    ck_assert_int_eq(parse(CONVERT_BY_CONVERTER, BYTES(20, 2, 0, 0, 0, 0, 0, 8)), CONVERT_MALFORMED);
}
END_TEST

START_TEST(nobody_has_these_addresses)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {{"127.0.0.1:80", false},   {"127.255.255.255:80", false}, {"[::1]:80", false},
                 {"224.0.0.1:80", false},   {"239.255.255.255:80", false}, {"255.255.255.255:80", false},
                 {"[ff02::1]:80", false},   {"0.0.0.0:80", false},         {"[::]:80", false},
                 {"192.0.2.1:0", false},    {"126.255.255.255:80", true},  {"128.0.0.1:1", true},
                 {"[fe80::1]:65535", true}, {"223.255.255.255:80", true},  {"[::2]:80", true}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct braid_addr a = address(cases[i].text);
        for (int by = CONVERT_BY_CLIENT; by <= CONVERT_BY_CONVERTER; by++) {
            begin();
            convert_put_connect(&w, &a, NULL, 0);
            size_t n = convert_end(&w);
            ck_assert_int_eq(convert_parse((enum convert_sender)by, out, n, &m),
                             cases[i].good ? CONVERT_COMPLETE : CONVERT_MALFORMED);
        }
    }
}
END_TEST

/* ---- room ---------------------------------------------------------------------------------------- */

START_TEST(what_does_not_fit_is_not_written)
{
    const struct braid_addr server = address("10.66.0.2:8000");
    static const uint8_t cookie[CONVERT_MESSAGE_MAX];
    for (size_t room = 0; room < 32; room++) {
        memset(out, 0xa5, sizeof(out));
        convert_begin(&w, out, room);
        convert_put_connect(&w, &server, NULL, 0);
        convert_put_info(&w);
        ck_assert_uint_eq(convert_end(&w), room < 28 ? 0 : 28);
        ck_assert_uint_eq(out[room], 0xa5);
    }
    begin();
    convert_put_cookie(&w, cookie, CONVERT_MESSAGE_MAX - 8);
    ck_assert_uint_eq(convert_end(&w), CONVERT_MESSAGE_MAX);
    ck_assert_int_eq(convert_parse(CONVERT_BY_CLIENT, out, sizeof(out), &m), CONVERT_COMPLETE);
    ck_assert_uint_eq(m.cookie.n, CONVERT_MESSAGE_MAX - 8);
    begin();
    convert_put_cookie(&w, cookie, CONVERT_MESSAGE_MAX - 7);
    convert_put_info(&w); /* too late, though there is room for it */
    ck_assert_uint_eq(convert_end(&w), 0);
    begin();
    convert_put_cookie(&w, cookie, SIZE_MAX - 8);
    ck_assert_uint_eq(convert_end(&w), 0);
}
END_TEST

/* ---- random messages ------------------------------------------------------------------------------- */

/* Whatever is read lies within the message. */
static void check_within(struct convert_bytes b, const uint8_t *bytes)
{
    must(b.n == 0 || (b.at >= bytes && b.at + b.n <= bytes + m.len));
}

START_TEST(random_bytes_end_somehow)
{
    uint64_t seed = 8803 + (uint64_t)_i;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        for (unsigned i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)(rng_below(&seed, 3) ? rng_below(&seed, 6) : rng_next(&seed));
        memcpy(bytes, (const uint8_t[]){1, (uint8_t)(1 + rng_below(&seed, 16)), 0x22, 0x63}, CONVERT_HEADER);
        bytes[4] = (const uint8_t[]){1, 10, 20, 21, 22, 30}[rng_below(&seed, 6)];
        enum convert_sender by = rng_below(&seed, 2) ? CONVERT_BY_CLIENT : CONVERT_BY_CONVERTER;
        enum convert_status s = convert_parse(by, bytes, sizeof(bytes), &m);
        must(s == CONVERT_COMPLETE || s == CONVERT_MALFORMED || s == CONVERT_TLV_UNKNOWN);
        must(m.len == bytes[1] * 4u);
        must(convert_parse(by, bytes, m.len - 1, &m) == CONVERT_MORE);
        if (s != CONVERT_COMPLETE)
            continue;
        convert_parse(by, bytes, sizeof(bytes), &m);
        check_within(m.connect_options, bytes);
        check_within(m.extended_header, bytes);
        check_within(m.supported, bytes);
        check_within(m.cookie, bytes);
        check_within(m.error_value, bytes);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("convert");
    TCase *t = tcase_create("convert");

    tcase_add_test(t, a_base_connect_names_a_server);
    tcase_add_test(t, user_data_behind_a_message_is_not_its_own);
    tcase_add_test(t, an_extended_connect_lists_tcp_options);
    tcase_add_test(t, kinds_without_a_length_are_passed_over_anywhere);
    tcase_add_test(t, a_client_asks_with_info_and_cookie);
    tcase_add_test(t, a_cookie_may_be_empty);
    tcase_add_test(t, a_converter_says_yes_by_a_header_alone);
    tcase_add_test(t, a_converter_tells_options_and_what_it_supports);
    tcase_add_test(t, unassigned_fields_are_ignored);
    tcase_add_loop_test(t, each_error_has_its_code_and_value, 0, sizeof(errors) / sizeof(*errors));
    tcase_add_loop_test(t, each_error_that_echoes_does_so_in_words, 0, sizeof(echoes) / sizeof(*echoes));
    tcase_add_test(t, an_echo_is_cut_to_what_a_message_holds);
    tcase_add_test(t, any_code_and_value_is_an_error);
    tcase_add_test(t, other_protocols_are_told_by_the_header);
    tcase_add_test(t, other_versions_are_told_before_anything_else);
    tcase_add_test(t, a_converter_refuses_types_that_are_not_a_clients);
    tcase_add_test(t, a_client_passes_over_types_that_it_does_not_know_but_zero);
    tcase_add_test(t, no_type_comes_twice);
    tcase_add_test(t, lengths_stay_within_the_message);
    tcase_add_test(t, options_stay_within_their_list);
    tcase_add_test(t, nobody_has_these_addresses);
    tcase_add_test(t, what_does_not_fit_is_not_written);
    tcase_add_loop_test(t, random_bytes_end_somehow, 0, 4);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
