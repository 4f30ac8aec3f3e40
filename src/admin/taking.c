/* See taking.h. */
#include "admin/taking.h"
#include <stdlib.h>
#include <event2/buffer.h>

#define PENDING ((size_t)1 << 20) /* bytes that may wait for him */

struct taking {
    struct taking_params params;
    struct reel *reel;
    bool begun; /* bytes have gone to him: what is said then would be part of the file */
    bool over;
};

/* NULL: it is no error. */
static const char *error_of(enum reel_news news)
{
    switch (news) {
    case REEL_MISSING:
        return "there is no connection with this id, or it is being recorded already";
    case REEL_MEMORY:
        return "memory is short; try again";
    case REEL_GOES_ON:
    case REEL_OVER:
        break;
    }
    return NULL;
}

/* Gives the bytes to the buffer, which frees them. */
static void drop_bytes(const void *data, size_t len, void *arg)
{
    (void)len;
    (void)arg;
    free((void *)data);
}

static const char *pass_on(struct taking *t, struct blob *part)
{
    if (part->len == 0) {
        blob_free(part);
        return NULL;
    }
    if (evbuffer_add_reference(t->params.out, part->data, part->len, drop_bytes, NULL) == 0) {
        t->begun = true;
        return NULL;
    }
    blob_free(part);
    return error_of(REEL_MEMORY);
}

void taking_more(struct taking *t)
{
    struct blob part;
    enum reel_news news;
    while (!t->over && evbuffer_get_length(t->params.out) < PENDING && reel_take(t->reel, &part, &news)) {
        const char *error = pass_on(t, &part);
        error = error ? error : error_of(news);
        t->over = error || news == REEL_OVER;
        if (t->over)
            t->params.over(t->params.arg, t->begun ? NULL : error);
    }
}

static void on_ready(void *arg)
{
    taking_more(arg);
}

struct taking *taking_new(const struct taking_params *params)
{
    const struct command_call *call = params->call;
    const struct snapshot_recording what = {
        .id = call->id, .edge = call->section, .most = call->conns, .keys = call->keys, .bytes = call->bytes};
    struct taking *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->params = *params;
    t->reel = params->source->record(params->source, &what, on_ready, t);
    if (t->reel)
        return t;
    free(t);
    return NULL;
}

void taking_free(struct taking *t)
{
    if (!t)
        return;
    t->params.source->unrecord(t->params.source, t->reel);
    free(t);
}
