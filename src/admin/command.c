/* The table of commands, and reading what is asked of it. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/http.h>
#include "admin/command.h"
#include "admin/meter.h"
#include "admin/section.h"
#include "conf/profiles.h"

const struct command commands[BRAID_COMMAND_MAX] = {
#define X(id, word_, arguments_, help, path_, asks_, clears_, text, json)                                    \
    {.word = word_,                                                                                          \
     .arguments = BRAID_ARGUMENTS_##arguments_,                                                              \
     .path = path_,                                                                                          \
     .type = "application/json",                                                                             \
     .asks = SNAPSHOT_##asks_,                                                                               \
     .clears = SNAPSHOT_##clears_,                                                                           \
     .render = {render_##text##_text, render_##json##_json}},
    BRAID_COMMANDS(X)
#undef X
};

const struct command command_metrics = {.path = "/metrics",
                                        .type = "text/plain; version=0.0.4; charset=utf-8",
                                        .asks = SNAPSHOT_SUMMARY,
                                        .render = {render_metrics, render_metrics}};

#define LIST_MOST 1000000 /* connections that a list can be limited to */

/* ---- lines of the control socket ------------------------------------------------------------- */

/* The next word of *line, which moves on; NULL: there is none. */
static char *next_word(char **line)
{
    char *word;
    do
        word = strsep(line, " \t\r");
    while (word && !*word);
    return word;
}

#define WORDS_MAX 16 /* more than any command takes */

/* Decimal digits only. */
static bool parse_id(const char *word, uint64_t *id)
{
    char *end;
    errno = 0;
    *id = strtoull(word, &end, 10);
    return isdigit((unsigned char)word[0]) && !*end && !errno;
}

static bool parse_setting(const char *word, enum braid_setting *setting)
{
    static const char *const settings[] = {
#define X(id, word) word,
        BRAID_SETTINGS(X)
#undef X
    };
    for (*setting = 0; *setting < BRAID_SET_MAX; ++*setting)
        if (strcmp(word, settings[*setting]) == 0)
            return true;
    return false;
}

#define SORT_KEYS                "rate, bytes, age, rtt, retransmits, memory, subflows"
#define X(id, key, shown, right) " " key "=" shown
#define FILTER_KEYS              "KEY=VALUE:" BRAID_FILTERS(X)

static const char *const takes[] = {
    [BRAID_ARGUMENTS_NONE] = "this command takes no argument",
    [BRAID_ARGUMENTS_CLEAR] = "this command takes no argument but \"clear\"",
    [BRAID_ARGUMENTS_ID] =
        "this command takes one argument, the id of a connection, a number; \"connections\" lists them",
    [BRAID_ARGUMENTS_MAYBE_ID] = "this command takes no argument but the id of a connection, a number",
    [BRAID_ARGUMENTS_SETTING] =
        ("this command takes three arguments: the id of a connection; scheduler, congestion, profile, "
         "path_manager, redundancy, subflows or fate_sharing; and what that is to be"),
    [BRAID_ARGUMENTS_LIST] = "this command takes limit=N, 1 to 1000000; sort=KEY, one of " SORT_KEYS
                             ", and then at most 500; and the filters " FILTER_KEYS,
    [BRAID_ARGUMENTS_TOP] = "this command takes limit=N, 1 to 500; sort=KEY, one of " SORT_KEYS
                            "; find=TEXT, 63 bytes at most; and the filters " FILTER_KEYS,
    [BRAID_ARGUMENTS_WHICH] =
        ("this command takes the id of a connection, a number; or at least one of the filters " FILTER_KEYS),
    [BRAID_ARGUMENTS_SECONDS] = "this command takes no argument but seconds=N, 1 to 300",
    [BRAID_ARGUMENTS_CHANGED] = "this command takes no argument but changed=yes or changed=no",
    [BRAID_ARGUMENTS_WATCH] =
        ("this command takes edge=NAME, of an edge or a CPE; client=PREFIX; and kind=KIND, or several with "
         "commas between them, of established, subflow-up, subflow-down, subflow-failed, priority, "
         "path-silent, path-heard, announced, withdrawn, fallback, closed, uplink, target"),
    [BRAID_ARGUMENTS_RECORD] = ("this command takes the id of a connection, a number, or the name of an "
                                "edge; bytes=N, or bytes=all, of payload; keys=yes; and, of an edge, "
                                "connections=N"),
    [BRAID_ARGUMENTS_EDGE] = "this command takes one argument, the name of an edge or a CPE",
    [BRAID_ARGUMENTS_DRAIN] = "this command takes no argument but the name of an edge or a CPE",
};

