/* Keeping payload beyond the batch it came in: see slice.h. */
#include "base/slice.h"

#include <string.h>

static bool fills(const struct slice *s)
{
    return (uint64_t)s->len * 2 >= s->buf->cap;
}

size_t slice_keep_cost(const struct slice *s)
{
    if (!s->buf || s->buf->account)
        return 0;
    return buf_cost(fills(s) ? s->buf->cap : s->len);
}

int slice_keep(struct slice *s, struct mem_account *account)
{
    if (!s->buf || s->buf->account)
        return 0;
    if (fills(s)) {
        buf_charge(s->buf, account);
        return 0;
    }
    struct buf *copy = buf_new(s->len, account);
    if (!copy)
        return -1;
    memcpy(copy->data, s->data, s->len);
    buf_unref(s->buf);
    *s = (struct slice){.buf = copy, .data = copy->data, .len = s->len};
    return 0;
}
