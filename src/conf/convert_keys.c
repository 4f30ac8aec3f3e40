/* See convert_keys.h. */
#include <ctype.h>
#include <string.h>
#include "conf/convert_keys.h"

/* The one being read. */
static struct convert_params *current(struct parser *p)
{
    return &p->conf->edges[parser_section(p)->place].convert;
}

int convert_set_open(struct parser *p, const char *value)
{
    return parser_yes(p, "open", value, &current(p)->open);
}

int convert_set_cookie(struct parser *p, const char *value)
{
    static const char *const words[] = {[CONVERT_COOKIE_NONE] = "off",
                                        [CONVERT_COOKIE_ADDRESS] = "address",
                                        [CONVERT_COOKIE_PSK] = "psk",
                                        NULL};
    unsigned kind;
    if (parser_word(p, "cookie", value, words, &kind) < 0)
        return -1;
    current(p)->cookie = kind;
    return 0;
}

/* It is not repeated in what is said of it. */
int convert_parse_psk(struct parser *p, const char *value, char out[CONVERT_PSK_MAX + 1])
{
    size_t len = strlen(value);
    bool good = len >= CONVERT_PSK_MIN && len <= CONVERT_PSK_MAX;
    for (size_t i = 0; i < len; i++)
        good = good && isgraph((unsigned char)value[i]);
    if (!good)
        return parser_fail(
            p, "psk",
            "is not %d to %d printable characters without blanks; give such a secret, as made by "
            "\"openssl rand -hex 16\"",
            CONVERT_PSK_MIN, CONVERT_PSK_MAX);
    memcpy(out, value, len + 1);
    return 0;
}

int convert_set_psk(struct parser *p, const char *value)
{
    return convert_parse_psk(p, value, current(p)->psk);
}

int convert_set_pending(struct parser *p, const char *value)
{
    return parser_number(p, "pending", value, 1, 100000, CONVERT_PENDING, &current(p)->pending);
}

int convert_set_early(struct parser *p, const char *value)
{
    static const char *const words[] = {"no", "yes", NULL};
    unsigned yes;
    if (parser_word(p, "early", value, words, &yes) < 0)
        return -1;
    current(p)->early = yes;
    return 0;
}

int convert_set_bare_syn(struct parser *p, const char *value)
{
    static const char *const words[] = {"accept", "ignore", NULL};
    unsigned ignore;
    if (parser_word(p, "bare_syn", value, words, &ignore) < 0)
        return -1;
    current(p)->ignore_bare_syn = ignore;
    return 0;
}
