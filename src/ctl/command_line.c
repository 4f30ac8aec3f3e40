/* braidctl's command line. */
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <braid/control.h>
#include <braid/version.h>
#include "ctl/client.h"
#include "ctl/cluster.h"
#include "ctl/drain.h"
#include "ctl/hosts.h"
#include "ctl/record.h"
#include "ctl/remote.h"
#include "ctl/top.h"

#define WAIT_MS        20000
#define SECONDS_DIGITS 9  /* of a time to wait, and one more: nobody waits for 30 years */
#define TOTAL_DIGITS   20 /* and a NUL */

static const struct {
    const char *word;
    enum braid_arguments arguments;
    const char *help;
} commands[BRAID_COMMAND_MAX] = {
#define X(id, word, arguments, help, ...) {word, BRAID_ARGUMENTS_##arguments, help},
    BRAID_COMMANDS(X)
#undef X
};

/* As the help shows them. */
static const char *const arguments_shown[] = {
#define X(id, shown) shown,
    BRAID_ARGUMENTS(X)
#undef X
};

static void usage(FILE *f)
{
    fputs("usage: braidctl [-s SOCKET | --url URL] [--json] [-h] [-V] COMMAND\n"
          "  -s SOCKET  ask the daemon there instead of at " BRAID_CONTROL_PATH "\n"
          "  --json     print one JSON document\n"
          "  --url URL  ask over HTTP, as at https://HOST:9180; prints JSON\n"
          "     --ca FILE --cert FILE --key FILE  whom to trust there, and who we are\n"
          "     --token-file FILE                 the first token in it is shown\n"
          "  --hosts LIST  of status and top: over HTTP, several machines added up; as in a,b:9180\n"
          "  --bytes N  of record: so much of the payload of each packet, or \"all\"\n"
          "  --keys     of record: the connection's keys as well\n"
          "  --connections N, --total BYTES  of record EDGE: ends after so many, or so much\n"
          "  --wait [SECONDS]  of drain EDGE: until it has no connection left, or for so long\n"
          "  -h, -V     print this help, or the version\n"
          "without a daemon:\n"
          "  cluster WHAT PARAMETER ... nftables rules, or routes, that lead joins to their machines\n"
          "a FILTER is KEY=VALUE, or the option --KEY VALUE:\n "
#define X(id, key, shown, right) " " key "=" shown
          BRAID_FILTERS(X)
#undef X
              "\ncommands:\n",
          f);
    for (int i = 0; i < BRAID_COMMAND_MAX; i++) {
        int width = (int)strlen(commands[i].word);
        fprintf(f, "  %s %-*s %s\n", commands[i].word, 17 - width, arguments_shown[commands[i].arguments],
                commands[i].help);
    }
}

__attribute__((format(printf, 2, 3))) static int misuse(FILE *err, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("braidctl: ", err);
    vfprintf(err, format, ap);
    fputs("; \"braidctl -h\" tells how to use it\n", err);
    va_end(ap);
    return CLIENT_USAGE;
}

static bool is_number(const char *s)
{
    return *s && strspn(s, "0123456789") == strlen(s) && strlen(s) < 20;
}

static bool is_setting(const char *word)
{
#define X(id, name)                                                                                          \
    if (strcmp(word, name) == 0)                                                                             \
        return true;
    BRAID_SETTINGS(X)
#undef X
    return false;
}

static int check_id(const char *word, FILE *err)
{
    return is_number(word) ? 0 : misuse(err, "\"%s\" is not the id of a connection, a number", word);
}

static int check_set(int n, char **words, FILE *err)
{
    if (n != 4)
        return misuse(err,
                      "%s takes three arguments: the id of a connection, what is to be set, and its name",
                      words[0]);
    if (!is_setting(words[2]))
        return misuse(err,
                      "\"%s\" cannot be set; there are:"
#define X(id, name) " " name
                      BRAID_SETTINGS(X)
#undef X
                          ,
                      words[2]);
    return check_id(words[1], err);
}

static int check_clear(int n, char **words, FILE *err)
{
    bool fits = n == 1 || (n == 2 && strcmp(words[1], "clear") == 0);
    return fits ? 0 : misuse(err, "%s takes no argument but \"clear\"", words[0]);
}

