/* The wire: time that bytes take. */
#include "wire.h"

#define NS_PER_MS 1000000

static void begin_trace(struct wire *w, const struct link_trace *t, int64_t start)
{
    w->trace = t;
    w->lap = start;
    w->next = 0;
    w->at = start;
    w->left = 0;
}

/* Advances to the first opportunity at or after start. */
static void seek(struct wire *w, int64_t start)
{
    const struct link_trace *t = w->trace;
    int64_t length = (int64_t)t->ms[t->n - 1] * NS_PER_MS;

    if (start - w->lap > length) {
        w->lap += (start - w->lap) / length * length;
        w->next = 0;
    }
    for (;;) {
        if (w->next == t->n) {
            w->lap += length;
            w->next = 0;
        }
        w->at = w->lap + (int64_t)t->ms[w->next] * NS_PER_MS;
        w->next++;
        if (w->at >= start)
            return;
    }
}

static int64_t send_by_trace(struct wire *w, int64_t start, uint32_t len)
{
    /* What an opportunity had left is gone for a packet that came after it. */
    if (start > w->at)
        w->left = 0;
    while (w->left < len) {
        len -= w->left;
        seek(w, start);
        w->left = LINK_OPPORTUNITY;
    }
    w->left -= len;
    return w->at;
}

void wire_send(struct wire *w, const struct link_params *p, int64_t start, uint32_t len)
{
    w->sending = len;
    if (p->trace) {
        if (w->trace != p->trace)
            begin_trace(w, p->trace, start);
        w->free_at = send_by_trace(w, start, len);
        return;
    }
    w->trace = NULL;
    w->free_at = start;
    if (p->rate > 0)
        w->free_at += (int64_t)((uint64_t)len * 1000000000 / p->rate);
}
