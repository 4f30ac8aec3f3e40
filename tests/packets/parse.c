/* From the text of a segment to its parts. Whatever a script says ends in a segment or in a complaint. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pkt.h"

bool number_ok(const char *text, int64_t *n)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    char *end;

    if (!isdigit((unsigned char)digits[0]))
        return false;
    errno = 0;
    *n = (int64_t)strtoull(digits, &end, hex ? 16 : 10);
    if (text[0] == '-')
        *n = -*n;
    return *end == '\0' && errno == 0;
}

int64_t parse_number(struct script *s, const char *text)
{
    int64_t n;

    if (!number_ok(text, &n))
        fail(s, "\"%s\" is not a number", text);
    return n;
}

braid_time parse_time(struct script *s, const char *text)
{
    char *end;
    double t = strtod(text, &end);

    if (end == text || *end || !(t >= 0 && t <= 1e6))
        fail(s, "\"%s\" is not a time in seconds", text);
    return (braid_time)llround(t * 1e6);
}

/* Cuts the next word off *text; NULL at the end. */
static char *next_word(char **text)
{
    char *word = *text + strspn(*text, " \t");

    if (*word == '\0')
        return NULL;
    *text = word + strcspn(word, " \t");
    if (**text)
        *(*text)++ = '\0';
    return word;
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

static void parse_option(struct script *s, char *text, struct segment *g)
{
    static const char *const pairs[] = {"val", "ecr",   "flags", "key",  "len",    "csum",
                                        "id",  "token", "nonce", "hmac", "ack",    "ack4",
                                        "dsn", "dsn4",  "ssn",   "addr", "reason", NULL};
    static const char *const alone[] = {"fin", "echo", "bare", "backup", NULL};
    struct option *o;
    char *word = next_word(&text);

    if (!word)
        fail(s, "an option without a name");
    if (strcmp(word, "...") == 0) {
        g->rest = true;
        return;
    }
    if (g->n == OPTIONS)
        fail(s, "more than %d options", OPTIONS);
    o = &g->o[g->n++];
    *o = (struct option){.name = word};
    while ((word = next_word(&text)) != NULL) {
        struct field *f = &o->f[o->n];

        if (strcmp(word, "...") == 0) {
            o->rest = true;
            continue;
        }
        if (o->n++ == FIELDS)
            fail(s, "more than %d words in an option", FIELDS);
        *f = (struct field){.name = "", .value = word};
        if (is_one_of(word, alone)) {
            *f = (struct field){.name = word, .value = ""};
        } else if (is_one_of(word, pairs)) {
            *f = (struct field){.name = word, .value = next_word(&text)};
            if (!f->value)
                fail(s, "%s: \"%s\" needs a value", o->name, f->name);
        } else if (word[0] == 'v' && isdigit((unsigned char)word[1])) {
            *f = (struct field){.name = "v", .value = word + 1};
        }
    }
}

/* What stands between < and >. */
static void parse_options(struct script *s, char *text, struct segment *g)
{
    char *comma;

    while ((comma = strchr(text, ',')) != NULL) {
        *comma = '\0';
        parse_option(s, text, g);
        text = comma + 1;
    }
    parse_option(s, text, g);
}

/* "1:101(100)" */
static void parse_range(struct script *s, char *word, struct segment *g)
{
    char *colon = strchr(word, ':'), *open = strchr(word, '('), *close = strchr(word, ')');

    if (!colon || !open || !close || colon > open || open > close || close[1])
        fail(s, "\"%s\" is not SEQ:END(LEN)", word);
    *colon = *open = *close = '\0';
    g->has_seq = true;
    g->seq = parse_number(s, word);
    g->len = (uint32_t)parse_number(s, open + 1);
    if (parse_number(s, colon + 1) - g->seq != g->len)
        fail(s, "the length in the parentheses is not END - SEQ");
    if (g->len > 60000)
        fail(s, "more than 60000 bytes of payload");
}

static void parse_words(struct script *s, char *text, struct segment *g)
{
    char *word;

    while ((word = next_word(&text)) != NULL) {
        bool ack = strcmp(word, "ack") == 0, win = strcmp(word, "win") == 0, urg = strcmp(word, "urg") == 0,
             data = strcmp(word, "data") == 0;

        if (ack || win || urg || data) {
            char *value = next_word(&text);
            int64_t n = value ? parse_number(s, value) : 0;

            if (!value)
                fail(s, "\"%s\" needs a number", word);
            g->has_ack |= ack, g->has_win |= win, g->has_urg |= urg, g->has_data |= data;
            g->ack = ack ? n : g->ack;
            g->win = win ? (uint32_t)n : g->win;
            g->urg = urg ? (uint32_t)n : g->urg;
            g->data = data ? (uint64_t)n : g->data;
        } else if (strcmp(word, "badsum") == 0) {
            g->bad_sum = true;
        } else if (strchr(word, ':')) {
            parse_range(s, word, g);
        } else {
            fail(s, "\"%s\" has no meaning in a segment", word);
        }
    }
}

void segment_parse(struct script *s, const char *text, struct segment *g)
{
    char *open, *close, *rest = g->text;

    memset(g, 0, sizeof(*g));
    if (strlen(text) >= sizeof(g->text))
        fail(s, "a segment of more than %d characters", SEGMENT_MAX);
    strcpy(g->text, text);
    open = strchr(g->text, '<');
    if (open) {
        close = strrchr(open, '>');
        if (!close || close[1 + strspn(close + 1, " \t")])
            fail(s, "the options do not end with \">\"");
        *open = *close = '\0';
        parse_options(s, open + 1, g);
    }
    g->flags = next_word(&rest);
    if (!g->flags || g->flags[strspn(g->flags, "SFRP.UEW-")])
        fail(s, "\"%s\" are no flags", g->flags ? g->flags : "");
    parse_words(s, rest, g);
}
