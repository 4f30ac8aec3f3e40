/* See difference.h. */
#include "replay/difference.h"

#include <stdlib.h>
#include <string.h>
#include "replay/packet_text.h"
#include "replay/story.h"

#define LINES 16 /* of the story, in front of the difference */
#define LINE  1024

struct difference {
    struct rerun_watch story;
    FILE *out;
    FILE *told; /* the story so far, in memory */
    braid_time begins, at;
};

static void on_event(void *ctx, const struct braid_conn *c, const struct braid_tap_event *e,
                     const struct rerun_result *so_far)
{
    struct difference *d = ctx;
    d->at = so_far->at;
    d->story.event(d->story.ctx, c, e, so_far);
}

static void on_begin(void *ctx, struct braid_core *core, struct braid_conn *c)
{
    struct difference *d = ctx;
    d->story.begins(d->story.ctx, core, c);
}

static void tell_event(FILE *out, const char *whose, const struct braid_tap_event *e)
{
    struct wire_packet p;
    char text[LINE];
    if (e && (e->kind == BRAID_TAP_OUT || e->kind == BRAID_TAP_PACKET) && packet_of(e, &p))
        fprintf(out, "      %s %s %s\n", whose, e->kind == BRAID_TAP_OUT ? "sends" : "is given",
                packet_text(&p, text, sizeof(text)));
    else
        fprintf(out, "      %s: %s\n", whose, e ? braid_tap_text(e->kind) : "nothing of that");
}

static void on_difference(void *ctx, const struct braid_tap_event *recorded,
                          const struct braid_tap_event *did)
{
    struct difference *d = ctx;
    fprintf(d->out, "    It first does something else %.6f s after the beginning:\n",
            (double)(d->at - d->begins) / 1e6);
    tell_event(d->out, "the recorded one", recorded);
    tell_event(d->out, "this one", did);
}

/* The last lines of a text. */
static const char *tail(const char *text, size_t len)
{
    const char *at = text + len;
    for (unsigned lines = 0; at > text; at--)
        if (at[-1] == '\n' && lines++ == LINES)
            break;
    return at;
}

bool difference_tell(struct tape *tape, FILE *out)
{
    char *text = NULL;
    size_t len = 0;
    struct difference d = {
        .out = out, .told = open_memstream(&text, &len), .begins = tape->begins, .at = tape->begins};
    const struct rerun_watch watch = {
        .ctx = &d, .event = on_event, .begins = on_begin, .differs = on_difference};
    struct story *story = d.told ? story_new(d.told, tape->begins, &d.story) : NULL;
    struct rerun_result result = {.same = false};
    if (story) {
        rerun_tape(tape, &watch, &result);
        story_end(story, &result);
    }
    if (d.told)
        fclose(d.told);
    if (!result.same && text)
        fprintf(out, "    What it had done until then (replay shows all):\n%s", tail(text, len));
    free(text);
    return result.same;
}
