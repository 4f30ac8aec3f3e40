/* Looks into packets on behalf of a path. */
#include "inspect.h"

#include <string.h>
#include "base/bytes.h"
#include "segment.h"

#define JOIN 1 /* subtype of MP_JOIN, RFC 8684 section 8.2 */

/* Whether no part of the packet is elsewhere. */
static bool is_whole(const struct frame *f)
{
    return f->data[0] >> 4 == 6 || (get16(f->data + 6) & 0x3fff) == 0;
}

bool inspect_is_tcp(const struct frame *f)
{
    uint32_t ip = f->len > 0 && f->data[0] >> 4 == 6 ? 40 : 20;
    struct frame_view v;

    if (f->len < ip + 20 || !is_whole(f) || f->data[ip == 40 ? 6 : 9] != 6)
        return false;
    if (ip == 20 && (uint32_t)(f->data[0] & 15) * 4 + 20 > f->len)
        return false;
    v = frame_look(f);
    return v.payload >= v.l4 + 20 && v.payload <= f->len;
}

static bool is_syn(struct frame *f)
{
    return seg_of(f).flags & SEG_SYN;
}

bool inspect_is_join(struct frame *f)
{
    return inspect_is_tcp(f) && is_syn(f) && seg_has_subtype(f, 1u << JOIN);
}

static bool is_meant(struct frame *f, enum link_strip what)
{
    if (what == STRIP_ALL)
        return true;
    return is_syn(f) == (what != STRIP_DATA);
}

void inspect_strip(struct frame *f, enum link_strip what)
{
    uint32_t at = 0;
    uint8_t *option;
    bool changed = false;

    if (what == STRIP_NONE || !inspect_is_tcp(f) || !is_meant(f, what))
        return;
    while ((option = seg_option(f, &at)))
        if (*option == OPT_MPTCP && (what != STRIP_JOIN || (option[1] > 2 && option[2] >> 4 == JOIN))) {
            memset(option, OPT_NOP, option[1]);
            changed = true;
        }
    if (changed)
        frame_refresh(f);
}
