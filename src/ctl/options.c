/* braidctl's command line. */
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <braid/control.h>
#include <braid/version.h>
#include "ctl/client.h"

#define WAIT_MS 20000

static const struct {
    const char *word, *argument, *help;
} commands[BRAID_COMMAND_MAX] = {
#define X(id, word, argument, help) {word, argument, help},
    BRAID_COMMANDS(X)
#undef X
};

static void usage(FILE *f)
{
    fputs("usage: braidctl [-s SOCKET] [--json] [-h] [-V] COMMAND\n"
          "  -s SOCKET  ask the daemon there instead of at " BRAID_CONTROL_PATH "\n"
          "  --json     print one JSON document\n"
          "  -h, -V     print this help, or the version\n"
          "commands:\n",
          f);
    for (int i = 0; i < BRAID_COMMAND_MAX; i++) {
        int width = (int)strlen(commands[i].word);
        fprintf(f, "  %s %-*s %s\n", commands[i].word, 12 - width, commands[i].argument, commands[i].help);
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

/* words: the command, and n - 1 arguments. 0, or CLIENT_USAGE after saying what is wrong. */
static int check_argument(const char *argument, int n, char **words, FILE *err)
{
    if (!*argument)
        return n == 1 ? 0 : misuse(err, "%s takes no argument", words[0]);
    if (argument[0] == '[') {
        bool fits = n == 1 || (n == 2 && strcmp(words[1], "clear") == 0);
        return fits ? 0 : misuse(err, "%s takes no argument but \"clear\"", words[0]);
    }
    if (n != 2)
        return misuse(err, "%s takes one argument, the id of a connection", words[0]);
    return is_number(words[1]) ? 0 : misuse(err, "\"%s\" is not the id of a connection, a number", words[1]);
}

/* words: the command and its arguments. */
static int run(const char *path, bool json, int n, char **words, FILE *out, FILE *err)
{
    char line[BRAID_CONTROL_LINE];
    int c = 0;
    if (n == 0)
        return misuse(err, "the command is missing");
    while (c < BRAID_COMMAND_MAX && strcmp(words[0], commands[c].word) != 0)
        c++;
    if (c == BRAID_COMMAND_MAX)
        return misuse(err, "there is no command \"%s\"", words[0]);
    int flaw = check_argument(commands[c].argument, n, words, err);
    if (flaw)
        return flaw;
    snprintf(line, sizeof(line), "%s%s%s%s\n", words[0], n > 1 ? " " : "", n > 1 ? words[1] : "",
             json ? " --json" : "");
    return client_ask(path, line, WAIT_MS, out, err);
}

int client_main(int argc, char **argv, FILE *out, FILE *err)
{
    static const struct option long_options[] = {{"json", no_argument, NULL, 'j'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {"version", no_argument, NULL, 'V'},
                                                 {NULL, 0, NULL, 0}};
    const char *path = BRAID_CONTROL_PATH;
    bool json = false;
    opterr = 0;
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, "s:hV", long_options, NULL)) != -1;) {
        switch (c) {
        case 's':
            path = optarg;
            break;
        case 'j':
            json = true;
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
    return run(path, json, argc - optind, argv + optind, out, err);
}
