/* See message.h. */
#include "app/message.h"
#include <assert.h>
#include <string.h>
#include "base/addr.h"
#include "base/bytes.h"

#define HEADER        8
#define ITEM          2 /* bytes before what an item says */
#define ADDR_BYTES    18
#define FIGURES_BYTES 36
#define EVENT_BYTES   12
#define NUMBER_BYTES  9

enum item {
    ITEM_OPTION = 1,
    ITEM_TARGET,
    ITEM_ERROR,
    ITEM_VALUE,
    ITEM_ADD,
    ITEM_REMOVE,
    ITEM_PAIR,
    ITEM_PROFILE,
    ITEM_FIGURES, /* of the first pair that has none yet */
    ITEM_PROGRAM,
    ITEM_EVENT,
    ITEM_TCP, /* of the first pair that has none yet */
    ITEM_MPTCP,
    ITEM_PATH_MANAGER,
    ITEM_NUMBER /* which of them, and its 64 bits */
};

/* All of it at once: the longest message. */
_Static_assert(HEADER + (ITEM + 1) + (ITEM + ADDR_BYTES) + 2 * (ITEM + 4) +
                       2 * APP_ADDRS_MAX * (ITEM + ADDR_BYTES) + APP_PAIRS_MAX * (ITEM + 2 * ADDR_BYTES) +
                       APP_PAIRS_MAX * (ITEM + FIGURES_BYTES) + (ITEM + APP_NAME_MAX) +
                       (ITEM + APP_PATH_MAX) + (ITEM + EVENT_BYTES) +
                       APP_PAIRS_MAX * (ITEM + LINUX_TCP_SIZE) + (ITEM + LINUX_MPTCP_SIZE) +
                       (ITEM + APP_NAME_MAX) + APP_NUMBERS * (ITEM + NUMBER_BYTES) <=
                   APP_MESSAGE_MAX,
               "the longest message has room");

/* ---- writing ------------------------------------------------------------------------------------------ */

static uint8_t *put_item(uint8_t *at, enum item what, size_t len)
{
    at[0] = (uint8_t)what;
    at[1] = (uint8_t)len;
    return at + ITEM;
}

static uint8_t *put_number(uint8_t *at, enum item what, uint32_t v)
{
    at = put_item(at, what, 4);
    put32(at, v);
    return at + 4;
}

static uint8_t *put_addr(uint8_t *at, const struct braid_addr *a)
{
    memcpy(at, a->ip.b, sizeof(a->ip.b));
    put16(at + sizeof(a->ip.b), a->port);
    return at + ADDR_BYTES;
}

static uint8_t *put_addrs(uint8_t *at, enum item what, const struct app_addrs *list)
{
    assert(list->n <= APP_ADDRS_MAX);
    for (unsigned i = 0; i < list->n; i++)
        at = put_addr(put_item(at, what, ADDR_BYTES), &list->addr[i]);
    return at;
}

static uint8_t *put_pairs(uint8_t *at, const struct app_message *m)
{
    assert(m->n_pairs <= APP_PAIRS_MAX);
    for (unsigned i = 0; i < m->n_pairs; i++) {
        at = put_addr(put_item(at, ITEM_PAIR, (size_t)2 * ADDR_BYTES), &m->pairs[i].local);
        at = put_addr(at, &m->pairs[i].remote);
    }
    return at;
}

static uint8_t *put_figures(uint8_t *at, const struct app_figures *f)
{
    const uint32_t words[] = {f->subflow, f->flags, f->rtt_us, f->min_rtt_us, f->retransmissions};
    at = put_item(at, ITEM_FIGURES, FIGURES_BYTES);
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++, at += 4)
        put32(at, words[i]);
    put64(at, f->sent);
    put64(at + 8, f->received);
    return at + 16;
}

static uint8_t *put_word(uint8_t *at, enum item what, const char *word, size_t most)
{
    size_t len = strnlen(word, most);
    if (len > 0)
        memcpy(put_item(at, what, len), word, len);
    return len > 0 ? at + ITEM + len : at;
}

static uint8_t *put_event(uint8_t *at, const struct app_event *e)
{
    at = put_item(at, ITEM_EVENT, EVENT_BYTES);
    memcpy(at, (const uint8_t[]){e->kind, e->flags, e->reset, e->address_id}, 4);
    put32(at + 4, e->subflow);
    put32(at + 8, e->error);
    return at + EVENT_BYTES;
}

