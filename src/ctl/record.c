/* See record.h. */
#include "ctl/record.h"
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <braid/control.h>
#include "ctl/client.h"
#include "record/tape.h"

#define BLOCK_MOST ((uint32_t)1 << 28) /* what claims to be longer is none of ours */
#define BLOCK_HEAD 8                   /* bytes: its type and its length */

struct intake {
    struct blob in;          /* what is not a whole block yet */
    const char *name;        /* of the file */
    FILE *file;              /* NULL: nothing has come */
    uint64_t written, total; /* bytes; so many there may be */
    bool full;
    struct tape_count sum; /* of the recordings in it */
};

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
    (void)number;
    stopped = 1;
}

static int complain(FILE *err, const char *what, const char *why)
{
    fprintf(err, "braidctl: %s: %s\n", what, why);
    return CLIENT_FAILED;
}

/* What is recorded is nobody else's business. */
static FILE *create(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!f && fd >= 0)
        close(fd);
    return f;
}

static uint32_t block_length(const uint8_t *at)
{
    uint32_t len;
    memcpy(&len, at + 4, sizeof(len));
    return le32toh(len);
}

static void note(struct intake *t, const uint8_t *block, uint32_t len)
{
    struct scan s = {block, block + len, false};
    tape_note(&s, &t->sum);
}

/* All whole blocks; the rest stays. False: it cannot be written, or is none of ours. */
static bool write_blocks(struct intake *t)
{
    size_t done = 0;
    while (t->in.len - done >= BLOCK_HEAD) {
        uint32_t len = block_length(t->in.data + done);
        if (len < BLOCK_HEAD || len > BLOCK_MOST) {
            errno = EPROTO;
            return false;
        }
        if (t->in.len - done < len)
            break;
        t->full = t->written + len > t->total;
        if (t->full)
            break;
        if (!t->file)
            t->file = create(t->name);
        if (!t->file || fwrite(t->in.data + done, 1, len, t->file) != len)
            return false;
        note(t, t->in.data + done, len);
        t->written += len;
        done += len;
    }
    t->in.len -= done;
    memmove(t->in.data, t->in.data + done, t->in.len);
    return !t->file || fflush(t->file) == 0;
}

/* A file does not begin like that. */
static bool is_error(const struct intake *t)
{
    size_t mark = strlen(BRAID_ERROR_TEXT);
    return !t->file && t->in.len >= mark && memcmp(t->in.data, BRAID_ERROR_TEXT, mark) == 0;
}

/* The next bytes. False: there are none. */
static bool read_more(int fd, struct intake *t)
{
    uint8_t *room = blob_room(&t->in, 65536);
    if (!room)
        return false;
    ssize_t n;
    do
        n = recv(fd, room, 65536, 0);
    while (n < 0 && errno == EINTR && !stopped);
    t->in.len -= 65536 - (n > 0 ? (size_t)n : 0);
    return n > 0;
}

static int conclude(const struct intake *t, FILE *err)
{
    size_t mark = strlen(BRAID_ERROR_TEXT);
    if (is_error(t)) {
        fprintf(err, "braidctl: %.*s", (int)(t->in.len - mark), t->in.data + mark);
        return CLIENT_FAILED;
    }
    if (t->in.failed)
        return complain(err, t->name, "memory is short");
    if (!t->file)
        return stopped ? complain(err, t->name, "nothing was recorded yet")
                       : complain(err, t->name, "the daemon has broken off: it may have ended");
    bool ended = t->sum.end != RECORDING_GOES_ON && t->sum.ended == t->sum.begun && !t->full && !stopped;
    fprintf(err, "braidctl: %s: %" PRIu64 " bytes", t->name, t->written);
    if (t->sum.begun != 1)
        fprintf(err, ", %" PRIu64 " connections", t->sum.begun);
    fprintf(err, ": %s\n",
            t->full   ? "as long as it may be"
            : ended   ? recording_end_text(t->sum.end)
            : stopped ? "stopped here"
                      : "the daemon has broken off: it may have ended");
    return t->full || stopped || (ended && t->sum.end == RECORDING_DONE) ? CLIENT_OK : CLIENT_FAILED;
}

int record_run(const char *path, const char *line, const char *file, uint64_t total, FILE *err)
{
    const struct sigaction stop = {.sa_handler = on_stop};
    struct intake t = {.name = file, .total = total};
    int fd = client_open(path, line, err), result = CLIENT_OK;
    if (fd < 0)
        return CLIENT_FAILED;
    stopped = 0;
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    while (result == CLIENT_OK && !stopped && !t.full && read_more(fd, &t))
        if (!is_error(&t) && !write_blocks(&t))
            result = complain(err, file, strerror(errno));
    if (result == CLIENT_OK)
        result = conclude(&t, err);
    if (t.file && fclose(t.file) != 0 && result == CLIENT_OK)
        result = complain(err, file, strerror(errno));
    blob_free(&t.in);
    close(fd);
    return result;
}
