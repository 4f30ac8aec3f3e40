/* Keeping payload beyond the batch it came in: see slice.h. */
#include "base/slice.h"

#include <string.h>

int slice_keep(struct slice *s, struct mem_account *account)
{
    if (!s->buf || s->buf->account)
        return 0;
    if ((uint64_t)s->len * 2 >= s->buf->cap) {
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