static uint8_t *put_linux(uint8_t *at, const struct app_message *m)
{
    assert(m->n_tcp <= m->n_pairs);
    for (unsigned i = 0; i < m->n_tcp; i++)
        at = linux_tcp_put(put_item(at, ITEM_TCP, LINUX_TCP_SIZE), &m->tcp[i]);
    return m->has_mptcp ? linux_mptcp_put(put_item(at, ITEM_MPTCP, LINUX_MPTCP_SIZE), &m->mptcp) : at;
}

static uint8_t *put_numbers(uint8_t *at, const struct app_numbers *n)
{
    uint64_t value;
    for (unsigned i = 0; i < APP_NUMBERS; i++) {
        if (!app_numbers_tell(n, i, &value))
            continue;
        at = put_item(at, ITEM_NUMBER, NUMBER_BYTES);
        at[0] = (uint8_t)i;
        put64(at + 1, value);
        at += NUMBER_BYTES;
    }
    return at;
}

size_t app_write(const struct app_message *m, uint8_t out[APP_MESSAGE_MAX])
{
    uint8_t *at = out + HEADER;
    memcpy(out, (const uint8_t[]){'B', 'r', APP_VERSION, (uint8_t)m->kind}, 4);
    put32(out + 4, m->number);
    if (m->option != APP_NONE) {
        at = put_item(at, ITEM_OPTION, 1);
        *at++ = (uint8_t)m->option;
    }
    if (m->target.port > 0)
        at = put_addr(put_item(at, ITEM_TARGET, ADDR_BYTES), &m->target);
    if (m->error > 0)
        at = put_number(at, ITEM_ERROR, m->error);
    if (m->has_value)
        at = put_number(at, ITEM_VALUE, m->value);
    at = put_addrs(at, ITEM_ADD, &m->add);
    at = put_addrs(at, ITEM_REMOVE, &m->remove);
    at = put_pairs(at, m);
    assert(m->n_figures <= m->n_pairs);
    for (unsigned i = 0; i < m->n_figures; i++)
        at = put_figures(at, &m->figures[i]);
    at = put_word(at, ITEM_PROFILE, m->profile, APP_NAME_MAX);
    at = put_word(at, ITEM_PROGRAM, m->program, APP_PATH_MAX);
    if (m->kind == APP_EVENT)
        at = put_event(at, &m->event);
    at = put_word(at, ITEM_PATH_MANAGER, m->path_manager, APP_NAME_MAX);
    at = put_numbers(at, &m->numbers);
    return (size_t)(put_linux(at, m) - out);
}

/* ---- parsing ------------------------------------------------------------------------------------------ */

static struct braid_addr get_addr(const uint8_t *at)
{
    struct braid_addr a = {.port = get16(at + sizeof(a.ip.b))};
    memcpy(a.ip.b, at, sizeof(a.ip.b));
    return a;
}

static bool take_option(struct app_message *m, uint8_t option)
{
    if (option == APP_NONE || option >= APP_OPTIONS)
        return false;
    m->option = option;
    return true;
}

static bool take_addr(struct app_addrs *list, const uint8_t *at)
{
    if (list->n == APP_ADDRS_MAX)
        return false;
    list->addr[list->n++] = get_addr(at);
    return true;
}

static bool take_pair(struct app_message *m, const uint8_t *at)
{
    if (m->n_pairs == APP_PAIRS_MAX)
        return false;
    m->pairs[m->n_pairs++] = (struct braid_pair){.local = get_addr(at), .remote = get_addr(at + ADDR_BYTES)};
    return true;
}

static bool take_figures(struct app_message *m, const uint8_t *at)
{
    if (m->n_figures == m->n_pairs)
        return false;
    m->figures[m->n_figures++] = (struct app_figures){.subflow = get32(at),
                                                      .flags = get32(at + 4),
                                                      .rtt_us = get32(at + 8),
                                                      .min_rtt_us = get32(at + 12),
                                                      .retransmissions = get32(at + 16),
                                                      .sent = get64(at + 20),
                                                      .received = get64(at + 28)};
    return true;
}

