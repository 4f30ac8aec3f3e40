/* Boxes that change TCP options. */
#include <string.h>
#include "middlebox.h"
#include "segment.h"

struct options {
    uint8_t bytes[SEG_OPTIONS];
    uint32_t n;
};

static bool add(struct options *o, const uint8_t *option)
{
    if (o->n + option[1] > SEG_OPTIONS)
        return false;
    memcpy(o->bytes + o->n, option, option[1]);
    o->n += option[1];
    return true;
}

static void pass_with(struct box *b, unsigned to, struct frame *f, const struct options *o)
{
    box_pass(b, to, seg_with_options(f, o->bytes, o->n));
}

/* ---- taking out -------------------------------------------------------------------- */

static bool is_known(uint8_t kind)
{
    return kind == OPT_MSS || kind == OPT_WSCALE || kind == OPT_SACK_OK || kind == OPT_SACK || kind == OPT_TS;
}

static bool is_unwanted(const struct box_options_params *p, const uint8_t *option)
{
    if (p->unknown)
        return !is_known(*option);
    if (p->kinds)
        return *option == p->kind;
    return *option == OPT_MPTCP && (!p->subtypes || (option[1] > 2 && (p->subtypes >> (option[2] >> 4) & 1)));
}

static void strip(struct box *b, unsigned to, struct frame *f)
{
    const struct box_options_params *p = &b->spec->options;
    struct options left = {.n = 0};
    uint32_t at = 0;
    uint8_t *option;

    while ((option = seg_option(f, &at))) {
        if (!is_unwanted(p, option))
            add(&left, option);
        else if (p->nop)
            memset(option, OPT_NOP, option[1]);
    }
    if (p->nop) {
        frame_refresh(f);
        box_pass(b, to, f);
    } else {
        pass_with(b, to, f, &left);
    }
}

const struct box_ops box_strip = {.name = "strip", .super = true, .frame = strip};

/* ---- saying twice ------------------------------------------------------------------ */

static void repeat(struct box *b, unsigned to, struct frame *f)
{
    struct options all = {.n = 0};
    uint32_t at = 0;
    uint8_t *option;

    while ((option = seg_option(f, &at)))
        add(&all, option);
    at = 0;
    while ((option = seg_option(f, &at)))
        if (*option == OPT_MPTCP)
            add(&all, option);
    pass_with(b, to, f, &all);
}

const struct box_ops box_repeat_options = {.name = "repeat", .super = true, .frame = repeat};

/* ---- another order ----------------------------------------------------------------- */

static void turn(struct box *b, unsigned to, struct frame *f)
{
    uint8_t *found[SEG_OPTIONS];
    struct options all = {.n = 0};
    uint32_t at = 0;
    unsigned n = 0;

    while (n < SEG_OPTIONS && (found[n] = seg_option(f, &at)))
        n++;
    while (n > 0)
        add(&all, found[--n]);
    pass_with(b, to, f, &all);
}

const struct box_ops box_turn_options = {.name = "turn", .super = true, .frame = turn};