/* What they mean the daemon knows. */
static int check_parameters(int n, char **words, FILE *err)
{
    for (int i = 1; i < n; i++)
        if (!strchr(words[i], '='))
            return misuse(err, "\"%s\" is no argument of %s: they are KEY=VALUE, or --KEY VALUE", words[i],
                          words[0]);
    return 0;
}

static int check_which(int n, char **words, FILE *err)
{
    if (n == 1)
        return misuse(err, "%s takes the id of a connection, or at least one filter, such as --edge NAME",
                      words[0]);
    return n == 2 && is_number(words[1]) ? 0 : check_parameters(n, words, err);
}

/* How long a recording may become: the daemon is not asked. */
static bool is_total(const char *word)
{
    return strncmp(word, "total=", 6) == 0 && is_number(word + 6) && strlen(word) < 6 + TOTAL_DIGITS;
}

/* What is to be recorded, the file, and parameters. */
static int check_record(int n, char **words, FILE *err)
{
    if (n < 3 || strchr(words[2], '='))
        return misuse(err, "%s takes the id of a connection or the name of an edge, and the name of a file",
                      words[0]);
    for (int i = 3; i < n; i++)
        if (strncmp(words[i], "bytes=", 6) != 0 && strcmp(words[i], "keys=yes") != 0 &&
            strncmp(words[i], "connections=", 12) != 0 && !is_total(words[i]))
            return misuse(err,
                          "\"%s\" is no argument of %s: there are --bytes N, --keys, --connections N and "
                          "--total BYTES",
                          words[i], words[0]);
    return 0;
}

/* words: the command, and n - 1 arguments. 0, or CLIENT_USAGE after saying what is wrong. */
static int check_arguments(enum braid_arguments arguments, int n, char **words, FILE *err)
{
    switch (arguments) {
    case BRAID_ARGUMENTS_NONE:
        return n == 1 ? 0 : misuse(err, "%s takes no argument", words[0]);
    case BRAID_ARGUMENTS_CLEAR:
        return check_clear(n, words, err);
    case BRAID_ARGUMENTS_ID:
        return n == 2 ? check_id(words[1], err)
                      : misuse(err, "%s takes one argument, the id of a connection", words[0]);
    case BRAID_ARGUMENTS_MAYBE_ID:
        return n == 1   ? 0
               : n == 2 ? check_id(words[1], err)
                        : misuse(err, "%s takes no argument but the id of a connection", words[0]);
    case BRAID_ARGUMENTS_WHICH:
        return check_which(n, words, err);
    case BRAID_ARGUMENTS_LIST:
    case BRAID_ARGUMENTS_TOP:
    case BRAID_ARGUMENTS_SECONDS:
    case BRAID_ARGUMENTS_CHANGED:
    case BRAID_ARGUMENTS_WATCH:
        return check_parameters(n, words, err);
    case BRAID_ARGUMENTS_SETTING:
        return check_set(n, words, err);
    case BRAID_ARGUMENTS_RECORD:
        return check_record(n, words, err);
    case BRAID_ARGUMENTS_EDGE:
        return n == 2 ? 0 : misuse(err, "%s takes one argument, the name of an edge or a CPE", words[0]);
    case BRAID_ARGUMENTS_DRAIN:
        return n <= 2 ? 0
                      : misuse(err, "%s takes no argument but the name of an edge or a CPE, and --wait",
                               words[0]);
    }
    return CLIENT_USAGE;
}

/* The request for words; CLIENT_USAGE if it does not fit. */
static int make_line(char line[BRAID_CONTROL_LINE], bool json, int n, char **words, FILE *err)
{
    int used = 0;
    for (int i = 0; i < n && used < BRAID_CONTROL_LINE; i++)
        used += snprintf(line + used, (size_t)(BRAID_CONTROL_LINE - used), "%s ", words[i]);
    if (used < BRAID_CONTROL_LINE)
        used += snprintf(line + used, (size_t)(BRAID_CONTROL_LINE - used), "%s\n", json ? "--json" : "");
    return used < BRAID_CONTROL_LINE ? 0 : misuse(err, "the arguments are too long");
}

#define PARAMETERS_MAX 16

/* What the options say. */
struct said {
    const char *path;
    struct remote remote;
    const char *hosts; /* NULL: one daemon is asked */
    bool json, waits;
    const char *seconds; /* to wait; NULL: however long it takes */
    int n;
    char parameters[PARAMETERS_MAX][BRAID_CONTROL_LINE];
};