#undef X

static bool takes_parameters(const struct command *c)
{
    return c->arguments == BRAID_ARGUMENTS_TOP || c->arguments == BRAID_ARGUMENTS_LIST ||
           c->arguments == BRAID_ARGUMENTS_SECONDS || c->arguments == BRAID_ARGUMENTS_CHANGED;
}

/* The value of "key=value", NULL: it is another key. */
static const char *value_of(const char *parameter, const char *key)
{
    size_t len = strlen(key);
    return strncmp(parameter, key, len) == 0 && parameter[len] == '=' ? parameter + len + 1 : NULL;
}

static bool take_number(const char *value, unsigned most, unsigned *to)
{
    uint64_t number;
    if (!parse_id(value, &number) || number < 1 || number > most)
        return false;
    *to = (unsigned)number;
    return true;
}

static bool take_yes(const char *value, bool *to)
{
    *to = strcmp(value, "yes") == 0;
    return *to || strcmp(value, "no") == 0;
}

static bool take_top(struct ranking_wish *top, const char *parameter)
{
    const char *value;
    if ((value = value_of(parameter, "limit")) != NULL)
        return take_number(value, BRAID_TOP_MOST, &top->limit);
    if ((value = value_of(parameter, "sort")) != NULL)
        return ranking_key(value, &top->key);
    if ((value = value_of(parameter, "find")) == NULL || strlen(value) >= sizeof(top->find))
        return false;
    strcpy(top->find, value);
    return true;
}

/* A list in some order is a ranking, of all that there is room for. */
static bool take_list(struct command_call *call, const char *parameter)
{
    const char *value;
    if ((value = value_of(parameter, "sort")) != NULL) {
        call->top.limit = BRAID_TOP_MOST;
        return ranking_key(value, &call->top.key);
    }
    value = value_of(parameter, "limit");
    return value && take_number(value, LIST_MOST, &call->limit);
}

static bool take_record(struct command_call *call, const char *parameter)
{
    const char *value;
    uint64_t bytes;
    if ((value = value_of(parameter, "keys")) != NULL)
        return take_yes(value, &call->keys);
    if ((value = value_of(parameter, "connections")) != NULL)
        return call->section && parse_id(value, &call->conns) && call->conns > 0;
    if ((value = value_of(parameter, "bytes")) == NULL)
        return false;
    call->bytes = SIZE_MAX;
    if (strcmp(value, "all") == 0)
        return true;
    call->bytes = parse_id(value, &bytes) ? (size_t)bytes : 0;
    return call->bytes > 0 || strcmp(value, "0") == 0;
}

/* words: what is to be recorded, and parameters. */
static bool parse_record(struct command_call *call, const char *const words[], unsigned n)
{
    call->one = n > 0 && parse_id(words[0], &call->id);
    call->section = n > 0 && !call->one ? words[0] : NULL;
    for (unsigned i = 1; i < n; i++)
        if (!take_record(call, words[i]))
            return false;
    return n > 0;
}

/* False: *error says what would be right. */
static bool take_parameter(struct command_call *call, const char *parameter, const char **error)
{
    const char *value;
    enum braid_arguments which = call->command->arguments;
    *error = takes[which];
    if (which == BRAID_ARGUMENTS_SECONDS)
        return (value = value_of(parameter, "seconds")) && take_number(value, METER_SECONDS, &call->seconds);
    if (which == BRAID_ARGUMENTS_CHANGED)
        return (value = value_of(parameter, "changed")) && take_yes(value, &call->changed);
    if (which == BRAID_ARGUMENTS_WATCH)
        return watched_take(&call->watched, parameter);
    int taken = filter_take(&call->filter, parameter, error);
    if (taken != 0)
        return taken > 0;
    if (which == BRAID_ARGUMENTS_TOP)
        return take_top(&call->top, parameter);
    return which == BRAID_ARGUMENTS_LIST && take_list(call, parameter);
}

/* What only all parameters together tell. */
static bool parameters_fit(struct command_call *call, const char **error)
{
    *error = takes[call->command->arguments];
    if (call->command->arguments != BRAID_ARGUMENTS_LIST || call->top.limit == 0 || call->limit == 0)
        return true;
    call->top.limit = call->limit;
    return call->limit <= BRAID_TOP_MOST;
}

