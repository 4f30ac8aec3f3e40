/* Reads hostile recordings (docs/recorder.md): each connection in the file is done again, shown, drawn, and
 * played afresh, as build/replay does it. What is torn, altered or made up is refused, or does no harm, and
 * comes to an end. The mutator changes single blocks and their order, so that the file stays one.
 *
 * The state that a recording begins with has a sum, behind which nothing comes here: that is fuzz_thaw's. */
#include <stdlib.h>
#include <string.h>
#include "must.h"
#include "record/pcapng.h"
#include "record/rerun.h"
#include "replay/afresh.h"
#include "replay/chart.h"
#include "replay/difference.h"
#include "replay/story.h"

#define BLOCKS_MOST  4096
#define BLOCK_HEAD   8  /* its type and length */
#define BLOCK_TAIL   4  /* its length again */
#define CUSTOM_HEAD  16 /* of one of ours: also whose it is, and how much of it is there */
#define CONNS_MOST   4  /* of a file */
#define WRITTEN_MOST 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t room); /* libFuzzer's own */

static FILE *nowhere;

/* ---- reading ------------------------------------------------------------------------------------- */

static void on_event(void *ctx, const struct braid_conn *c, const struct braid_tap_event *e,
                     const struct rerun_result *so_far)
{
    (void)c;
    chart_event(ctx, e, so_far->at);
}

static void draw(struct tape tape)
{
    struct chart *chart = chart_new(tape.begins);
    const struct rerun_watch watch = {.ctx = chart, .event = on_event};
    struct rerun_result result;
    MUST(chart);
    rerun_tape(&tape, &watch, &result);
    MUST(result.same || result.failure[0]);
    MUST(recording_end_text(result.end));
    chart_write(chart, nowhere);
    chart_free(chart);
}

/* What was played is a recording again, whole. */
static void must_be_recorded(const struct afresh_result *r)
{
    struct tape tape;
    struct braid_tap_event e;
    MUST(!r->recording.failed && tape_open(&tape, r->recording.data, r->recording.len));
    while (tape_next(&tape, &e))
        ;
    MUST(!tape.torn);
}

static void play(struct tape tape)
{
    struct afresh_result r;
    afresh_play(&tape, WRITTEN_MOST, &r);
    if (r.failure)
        MUST(!r.recording.data);
    else
        must_be_recorded(&r);
    blob_free(&r.recording);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct tape tape;
    struct tape_count sum = {.begun = 0};
    nowhere = nowhere ? nowhere : fopen("/dev/null", "w");
    MUST(nowhere);
    uint8_t *bytes = malloc(len ? len : 1); /* used to its very end, which ASan guards */
    MUST(bytes);
    if (len > 0)
        memcpy(bytes, data, len);
    struct scan file = {bytes, bytes + len, false}, blocks = file;
    tape_note(&blocks, &sum);
    for (unsigned i = 0; i < CONNS_MOST && tape_find(&tape, &file); i++) {
        struct tape told = tape;
        difference_tell(&told, nowhere);
        draw(tape);
        play(tape);
    }
    free(bytes);
    return 0;
}

/* ---- changing ------------------------------------------------------------------------------------ */

struct blocks {
    size_t at[BLOCKS_MOST + 1]; /* where each begins; the last one: where it ends */
    unsigned n;
};

static uint32_t length_of(const uint8_t *block)
{
    uint32_t len;
    memcpy(&len, block + 4, sizeof(len));
    return len;
}

/* Of what is there the whole blocks. */
static void find_blocks(const uint8_t *data, size_t len, struct blocks *out)
{
    size_t at = 0;
    out->n = 0;
    out->at[0] = 0;
    while (out->n < BLOCKS_MOST && len - at >= BLOCK_HEAD + BLOCK_TAIL) {
        uint32_t n = length_of(data + at);
        if (n < BLOCK_HEAD + BLOCK_TAIL || n % 4 != 0 || n > len - at)
            break;
        at += n;
        out->at[++out->n] = at;
    }
}

/* The bytes from `at` on, so many of them, become others; lengths behind them move. How long all is then. */
static size_t splice(uint8_t *data, size_t len, size_t at, size_t n, const uint8_t *others, size_t n_others)
{
    memmove(data + at + n_others, data + at + n, len - at - n);
    if (n_others > 0)
        memcpy(data + at, others, n_others);
    return len - n + n_others;
}

/* A block of ours with other bytes in it. */
static size_t change_custom(uint8_t *data, size_t len, size_t room, size_t at)
{
    size_t n = length_of(data + at), inside = n - CUSTOM_HEAD - BLOCK_TAIL, most = inside + 64;
    struct blob block = {.len = 0};
    uint8_t *body = malloc(most);
    MUST(body);
    memcpy(body, data + at + CUSTOM_HEAD, inside);
    pcapng_custom(&block, body, LLVMFuzzerMutate(body, inside, most));
    free(body);
    if (len - n + block.len <= room)
        len = splice(data, len, at, n, block.data, block.len);
    blob_free(&block);
    return len;
}

static size_t change_block(uint8_t *data, size_t len, size_t room, size_t at)
{
    size_t n = length_of(data + at);
    uint32_t type;
    memcpy(&type, data + at, sizeof(type));
    if (type == 0x0bad && n > CUSTOM_HEAD + BLOCK_TAIL)
        return change_custom(data, len, room, at);
    LLVMFuzzerMutate(data + at + BLOCK_HEAD, n - BLOCK_HEAD, n - BLOCK_HEAD); /* it stays as long */
    return len;
}

/* The block comes once more, elsewhere; move: there instead of here. */
static size_t copy_block(uint8_t *data, size_t len, size_t room, const struct blocks *all, unsigned from,
                         unsigned to, bool move)
{
    size_t n = all->at[from + 1] - all->at[from], target = all->at[to];
    uint8_t *block = malloc(n);
    MUST(block);
    memcpy(block, data + all->at[from], n);
    if (move) {
        len = splice(data, len, all->at[from], n, NULL, 0);
        target -= to > from ? n : 0;
    }
    if (len + n <= room)
        len = splice(data, len, target, 0, block, n);
    free(block);
    return len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
    static struct blocks all;
    find_blocks(data, len, &all);
    if (all.n == 0 || seed % 16 == 0)
        return LLVMFuzzerMutate(data, len, room);
    unsigned from = seed / 16 % all.n, to = seed / 65536 % all.n;
    size_t at = all.at[from];
    switch (seed % 16) {
    case 1:
        return splice(data, len, at, all.at[from + 1] - at, NULL, 0);
    case 2:
        return copy_block(data, len, room, &all, from, to, false);
    case 3:
        return copy_block(data, len, room, &all, from, to, true);
    default:
        return change_block(data, len, room, at);
    }
}