/* False: who is not a terminal gets one answer. */
static bool is_terminal(FILE *out)
{
    return out == stdout && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* It is drained first, and what there is then is the answer. */
static int drain(const struct said *s, const char *line, const char *name, FILE *out, FILE *err)
{
    int result = client_ask(s->path, line, WAIT_MS, out, err);
    if (result != CLIENT_OK || !s->waits)
        return result;
    return drain_wait(s->path, name, s->seconds ? atol(s->seconds) : -1, err);
}

/* The machines are asked for what they carry, whichever command it is: top shows it again and again. */
static int ask_hosts(const struct said *s, enum braid_command command, int n, FILE *out, FILE *err)
{
    bool again = command == BRAID_COMMAND_TOP && !s->json && is_terminal(out);
    const struct hosts_request r = {.list = s->hosts,
                                    .remote = s->remote,
                                    .json = s->json,
                                    .in = again ? STDIN_FILENO : -1,
                                    .out = STDOUT_FILENO};
    if ((command != BRAID_COMMAND_STATUS && command != BRAID_COMMAND_TOP) || n > 1)
        return misuse(err, "--hosts is an option of status and top, without arguments");
    return hosts_run(&r, out, err);
}

/* The file is braidctl's own affair. */
static int record(const struct said *s, int n, char **words, FILE *err)
{
    char line[BRAID_CONTROL_LINE];
    const char *file = words[2];
    uint64_t total = UINT64_MAX;
    int said = 2;
    for (int i = 3; i < n; i++)
        if (is_total(words[i]))
            total = strtoull(words[i] + 6, NULL, 10);
        else
            words[said++] = words[i];
    int flaw = make_line(line, false, said, words, err);
    return flaw ? flaw : record_run(s->path, line, file, total, err);
}

/* words: the command and its arguments. */
static int run(const struct said *s, int n, char **words, FILE *out, FILE *err)
{
    char line[BRAID_CONTROL_LINE];
    int c = 0;
    if (strcmp(words[0], "cluster") == 0)
        return cluster_run(n, words, out, err);
    while (c < BRAID_COMMAND_MAX && strcmp(words[0], commands[c].word) != 0)
        c++;
    if (c == BRAID_COMMAND_MAX)
        return misuse(err, "there is no command \"%s\"", words[0]);
    int flaw = check_arguments(commands[c].arguments, n, words, err);
    if (flaw == 0)
        flaw = make_line(line, s->json, n, words, err);
    if (flaw)
        return flaw;
    if (s->hosts)
        return ask_hosts(s, (enum braid_command)c, n, out, err);
    if (s->remote.url)
        return remote_ask(&s->remote, (enum braid_command)c, n, words, WAIT_MS, out, err);
    if (c == BRAID_COMMAND_TOP && !s->json && is_terminal(out))
        return top_run(s->path, n - 1, words + 1, STDIN_FILENO, STDOUT_FILENO, err);
    if (c == BRAID_COMMAND_RECORD)
        return record(s, n, words, err);
    if (c == BRAID_COMMAND_DRAIN)
        return drain(s, line, n > 1 ? words[1] : NULL, out, err);
    if (c == BRAID_COMMAND_EVENTS || c == BRAID_COMMAND_WATCH)
        return client_follow(s->path, line, c == BRAID_COMMAND_EVENTS && n > 1, out, err);
    return client_ask(s->path, line, WAIT_MS, out, err);
}

/* ---- options ----------------------------------------------------------------------------------- */

enum { PARAMETER = 256, CHANGED, KEYS, WAIT, URL, CA, CERT, KEY, TOKEN_FILE, HOSTS };

/* --edge web is another way to say edge=web. */
#define X(id, key, ...) {key, required_argument, NULL, PARAMETER},
static const struct option long_options[] = {BRAID_FILTERS(X){"limit", required_argument, NULL, PARAMETER},
                                             {"sort", required_argument, NULL, PARAMETER},
                                             {"find", required_argument, NULL, PARAMETER},
                                             {"kind", required_argument, NULL, PARAMETER},
                                             {"bytes", required_argument, NULL, PARAMETER},
                                             {"connections", required_argument, NULL, PARAMETER},
                                             {"total", required_argument, NULL, PARAMETER},
                                             {"keys", no_argument, NULL, KEYS},
                                             {"changed", no_argument, NULL, CHANGED},
                                             {"wait", optional_argument, NULL, WAIT},
                                             {"json", no_argument, NULL, 'j'},
                                             {"url", required_argument, NULL, URL},
                                             {"ca", required_argument, NULL, CA},
                                             {"cert", required_argument, NULL, CERT},
                                             {"key", required_argument, NULL, KEY},
                                             {"token-file", required_argument, NULL, TOKEN_FILE},
                                             {"hosts", required_argument, NULL, HOSTS},
                                             {"help", no_argument, NULL, 'h'},
                                             {"version", no_argument, NULL, 'V'},
                                             {NULL, 0, NULL, 0}};
#undef X

static int say_parameter(struct said *s, const char *key, const char *value, FILE *err)
{
    size_t room = sizeof(s->parameters[0]);
    if (s->n == PARAMETERS_MAX || (size_t)snprintf(s->parameters[s->n++], room, "%s=%s", key, value) >= room)
        return misuse(err, "the arguments are too long");
    return 0;
}

/* Whom to ask over HTTP, and how. */
static void say_remote(struct remote *r, int option, const char *value)
{
    const char **to = option == URL    ? &r->url
                      : option == CA   ? &r->ca
                      : option == CERT ? &r->cert
                      : option == KEY  ? &r->key
                                       : &r->token_file;
    *to = value;
}

/* "--wait 30" comes as two words: only behind "=" is an argument taken that may be missing. */
static int say_wait(struct said *s, int *n, char **words, FILE *err)
{
    if (!s->waits)
        return 0;
    if (*n < 2 || strcmp(words[0], commands[BRAID_COMMAND_DRAIN].word) != 0)
        return misuse(err, "--wait is an option of drain EDGE");
    if (!s->seconds && *n == 3 && is_number(words[2]))
        s->seconds = words[--*n];
    bool fits = !s->seconds || (is_number(s->seconds) && strlen(s->seconds) < SECONDS_DIGITS);
    return fits ? 0 : misuse(err, "--wait takes a number of seconds, or none");
}

/* words: what is no option; the parameters come behind them. */
static int run_with(struct said *s, int n, char **words, FILE *out, FILE *err)
{
    char *all[n + PARAMETERS_MAX];
    int flaw = say_wait(s, &n, words, err);
    if (flaw)
        return flaw;
    for (int i = 0; i < n; i++)
        all[i] = words[i];
    for (int i = 0; i < s->n; i++)
        all[n + i] = s->parameters[i];
    return n == 0 ? misuse(err, "the command is missing") : run(s, n + s->n, all, out, err);
}

int client_main(int argc, char **argv, FILE *out, FILE *err)
{
    struct said said = {.path = BRAID_CONTROL_PATH};
    opterr = 0;
    optind = 0;
    for (int c, which; (c = getopt_long(argc, argv, "s:hV", long_options, &which)) != -1;) {
        switch (c) {
        case 's':
            said.path = optarg;
            break;
        case 'j':
            said.json = true;
            break;
        case PARAMETER:
            if (say_parameter(&said, long_options[which].name, optarg, err) != 0)
                return CLIENT_USAGE;
            break;
        case CHANGED:
            if (say_parameter(&said, "changed", "yes", err) != 0)
                return CLIENT_USAGE;
            break;
        case KEYS:
            if (say_parameter(&said, "keys", "yes", err) != 0)
                return CLIENT_USAGE;
            break;
        case WAIT:
            said.waits = true;
            said.seconds = optarg;
            break;
        case HOSTS:
            said.hosts = optarg;
            break;
        case URL:
        case CA:
        case CERT:
        case KEY:
        case TOKEN_FILE:
            say_remote(&said.remote, c, optarg);
            break;
        case 'h':
            usage(out);
            return CLIENT_OK;
        case 'V':
            fputs("braidctl " BRAID_VERSION "\n", out);
            return CLIENT_OK;
        default:
            return misuse(err, "\"%s\" is no option, or lacks its argument", argv[optind - 1]);
        }
    }
    return run_with(&said, argc - optind, argv + optind, out, err);
}