static bool take_parameters(struct command_call *call, const char *const words[], unsigned n,
                            const char **error)
{
    for (unsigned i = 0; i < n; i++)
        if (!take_parameter(call, words[i], error))
            return false;
    return parameters_fit(call, error);
}

/* words: the command, and n - 1 arguments. */
static bool parse_arguments(struct command_call *call, const char *const words[], unsigned n,
                            const char **error)
{
    switch (call->command->arguments) {
    case BRAID_ARGUMENTS_NONE:
        return n == 1;
    case BRAID_ARGUMENTS_CLEAR:
        call->clear = n == 2 && strcmp(words[1], "clear") == 0;
        return n == 1 || call->clear;
    case BRAID_ARGUMENTS_ID:
        return n == 2 && parse_id(words[1], &call->id);
    case BRAID_ARGUMENTS_MAYBE_ID:
        call->one = n == 2 && parse_id(words[1], &call->id);
        return n == 1 || call->one;
    case BRAID_ARGUMENTS_WHICH:
        call->one = n == 2 && parse_id(words[1], &call->id);
        return call->one || (n > 1 && take_parameters(call, words + 1, n - 1, error));
    case BRAID_ARGUMENTS_LIST:
    case BRAID_ARGUMENTS_TOP:
    case BRAID_ARGUMENTS_SECONDS:
    case BRAID_ARGUMENTS_CHANGED:
    case BRAID_ARGUMENTS_WATCH:
        return take_parameters(call, words + 1, n - 1, error);
    case BRAID_ARGUMENTS_RECORD:
        return parse_record(call, words + 1, n - 1);
    case BRAID_ARGUMENTS_EDGE:
    case BRAID_ARGUMENTS_DRAIN:
        call->section = n == 2 ? words[1] : NULL;
        return n == 2 || (n == 1 && call->command->arguments == BRAID_ARGUMENTS_DRAIN);
    case BRAID_ARGUMENTS_SETTING:
        call->name = n == 4 ? words[3] : NULL;
        return n == 4 && parse_id(words[1], &call->id) && parse_setting(words[2], &call->setting);
    }
    return false;
}

static void defaults(struct command_call *call)
{
    if (call->command->arguments == BRAID_ARGUMENTS_TOP)
        call->top.limit = RANKING_DEFAULT;
}

int command_parse(char *line, struct command_call *call, const char **error)
{
    const char *words[WORDS_MAX] = {""};
    unsigned n = 0, c = 0;
    *call = (struct command_call){.format = COMMAND_TEXT};
    for (char *w; (w = next_word(&line)) != NULL;) {
        if (strcmp(w, "--json") == 0)
            call->format = COMMAND_JSON;
        else if (n < WORDS_MAX)
            words[n++] = w;
    }
    while (c < BRAID_COMMAND_MAX && strcmp(words[0], commands[c].word) != 0)
        c++;
    if (c == BRAID_COMMAND_MAX) {
        *error = "unknown command; there are "
#define X(id, word, ...) word " "
            BRAID_COMMANDS(X)
#undef X
                "and the option --json";
        return -1;
    }
    call->command = &commands[c];
    defaults(call);
    *error = takes[call->command->arguments];
    return parse_arguments(call, words, n, error) ? 0 : -1;
}

/* The place of a word among others. False: it is none of them. */
static bool place_of(const char *word, const char *const words[], unsigned n, uint64_t *place)
{
    for (*place = 0; *place < n; ++*place)
        if (strcmp(word, words[*place]) == 0)
            return true;
    return false;
}

/* What is neither an algorithm nor a profile. False: the name is not right, and *right says what would be. */
static bool resolve_number(const char *name, enum braid_setting setting, struct app_numbers *to,
                           const char **right)
{
    static const char *const levels[] = {"none", "some", "all"}, *const answers[] = {"no", "yes"};
    uint64_t value;
    bool is_right;
    if (setting == BRAID_SET_REDUNDANCY) {
        *right = "none, some, all";
        is_right = place_of(name, levels, 3, &value);
        app_numbers_say(to, APP_NUMBER_REDUNDANCY, value);
    } else if (setting == BRAID_SET_FATE_SHARING) {
        *right = "no, yes";
        is_right = place_of(name, answers, 2, &value);
        app_numbers_say(to, APP_NUMBER_FATE_SHARING, value);
    } else {
        *right = "0 (as the path manager has it), 1 to 16";
        is_right = parse_id(name, &value) && app_number_is_valid(APP_NUMBER_SUBFLOWS, value);
        app_numbers_say(to, APP_NUMBER_SUBFLOWS, value);
    }
    return is_right;
}

