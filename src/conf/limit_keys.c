/* [limits]: limits.h has what each key accepts. */
#include "conf/limits.h"
#include "conf/sections.h"
#include "conf/values.h"

#define SETTER(key, place, unit, least, most, example)                                                       \
    static int set_limit_##key(struct parser *p, const char *value)                                          \
    {                                                                                                        \
        unsigned n;                                                                                          \
        if (parser_number(p, #key, value, least, most, example, &n) < 0)                                     \
            return -1;                                                                                       \
        p->conf->place = n * (unit);                                                                         \
        return 0;                                                                                            \
    }
#define X(key, field, unit, least, most, example) SETTER(key, limits.field, unit, least, most, example)
LIMITS_AS_GIVEN(X)
#undef X
#define X(key, field, unit, least, most, example) SETTER(key, unproven.field, unit, least, most, example)
UNPROVEN_LIMITS(X)
#undef X

static int set_limit_memory(struct parser *p, const char *value)
{
    unsigned n;
    if (value_number(value, 0, 1048576, &n) < 0 || (n > 0 && n < LIMITS_MEMORY_LEAST))
        return parser_fail(
            p, "memory",
            "\"%.80s\" is not 0, for a share of what the machine has, nor a number of MiB from "
            "%u to 1048576; give one, such as 1024",
            value, LIMITS_MEMORY_LEAST);
    p->conf->limits.memory = n * MIB;
    return 0;
}

static int set_buffer(struct parser *p, const char *key, const char *value, size_t *buffer)
{
    unsigned n;
    if (value_number(value, 0, 1048576, &n) < 0 || (n > 0 && n < LIMITS_BUFFER_LEAST))
        return parser_fail(p, key,
                           "\"%.80s\" is not 0, for a part of the memory, nor a number of KiB from %u to "
                           "1048576; give one, such as 8192",
                           value, LIMITS_BUFFER_LEAST);
    *buffer = n * KIB;
    return 0;
}

static int set_limit_rcvbuf(struct parser *p, const char *value)
{
    return set_buffer(p, "rcvbuf", value, &p->conf->limits.rcvbuf_max);
}

static int set_limit_sndbuf(struct parser *p, const char *value)
{
    return set_buffer(p, "sndbuf", value, &p->conf->limits.sndbuf_max);
}

static const struct conf_key keys[] = {
#define X(key, field, unit, least, most, example) {#key, set_limit_##key, false, NULL},
    LIMITS(X) UNPROVEN_LIMITS(X)
#undef X
        {NULL, NULL, false, NULL},
};
SECTION_CHECK_KEYS(keys);

const struct conf_section_kind section_limits = {"limits", NULL, keys, NULL};
