/* Documents of the uplinks. */
#include "io/multihoming.h"
#include "render_harness.h"

static struct uplinks uplinks;

static struct braid_ip ip(const char *text)
{
    struct braid_ip parsed;
    ck_assert_int_eq(ip_parse(text, &parsed), 0);
    return parsed;
}

/* The paths of the fake configuration are those of two uplinks: lte, which has used up its quota, and dsl. */
static void setup(void)
{
    begin_view(1);
    ck_assert_uint_eq(conf.n_paths, 2);
    uplinks = (struct uplinks){.n = 2};
    uplinks.all[0] = (struct uplink){.name = conf.path_names[0],
                                     .interface = "wwan0",
                                     .inner = {ip("10.200.0.1"), ip("fd00:200::1")},
                                     .usable = {true, true},
                                     .silent = {false, true},
                                     .srtt = {12300, 0},
                                     .probes = {32, 3},
                                     .loss = {3, 100},
                                     .backup = true};
    uplinks.all[0].ways[UPLINK_V4] =
        (struct uplink_way){.outer = ip("192.0.2.7"), .gateway = ip("192.0.2.1")};
    uplinks.all[0].ways[UPLINK_V6] = (struct uplink_way){.outer = ip("2001:db8::7")};
    uplinks.all[1] = (struct uplink){.name = conf.path_names[1], .interface = "ppp0"};
    uplinks.all[1].ways[UPLINK_V4].lack = UPLINK_LACKS_CARRIER;
    uplinks.all[1].ways[UPLINK_V6].lack = UPLINK_LACKS_ADDRESS;
    view.uplinks = &uplinks;
}

START_TEST(the_text_tells_each_way_and_what_is_missing)
{
    render_uplinks_text(&doc, &view);
    const char *text = written();
    contains(text, "\nlte          wwan0                 5 ");
    contains(text, ", used up, backup, strips option 30\n    IPv4  up      192.0.2.7 via 192.0.2.1, round "
                   "trip 12.3 ms, 3 % of probes "
                   "lost\n    IPv6  silent  2001:db8::7, 100 % of probes lost\n");
    contains(text, "\ndsl          ppp0 ");
    contains(text, "\n    IPv4  down    no carrier\n    IPv6  down    no address\n2 uplinks\n");
}
END_TEST

START_TEST(json_has_an_object_for_each_family)
{
    render_uplinks_json(&doc, &view);
    const char *text = written();
    contains(
        text,
        "{\"uplinks\":[{\"name\":\"lte\",\"interface\":\"wwan0\",\"ipv4\":{\"state\":\"up\",\"lacks\":null,"
        "\"address\":\"192.0.2.7\",\"gateway\":\"192.0.2.1\",\"inner\":\"10.200.0.1\",\"srtt_us\":12300,"
        "\"probes\":32,\"loss_percent\":3},\"ipv6\":{\"state\":\"silent\",\"lacks\":null,"
        "\"address\":\"2001:db8::7\",\"gateway\":null,\"inner\":\"fd00:200::1\",\"srtt_us\":null,"
        "\"probes\":3,\"loss_percent\":100},\"backup\":true,\"strips_option_30\":true,\"cost\":5,\"weight\":"
        "1,\"subflows\":5,"
        "\"bytes\":1200,\"bytes_in_per_s\":0,\"bytes_out_per_s\":0,\"quota\":");
    contains(text, ",\"over_quota\":true},{\"name\":\"dsl\"");
    contains(text,
             "\"ipv4\":{\"state\":\"down\",\"lacks\":\"no carrier\",\"address\":null,\"gateway\":null,");
    contains(text, "\"probes\":0,\"loss_percent\":null}");
}
END_TEST

START_TEST(other_layers_that_move_connections_are_named)
{
    struct uplinks with = *view.uplinks;
    with.multihoming = MULTIHOMING_SHIM6 | MULTIHOMING_HIP;
    view.uplinks = &with;
    render_uplinks_json(&doc, &view);
    contains(written(), "],\"multihoming\":[\"SHIM6\",\"HIP\"]}\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    render_uplinks_text(&doc, &view);
    contains(written(), "\nthis machine uses SHIM6: connections over IPv6 are plain TCP\n"
                        "this machine uses HIP: connections of its identities are left to the kernel\n");
}
END_TEST

START_TEST(metrics_have_a_series_for_each_uplink_and_family)
{
    render_metrics(&doc, &view);
    const char *text = written();
    contains(text, "\n# TYPE braid_uplink_usable gauge\n");
    contains(text, "\nbraid_uplink_usable{uplink=\"lte\",family=\"ipv4\"} 1\n");
    contains(text, "\nbraid_uplink_usable{uplink=\"dsl\",family=\"ipv6\"} 0\n");
    contains(text, "\nbraid_uplink_silent{uplink=\"lte\",family=\"ipv6\"} 1\n");
    contains(text, "\nbraid_uplink_srtt_microseconds{uplink=\"lte\",family=\"ipv4\"} 12300\n");
    contains(text, "\nbraid_uplink_probe_loss_percent{uplink=\"lte\",family=\"ipv6\"} 100\n");
}
END_TEST

START_TEST(without_uplinks_there_is_nothing_to_tell)
{
    view.uplinks = NULL;
    render_uplinks_json(&doc, &view);
    ck_assert_str_eq(written(), "{\"uplinks\":[],\"multihoming\":[]}\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    render_uplinks_text(&doc, &view);
    contains(written(), "\n0 uplinks\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    render_metrics(&doc, &view);
    ck_assert_ptr_null(strstr(written(), "braid_uplink"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render_uplinks");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_text_tells_each_way_and_what_is_missing);
    tcase_add_test(t, json_has_an_object_for_each_family);
    tcase_add_test(t, other_layers_that_move_connections_are_named);
    tcase_add_test(t, metrics_have_a_series_for_each_uplink_and_family);
    tcase_add_test(t, without_uplinks_there_is_nothing_to_tell);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
