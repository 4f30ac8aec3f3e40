/* Compares a segment that the core sent with what a line expects. Both were read from text, so that whatever
 * can be printed can be expected. */
#include <stdio.h>
#include <string.h>

#include "pkt.h"

static char why[256];

static bool same_value(const char *a, const char *b)
{
    int64_t x, y;

    return strcmp(a, b) == 0 || (number_ok(a, &x) && number_ok(b, &y) && x == y);
}

/* Numbers that the core draws or that follow from time: compared only if a line mentions them. */
static bool is_free(const struct option *o, const struct field *f)
{
    return strcmp(f->name, "val") == 0 || strcmp(f->name, "ecr") == 0 || strcmp(f->name, "nonce") == 0 ||
           (f->name[0] == '\0' && (strcmp(o->name, "mss") == 0 || strcmp(o->name, "wscale") == 0));
}

static bool take_field(struct option *seen, const struct field *want)
{
    for (unsigned i = 0; i < seen->n; i++) {
        struct field *f = &seen->f[i];

        if (f->used || strcmp(f->name, want->name) != 0)
            continue;
        f->used = true;
        return same_value(f->value, want->value);
    }
    return false;
}

static bool options_differ(const struct option *want, struct option *seen)
{
    for (unsigned i = 0; i < want->n; i++) {
        const struct field *f = &want->f[i];

        if (!take_field(seen, f)) {
            snprintf(why, sizeof(why), "%s: %s %s expected", want->name, f->name, f->value);
            return true;
        }
    }
    for (unsigned i = 0; i < seen->n; i++) {
        const struct field *f = &seen->f[i];

        if (!f->used && !want->rest && !is_free(seen, f)) {
            snprintf(why, sizeof(why), "%s: %s %s not expected", seen->name, f->name, f->value);
            return true;
        }
    }
    return false;
}

static struct option *find_option(struct segment *g, const char *name)
{
    for (unsigned i = 0; i < g->n; i++)
        if (strcmp(g->o[i].name, name) == 0)
            return &g->o[i];
    return NULL;
}

static bool all_options_differ(struct segment *want, struct segment *seen)
{
    for (unsigned i = 0; i < want->n; i++) {
        struct option *o = find_option(seen, want->o[i].name);

        if (strcmp(want->o[i].name, "nop") == 0)
            continue;
        if (!o) {
            snprintf(why, sizeof(why), "no %s in it", want->o[i].name);
            return true;
        }
        if (options_differ(&want->o[i], o))
            return true;
    }
    for (unsigned i = 0; i < seen->n && !want->rest; i++)
        if (!find_option(want, seen->o[i].name)) {
            snprintf(why, sizeof(why), "%s not expected", seen->o[i].name);
            return true;
        }
    return false;
}

const char *segment_mismatch(struct segment *want, struct segment *seen)
{
    if (strcmp(want->flags, seen->flags) != 0)
        return "other flags";
    if (want->has_seq ? want->seq != seen->seq || want->len != seen->len : seen->len != 0)
        return "other sequence numbers";
    if (want->has_ack != seen->has_ack || want->ack != seen->ack)
        return "other acknowledgement";
    if (want->has_win && want->win != seen->win)
        return "other window";
    if (want->has_data ? want->data != seen->data : seen->has_data && seen->data == 0)
        return "other payload";
    return all_options_differ(want, seen) ? why : NULL;
}
