/* Documents of the paths of the configuration, and of what they did. */
#include "render_harness.h"

static void setup(void)
{
    begin_view(1);
}

START_TEST(paths_add_up_the_workers_and_tell_whose_quota_is_used_up)
{
    render_paths_json(&doc, &view);
    const char *text = written();
    contains(text, "{\"paths\":[{\"name\":\"lte\",\"local\":\"any\",\"remote\":\"2001:db8::/32\",\"cost\":5,"
                   "\"weight\":1,\"bytes\":1200,\"subflows\":5,\"bytes_in\":800,\"bytes_out\":400,\"bytes_in_"
                   "per_s\":0,\"bytes_out_per_s\":0,"
                   "\"segments_sent\":180,\"segments_again\":20,\"rtt\":[{\"up_to_us\":1000,\"samples\":0},");
    contains(text, ",{\"up_to_us\":10000,\"samples\":10},");
    contains(text,
             ",{\"up_to_us\":null,\"samples\":2}],\"rtt_sum_us\":14000,\"quota\":1000,\"over_quota\":true},"
             "{\"name\":\"dsl\",\"local\":\"10.99.9.2/32\",\"remote\":\"any\",\"cost\":0,\"weight\":1,"
             "\"bytes\":0,\"subflows\":0,\"bytes_in\":0,");
    contains(
        text,
        "\"quota\":null,\"over_quota\":false}],\"other\":{\"subflows\":0,\"bytes_in\":0,\"bytes_out\":154,");
    contains(text, ",\"rtt_sum_us\":0},\"cleared\":false}\n");
}
END_TEST

START_TEST(people_see_what_a_path_has_carried_and_may_carry)
{
    view.cleared = true;
    render_paths_text(&doc, &view);
    const char *text = written();
    contains(text,
             "\nlte          any                        2001:db8::/32                    5       1     5 "
             "      1.2 KB       1.0 KB, used up\n");
    contains(text,
             "\ndsl          10.99.9.2/32               any                              0       1     0 "
             "         0 B         none\n");
    contains(text, "\n2 paths, counted anew from now on\n");
}
END_TEST

START_TEST(metrics_tell_of_paths_and_of_those_that_match_none)
{
    render_metrics(&doc, &view);
    const char *text = written();
    contains(text, "\nbraid_path_bytes_total{path=\"lte\"} 1200\n");
    contains(text, "\nbraid_path_quota_bytes{path=\"dsl\"} 0\n");
    contains(text, "\nbraid_path_subflows{path=\"lte\"} 5\n");
    contains(text, "\nbraid_path_received_bytes_total{path=\"lte\"} 800\n");
    contains(text, "\nbraid_path_sent_bytes_total{path=\"lte\"} 400\n");
    contains(text, "\nbraid_path_sent_bytes_total{path=\"-\"} 154\n");
    contains(text, "\nbraid_path_segments_total{path=\"lte\"} 180\n");
    contains(text, "\nbraid_path_retransmitted_segments_total{path=\"lte\"} 20\n");
}
END_TEST

START_TEST(round_trips_are_a_histogram_whose_buckets_hold_those_before)
{
    render_metrics(&doc, &view);
    const char *text = written();
    contains(text, "\n# TYPE braid_path_rtt_seconds histogram\n");
    contains(text, "\nbraid_path_rtt_seconds_bucket{path=\"lte\",le=\"0.005\"} 0\n");
    contains(text, "\nbraid_path_rtt_seconds_bucket{path=\"lte\",le=\"0.01\"} 10\n");
    contains(text, "\nbraid_path_rtt_seconds_bucket{path=\"lte\",le=\"5\"} 10\n");
    contains(text, "\nbraid_path_rtt_seconds_bucket{path=\"lte\",le=\"+Inf\"} 12\n");
    contains(text, "\nbraid_path_rtt_seconds_sum{path=\"lte\"} 0.014000\n");
    contains(text, "\nbraid_path_rtt_seconds_count{path=\"lte\"} 12\n");
}
END_TEST

START_TEST(a_subflow_tells_its_path)
{
    render_conn_text(&doc, &view);
    contains(written(), "\n  path lte: cost 5, weight 1, over its quota\n");
    again();
    render_conn_json(&doc, &view);
    contains(written(), "\"path\":null,\"cost\":0,\"weight\":1,\"over_quota\":false,");
    contains(written(), "\"path\":\"lte\",\"cost\":5,\"weight\":1,\"over_quota\":true,");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("render_paths");
    TCase *t = tcase_create("render_paths");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, paths_add_up_the_workers_and_tell_whose_quota_is_used_up);
    tcase_add_test(t, people_see_what_a_path_has_carried_and_may_carry);
    tcase_add_test(t, metrics_tell_of_paths_and_of_those_that_match_none);
    tcase_add_test(t, round_trips_are_a_histogram_whose_buckets_hold_those_before);
    tcase_add_test(t, a_subflow_tells_its_path);
    suite_add_tcase(s, t);
    return run_suite(s);
}
