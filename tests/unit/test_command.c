/* The table of commands: what is said of it elsewhere, and the memory that a request takes. */
#include <check.h>
#include <malloc.h>
#include "admin/query.h"
#include "admin_fake.h"
#include "ctl/client.h"
#include "suite.h"

/* ---- what is said of the commands ---- */

static char *file_text(FILE *f)
{
    char *text = calloc(1, 1 << 17);
    ck_assert_ptr_nonnull(f);
    rewind(f);
    ck_assert_uint_lt(fread(text, 1, (1 << 17) - 1, f), (1 << 17) - 1);
    fclose(f);
    return text;
}

/* The lines of a manual's list that begin with mark, from the line head on; the caller frees them. */
static char *manual_items(const char *page, const char *head, const char *mark)
{
    char *text = file_text(fopen(page, "r")), *items = calloc(1, strlen(text) + 1),
         *rest = strstr(text, head);
    ck_assert_msg(rest != NULL, "%s has no \"%s\"", page, head);
    for (char *line; (line = strsep(&rest, "\n")) != NULL && strcmp(line, ".El") != 0;)
        if (strncmp(line, mark, strlen(mark)) == 0)
            strcat(strcat(items, line + strlen(mark)), "\n");
    free(text);
    return items;
}

/* As the manual writes them. */
static const char *const arguments[] = {
    [BRAID_ARGUMENTS_NONE] = "",
    [BRAID_ARGUMENTS_CLEAR] = " Op Cm clear",
    [BRAID_ARGUMENTS_ID] = " Ar ID",
    [BRAID_ARGUMENTS_MAYBE_ID] = " Op Ar ID",
    [BRAID_ARGUMENTS_LIST] = " Oo Cm limit= Ns Ar N Oc Oo Cm sort= Ns Ar KEY Oc Op Ar FILTER ...",
    [BRAID_ARGUMENTS_TOP] =
        " Oo Cm limit= Ns Ar N Oc Oo Cm sort= Ns Ar KEY Oc Oo Cm find= Ns Ar TEXT Oc Op Ar "
        "FILTER ...",
    [BRAID_ARGUMENTS_WHICH] = " Ar ID | FILTER ...",
    [BRAID_ARGUMENTS_SECONDS] = " Op Cm seconds= Ns Ar N",
    [BRAID_ARGUMENTS_EDGE] = " Ar EDGE",
    [BRAID_ARGUMENTS_RECORD] = " Ar ID | EDGE Oo Fl -bytes Ar N Oc Oo Fl -keys Oc Ar FILE",
    [BRAID_ARGUMENTS_CHANGED] = " Op Fl -changed",
    [BRAID_ARGUMENTS_WATCH] =
        " Oo Cm edge= Ns Ar NAME Oc Oo Cm client= Ns Ar PREFIX Oc Op Cm kind= Ns Ar KIND,...",
    [BRAID_ARGUMENTS_DRAIN] = " Op Ar EDGE Op Fl -wait Op Ar SECONDS",
    [BRAID_ARGUMENTS_SETTING] = " Ar ID Cm"
#define X(id, word) " " word " |"
    BRAID_SETTINGS(X)
#undef X
};

START_TEST(the_manual_lists_each_command_with_its_arguments)
{
    char expected[2048] = "";
    char *listed = manual_items("docs/man/braidctl.8", "The commands are:", ".It Cm ");
    for (unsigned i = 0; i < BRAID_COMMAND_MAX; i++) {
        strcat(strcat(expected, commands[i].word), arguments[commands[i].arguments]);
        if (commands[i].arguments == BRAID_ARGUMENTS_SETTING)
            strcpy(expected + strlen(expected) - 2, " Ar NAME");
        strcat(expected, "\n");
    }
    ck_assert_str_eq(listed, expected);
    free(listed);
}
END_TEST

START_TEST(the_help_lists_each_command_with_its_arguments)
{
    static const char *const lines[] = {
#define X(id, word, arguments, help, ...) word, help,
        BRAID_COMMANDS(X)
#undef X
    };
    FILE *out = tmpfile();
    ck_assert_int_eq(client_main(2, (char *[]){"braidctl", "--help", NULL}, out, stderr), 0);
    char *help = file_text(out), *at = strstr(help, "\ncommands:\n");
    ck_assert_ptr_nonnull(at);
    at += strlen("\ncommands:\n");
    for (unsigned i = 0; i < BRAID_COMMAND_MAX; i++) {
        char *end = strchr(at, '\n');
        size_t word = strlen(lines[2 * i]);
        ck_assert_ptr_nonnull(end);
        *end = '\0';
        ck_assert_int_eq(strncmp(at, "  ", 2), 0);
        ck_assert_int_eq(strncmp(at + 2, lines[2 * i], word), 0);
        ck_assert_int_eq(at[2 + word], ' ');
        ck_assert_str_eq(end - strlen(lines[2 * i + 1]), lines[2 * i + 1]);
        at = end + 1;
    }
    ck_assert_str_eq(at, ""); /* and no other */
    free(help);
}
END_TEST