/* NULL: it was found; else what it could be, perhaps in list. */
static const char *resolve(const struct conf *conf, struct command_call *call, char list[CONF_LIST_MAX])
{
    struct snapshot_change *to = &call->change;
    const char *right = NULL;
    switch (call->setting) {
    case BRAID_SET_SCHEDULER:
        to->sched = conf_scheduler(call->name);
        return to->sched ? NULL : conf_scheduler_list(list);
    case BRAID_SET_CONGESTION:
        to->cc = conf_congestion(call->name);
        return to->cc ? NULL : conf_congestion_list(list);
    case BRAID_SET_PROFILE:
        to->profile = conf_profile(conf, call->name);
        return to->profile ? NULL : conf_profile_list(conf, list);
    case BRAID_SET_PATH_MANAGER:
        to->demands.path_manager = conf_path_manager(call->name);
        return to->demands.path_manager ? NULL : conf_path_manager_list(list);
    default:
        return resolve_number(call->name, call->setting, &to->demands.numbers, &right) ? NULL : right;
    }
}

int command_resolve(const struct conf *conf, struct command_call *call, char error[CONF_ERROR_MAX])
{
    static const char *const kinds[] = {
        [BRAID_SET_SCHEDULER] = "scheduler",       [BRAID_SET_CONGESTION] = "congestion control",
        [BRAID_SET_PROFILE] = "profile",           [BRAID_SET_PATH_MANAGER] = "path manager",
        [BRAID_SET_REDUNDANCY] = "redundancy",     [BRAID_SET_SUBFLOWS] = "number of subflows",
        [BRAID_SET_FATE_SHARING] = "fate sharing",
    };
    char list[CONF_LIST_MAX];
    if (call->section && section_resolve(conf, &call->section, error) < 0)
        return -1;
    if (call->command->arguments == BRAID_ARGUMENTS_WATCH)
        return filter_resolve(&call->watched.filter, conf, error);
    if (call->command->arguments != BRAID_ARGUMENTS_SETTING)
        return filter_resolve(&call->filter, conf, error);
    const char *right = resolve(conf, call, list);
    if (right)
        snprintf(error, CONF_ERROR_MAX, "there is no %s \"%.80s\"; it is one of: %.800s",
                 kinds[call->setting], call->name, right);
    return right ? -1 : 0;
}

/* ---- paths of the HTTP port ------------------------------------------------------------------ */

static bool is_prefix(const char *path)
{
    return path[strlen(path) - 1] == '/';
}

static bool matches(const struct command *c, const char *path, uint64_t *id)
{
    if (!c->path)
        return false;
    size_t len = strlen(c->path);
    return is_prefix(c->path) ? strncmp(path, c->path, len) == 0 && parse_id(path + len, id)
                              : strcmp(path, c->path) == 0;
}

bool command_at_path(const char *path, struct command_call *call)
{
    *call = (struct command_call){.command = &command_metrics, .format = COMMAND_JSON};
    if (matches(&command_metrics, path, &call->id))
        return true;
    for (call->command = commands; call->command < commands + BRAID_COMMAND_MAX; call->command++)
        if (matches(call->command, path, &call->id)) {
            defaults(call);
            return true;
        }
    return false;
}

int command_take_query(char *query, struct command_call *call, const char **error)
{
    *error = "memory is short";
    if (!takes_parameters(call->command))
        return 0; /* the others never minded */
    for (char *part; (part = strsep(&query, "&")) != NULL;) {
        char *decoded = evhttp_uridecode(part, 1, NULL);
        bool taken = !*part || (decoded && take_parameter(call, decoded, error));
        free(decoded);
        if (!taken)
            return -1;
    }
    return parameters_fit(call, error) ? 0 : -1;
}

const char *command_paths(char out[COMMAND_PATHS])
{
    size_t used = (size_t)snprintf(out, COMMAND_PATHS, "%s", command_metrics.path), left = 0;
    for (unsigned i = 0; i < BRAID_COMMAND_MAX; i++)
        left += commands[i].path != NULL;
    for (unsigned i = 0; i < BRAID_COMMAND_MAX && used < COMMAND_PATHS; i++) {
        const char *path = commands[i].path;
        if (path)
            used += (size_t)snprintf(out + used, COMMAND_PATHS - used, "%s%s%s", --left ? ", " : " and ",
                                     path, is_prefix(path) ? "ID" : "");
    }
    return out;
}
