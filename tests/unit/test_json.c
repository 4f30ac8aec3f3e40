/* The JSON writer: what it writes, and that Python's parser reads back what was meant. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/buffer.h>
#include "admin/json.h"
#include "suite.h"

static struct doc doc;
static struct json j;

static void setup(void)
{
    doc = (struct doc){.buf = evbuffer_new()};
    j = (struct json){.doc = &doc};
}

static void teardown(void)
{
    evbuffer_free(doc.buf);
}

static const char *written(void)
{
    evbuffer_add(doc.buf, "", 1);
    return (const char *)evbuffer_pullup(doc.buf, -1);
}

START_TEST(members_and_elements_are_separated_and_ended)
{
    json_object(&j, NULL);
    json_uint(&j, "a", 1);
    json_array(&j, "b");
    json_int(&j, NULL, -2);
    json_object(&j, NULL);
    json_end(&j);
    json_array(&j, NULL);
    json_end(&j);
    json_end(&j);
    json_bool(&j, "c", true);
    json_bool(&j, "d", false);
    json_null(&j, "e");
    json_string(&j, "f", NULL);
    json_end(&j);
    ck_assert_str_eq(written(), "{\"a\":1,\"b\":[-2,{},[]],\"c\":true,\"d\":false,\"e\":null,\"f\":null}");
    ck_assert(!doc.failed);
}
END_TEST

START_TEST(the_largest_numbers_are_exact)
{
    json_array(&j, NULL);
    json_uint(&j, NULL, UINT64_MAX);
    json_int(&j, NULL, INT64_MIN);
    json_end(&j);
    ck_assert_str_eq(written(), "[18446744073709551615,-9223372036854775808]");
}
END_TEST

static const struct {
    const char *text, *json;
} strings[] = {
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
    {"\b\f\n\r\t\x01\x1f\x7f", "\"\\u0008\\u000c\\u000a\\u000d\\u0009\\u0001\\u001f\\u007f\""},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"\xff|\xc3|\x80|\xe2\x82|\xf0\x9f\x98",
     "\"\\ufffd|\\ufffd|\\ufffd|\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd\""},
    {"\xc0\xaf", "\"\\ufffd\\ufffd\""},                       /* overlong */
    {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},            /* surrogate */
    {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* beyond U+10FFFF */
};

START_TEST(strings_are_escaped_and_always_utf8)
{
    json_string(&j, NULL, strings[_i].text);
    ck_assert_str_eq(written(), strings[_i].json);
}
END_TEST

START_TEST(a_document_may_be_written_in_parts)
{
    struct doc second = {.buf = evbuffer_new()};
    json_array(&j, NULL);
    json_uint(&j, NULL, 1);
    j.doc = &second;
    json_uint(&j, NULL, 2);
    json_end(&j);
    ck_assert_str_eq(written(), "[1");
    evbuffer_free(doc.buf);
    doc.buf = second.buf;
    ck_assert_str_eq(written(), ",2]");
}
END_TEST

/* Every byte but NUL in one string: another parser must accept it. */
START_TEST(python_reads_what_is_written)
{
    char all[256];
    for (int i = 1; i < 256; i++)
        all[i - 1] = (char)i;
    all[255] = '\0';
    json_object(&j, NULL);
    json_string(&j, all, all);
    json_end(&j);
    FILE *p = popen("python3 -c 'import json, sys\n"
                    "d = json.load(sys.stdin)\n"
                    "(k, v), = d.items()\n"
                    "assert k == v and k[:127] == \"\".join(map(chr, range(1, 128))), repr(k)\n"
                    "assert k[127:] == chr(0xfffd) * 128, repr(k)'",
                    "w");
    ck_assert_ptr_nonnull(p);
    fputs(written(), p);
    ck_assert_int_eq(pclose(p), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("json");
    TCase *t = tcase_create("json");
    tcase_set_timeout(t, 30); /* Python takes its time on a busy machine */
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, members_and_elements_are_separated_and_ended);
    tcase_add_test(t, the_largest_numbers_are_exact);
    tcase_add_loop_test(t, strings_are_escaped_and_always_utf8, 0, sizeof(strings) / sizeof(strings[0]));
    tcase_add_test(t, a_document_may_be_written_in_parts);
    tcase_add_test(t, python_reads_what_is_written);
    suite_add_tcase(s, t);
    return run_suite(s);
}