START_TEST(the_manual_lists_each_path)
{
    char paths[COMMAND_PATHS], *listed = manual_items("docs/man/braidd.8", ".It Pa /metrics", ".It Pa ");
    char *last = strstr(command_paths(paths), " and ");
    ck_assert_ptr_nonnull(last);
    memmove(last + 1, last + 4, strlen(last + 4) + 1); /* "a and b" becomes "a, b" */
    *last = ',';
    for (char *line, *rest = listed, *path = paths; *rest && (line = strsep(&rest, "\n")) != NULL;) {
        ck_assert_int_eq(strncmp(path, line, strlen(line)), 0);
        path += strlen(line);
        ck_assert_str_eq(*rest ? "" : path, "");
        path += strspn(path, ", ");
    }
    free(listed);
}
END_TEST

START_TEST(a_path_leads_to_its_command)
{
    struct command_call call;
    ck_assert(command_at_path("/metrics", &call) && call.command == &command_metrics);
    for (unsigned i = 0; i < BRAID_COMMAND_MAX; i++) {
        char path[64];
        if (!commands[i].path)
            continue;
        bool with_id = commands[i].arguments == BRAID_ARGUMENTS_ID;
        snprintf(path, sizeof(path), "%s%s", commands[i].path, with_id ? "7" : "");
        ck_assert(command_at_path(path, &call));
        ck_assert_ptr_eq(call.command, &commands[i]);
        ck_assert_uint_eq(call.id, with_id ? 7 : 0);
    }
    ck_assert(!command_at_path("/api/v1/connections/", &call));
    ck_assert(!command_at_path("/api/v1/set", &call));
}
END_TEST

static int take(const char *path, const char *query, struct command_call *call)
{
    char text[256];
    const char *error = NULL;
    ck_assert(command_at_path(path, call));
    strcpy(text, query);
    int taken = command_take_query(text, call, &error);
    ck_assert(taken == 0 || error);
    return taken;
}

START_TEST(parameters_of_a_path_are_those_of_its_command)
{
    struct command_call call;
    ck_assert_int_eq(take("/api/v1/top", "", &call), 0);
    ck_assert(call.top.limit == RANKING_DEFAULT && call.top.key == RANKING_RATE && !*call.top.find);
    ck_assert_int_eq(take("/api/v1/top", "limit=500&&sort=memory&find=10.0.0.1%3A80+x", &call), 0);
    ck_assert(call.top.limit == 500 && call.top.key == RANKING_MEMORY);
    ck_assert_str_eq(call.top.find, "10.0.0.1:80 x");
    ck_assert_int_eq(take("/api/v1/rates", "seconds=300", &call), 0);
    ck_assert_uint_eq(call.seconds, 300);
    ck_assert_int_eq(take("/api/v1/connections", "limit=1000000&edge=web", &call), 0);
    ck_assert(call.limit == 1000000 && call.top.limit == 0);
    ck_assert_int_eq(take("/api/v1/connections", "sort=age&client=192.0.2.0%2F24", &call), 0);
    ck_assert(call.limit == 0 && call.top.limit == BRAID_TOP_MOST && call.top.key == RANKING_AGE);
    ck_assert_int_eq(take("/api/v1/connections", "limit=7&sort=age", &call), 0);
    ck_assert(call.limit == 7 && call.top.limit == 7);
    ck_assert_int_eq(take("/api/v1/top", "idle=60", &call), 0);
    ck_assert(filter_says(&call.filter, BRAID_FILTER_IDLE) && call.filter.idle_s == 60);
    ck_assert_int_eq(take("/api/v1/status", "limit=0&%zz", &call), 0); /* which takes none */
}
END_TEST