static bool take_tcp(struct app_message *m, const uint8_t *at)
{
    if (m->n_tcp == m->n_pairs)
        return false;
    m->tcp[m->n_tcp++] = linux_tcp_get(at);
    return true;
}

/* A word: nothing in it is special to whoever prints it. */
static bool take_word(char *word, size_t most, const uint8_t *at, size_t len)
{
    if (len == 0 || len > most || word[0])
        return false;
    for (size_t i = 0; i < len; i++)
        if (at[i] <= ' ' || at[i] > '~')
            return false;
    memcpy(word, at, len);
    word[len] = '\0';
    return true;
}

static bool take_event(struct app_message *m, const uint8_t *at)
{
    if (m->kind != APP_EVENT)
        return false;
    m->event = (struct app_event){.kind = at[0],
                                  .flags = at[1],
                                  .reset = at[2],
                                  .address_id = at[3],
                                  .subflow = get32(at + 4),
                                  .error = get32(at + 8)};
    return true;
}

/* One that is not known is skipped, as items are. */
static bool take_number(struct app_numbers *n, const uint8_t *at)
{
    if (at[0] < APP_NUMBERS)
        app_numbers_say(n, at[0], get64(at + 1));
    return true;
}

/* Of an item that is known, the length that it must have; 0: any. */
static size_t length_of(uint8_t what)
{
    switch (what) {
    case ITEM_OPTION:
        return 1;
    case ITEM_ERROR:
    case ITEM_VALUE:
        return 4;
    case ITEM_TARGET:
    case ITEM_ADD:
    case ITEM_REMOVE:
        return ADDR_BYTES;
    case ITEM_PAIR:
        return (size_t)2 * ADDR_BYTES;
    case ITEM_FIGURES:
        return FIGURES_BYTES;
    case ITEM_EVENT:
        return EVENT_BYTES;
    case ITEM_TCP:
        return LINUX_TCP_SIZE;
    case ITEM_MPTCP:
        return LINUX_MPTCP_SIZE;
    case ITEM_NUMBER:
        return NUMBER_BYTES;
    default:
        return 0;
    }
}

static bool take_item(struct app_message *m, uint8_t what, const uint8_t *at, size_t len)
{
    size_t must = length_of(what);
    if (must > 0 && len != must)
        return false;
    switch (what) {
    case ITEM_OPTION:
        return take_option(m, at[0]);
    case ITEM_TARGET:
        m->target = get_addr(at);
        return m->target.port > 0;
    case ITEM_ERROR:
        m->error = get32(at);
        return m->error > 0;
    case ITEM_VALUE:
        m->has_value = true;
        m->value = get32(at);
        return true;
    case ITEM_ADD:
        return take_addr(&m->add, at);
    case ITEM_REMOVE:
        return take_addr(&m->remove, at);
    case ITEM_PAIR:
        return take_pair(m, at);
    case ITEM_FIGURES:
        return take_figures(m, at);
    case ITEM_PROFILE:
        return take_word(m->profile, APP_NAME_MAX, at, len);
    case ITEM_PROGRAM:
        return take_word(m->program, APP_PATH_MAX, at, len);
    case ITEM_EVENT:
        return take_event(m, at);
    case ITEM_TCP:
        return take_tcp(m, at);
    case ITEM_MPTCP:
        m->has_mptcp = true;
        m->mptcp = linux_mptcp_get(at);
        return true;
    case ITEM_PATH_MANAGER:
        return take_word(m->path_manager, APP_NAME_MAX, at, len);
    case ITEM_NUMBER:
        return take_number(&m->numbers, at);
    default:
        return true;
    }
}

int app_parse(const uint8_t *bytes, size_t len, struct app_message *out)
{
    *out = (struct app_message){0};
    if (len < HEADER || bytes[0] != 'B' || bytes[1] != 'r' || bytes[2] != APP_VERSION || bytes[3] == 0 ||
        bytes[3] >= APP_KINDS)
        return -1;
    out->kind = bytes[3];
    out->number = get32(bytes + 4);
    for (size_t at = HEADER; at < len; at += ITEM + bytes[at + 1]) {
        if (len - at < ITEM || len - at - ITEM < bytes[at + 1] ||
            !take_item(out, bytes[at], bytes + at + ITEM, bytes[at + 1]))
            return -1;
    }
    return 0;
}