START_TEST(other_parameters_are_refused)
{
    static const char *const wrong[][2] = {{"/api/v1/top", "limit=0"},
                                           {"/api/v1/top", "limit=501"},
                                           {"/api/v1/top", "limit=x"},
                                           {"/api/v1/top", "limit"},
                                           {"/api/v1/top", "sort=name"},
                                           {"/api/v1/top", "sort="},
                                           {"/api/v1/top", "order=up"},
                                           {"/api/v1/rates", "limit=3"},
                                           {"/api/v1/rates", "seconds=301"},
                                           {"/api/v1/rates", "seconds=0"},
                                           {"/api/v1/rates", "seconds=3&x"},
                                           {"/api/v1/rates", "edge=web"},
                                           {"/api/v1/connections", "find=x"},
                                           {"/api/v1/connections", "limit=501&sort=age"},
                                           {"/api/v1/connections", "limit=1000001"},
                                           {"/api/v1/connections", "idle=0"},
                                           {"/api/v1/connections", "edge"}};
    struct command_call call;
    char find[BRAID_TOP_FIND + 6] = "find=";
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(take(wrong[i][0], wrong[i][1], &call) < 0, "%s", wrong[i][1]);
    memset(find + 5, 'x', BRAID_TOP_FIND);
    ck_assert_int_eq(take("/api/v1/top", find, &call), -1);
    find[5 + BRAID_TOP_FIND - 1] = '\0';
    ck_assert_int_eq(take("/api/v1/top", find, &call), 0);
}
END_TEST

/* ---- memory ---- */

#define WORKERS 2

static struct event_base *base;
static struct fake fake;
static struct conf conf;
static struct query_set *set;

static void on_part(void *ctx, struct evbuffer *part, bool last)
{
    (void)part;
    *(unsigned *)ctx += 1 + last;
}

static void on_failed(void *ctx, enum query_failure why)
{
    (void)ctx;
    ck_abort_msg("%s", query_failure_text(why));
}

static const struct query_sink sink = {.part = on_part, .failed = on_failed};

static void setup(void)
{
    const struct query_limits limits = {.queries = 8, .answer_ms = 5000};
    base = event_base_new();
    fake_conf(&conf);
    fake_init(&fake, base, WORKERS);
    fake.conns[0] = SNAPSHOT_CONNS + 1;
    fake.hold = true;
    set = query_set_new(base, &fake.source, &conf, &limits);
}

static void teardown(void)
{
    query_set_free(set);
    fake_release(&fake);
    event_base_free(base);
    conf_free(&conf);
}

/* Of the heap, in use now; 0 where an allocator does not tell. */
static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

START_TEST(a_request_takes_the_memory_that_it_needs)
{
    for (unsigned i = 0; i < BRAID_COMMAND_MAX; i++) {
        struct command_call call = {.command = &commands[i], .format = COMMAND_JSON, .id = 2};
        enum query_failure why;
        unsigned parts = 0;
        size_t before = in_use();
        struct query *q = query_start(set, &call, &sink, &parts, &why);
        ck_assert_ptr_nonnull(q);
        ck_assert_uint_lt(in_use() - before, 6 << 10);
        query_cancel(q);
        fake_release(&fake);
    }
}
END_TEST

/* Two subflows each, of the sixteen that there is room for in what the core tells. */
START_TEST(a_page_takes_the_memory_of_the_subflows_that_there_are)
{
    struct command_call call = {.command = &commands[BRAID_COMMAND_CONNECTIONS], .format = COMMAND_TEXT};
    enum query_failure why;
    unsigned parts = 0;
    struct query *q = query_start(set, &call, &sink, &parts, &why);
    ck_assert_ptr_nonnull(q);
    struct snapshot_job *job = fake.held[0];
    size_t before = in_use();
    fake_fill(&fake, job);
    ck_assert_uint_eq(job->n, SNAPSHOT_CONNS);
    ck_assert_uint_lt(in_use() - before, SNAPSHOT_CONNS * 1024);
    query_cancel(q);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("command");
    TCase *t = tcase_create("table"), *m = tcase_create("memory");
    tcase_add_test(t, the_manual_lists_each_command_with_its_arguments);
    tcase_add_test(t, the_help_lists_each_command_with_its_arguments);
    tcase_add_test(t, the_manual_lists_each_path);
    tcase_add_test(t, a_path_leads_to_its_command);
    tcase_add_test(t, parameters_of_a_path_are_those_of_its_command);
    tcase_add_test(t, other_parameters_are_refused);
    tcase_add_checked_fixture(m, setup, teardown);
    tcase_add_test(m, a_request_takes_the_memory_that_it_needs);
    tcase_add_test(m, a_page_takes_the_memory_of_the_subflows_that_there_are);
    suite_add_tcase(s, t);
    suite_add_tcase(s, m);
    return run_suite(s);
}
