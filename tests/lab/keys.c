/* The keys of a path. */
#include "scenario.h"

#include <stdio.h>
#include <string.h>
#include "values.h"

#define WORDS     4
#define MTU_LEAST 576 /* bytes; of IPv4 */
#define MTU_MOST  1500

/* Cuts text at its blanks into words that must be exactly n; buffer holds them. */
static bool words(const char *text, char *buffer, size_t size, unsigned n, char *out[])
{
    char *rest = buffer;
    unsigned found = 0;

    if (snprintf(buffer, size, "%s", text) >= (int)size)
        return false;
    for (char *w; (w = strtok_r(NULL, " \t", &rest)); found++)
        if (found < n)
            out[found] = w;
    return found == n;
}

static bool set_rate(struct link_params *p, const char *text)
{
    p->trace = NULL;
    return lab_rate(text, &p->rate);
}

static bool set_delay(struct link_params *p, const char *text)
{
    return lab_time(text, &p->delay);
}

static bool set_rtt(struct link_params *p, const char *text)
{
    if (!lab_time(text, &p->delay))
        return false;
    p->delay /= 2;
    return true;
}

static bool set_jitter(struct link_params *p, const char *text)
{
    return lab_time(text, &p->jitter);
}

static bool set_queue(struct link_params *p, const char *text)
{
    uint64_t rate = link_rate(p);
    braid_time time;

    if (lab_size(text, &p->queue))
        return true;
    if (!lab_time(text, &time) || rate == 0)
        return false;
    p->queue = (uint64_t)((__int128)rate * time / BRAID_SECOND);
    return p->queue > 0;
}

static bool set_aqm(struct link_params *p, const char *text)
{
    char buffer[64], *w[WORDS];

    p->codel_target = p->codel_interval = 0;
    p->codel = strcmp(text, "tail") != 0;
    if (!p->codel || strcmp(text, "codel") == 0)
        return true;
    return words(text, buffer, sizeof(buffer), 3, w) && strcmp(w[0], "codel") == 0 &&
           lab_time(w[1], &p->codel_target) && lab_time(w[2], &p->codel_interval) && p->codel_target > 0 &&
           p->codel_interval > p->codel_target;
}

static bool set_loss(struct link_params *p, const char *text)
{
    return lab_probability(text, &p->loss);
}

static bool set_gilbert(struct link_params *p, const char *text)
{
    char buffer[64], *w[WORDS];

    return words(text, buffer, sizeof(buffer), 3, w) && lab_probability(w[0], &p->burst_begin) &&
           lab_probability(w[1], &p->burst_end) && lab_probability(w[2], &p->burst_loss) && p->burst_end > 0;
}

static bool set_reorder(struct link_params *p, const char *text)
{
    char buffer[64], *w[WORDS];

    return words(text, buffer, sizeof(buffer), 2, w) && lab_probability(w[0], &p->reorder) &&
           lab_time(w[1], &p->reorder_by) && p->reorder_by > 0;
}

static bool set_duplicate(struct link_params *p, const char *text)
{
    return lab_probability(text, &p->duplicate);
}

static bool set_corrupt(struct link_params *p, const char *text)
{
    return lab_probability(text, &p->corrupt);
}

/* What changes: "down", "up", "rate 5mbit" or "delay 30ms". */
static bool set_what(struct link_change *c, char *const w[], unsigned n)
{
    braid_time delay;

    if (n == 1) {
        c->what = strcmp(w[0], "down") == 0 ? LINK_DOWN : LINK_UP;
        return c->what == LINK_DOWN || strcmp(w[0], "up") == 0;
    }
    c->what = LINK_RATE;
    if (strcmp(w[0], "rate") == 0)
        return lab_rate(w[1], &c->value);
    c->what = LINK_DELAY;
    if (strcmp(w[0], "delay") != 0 || !lab_time(w[1], &delay))
        return false;
    c->value = (uint64_t)delay;
    return true;
}

/* One item of a schedule: "10s down", "15s rate 5mbit", or at the end "repeat 20s". */
static bool set_change(struct link_params *p, const char *item)
{
    char buffer[64], *w[WORDS];
    struct link_change *c = &p->schedule[p->n_changes];
    unsigned n = 2;

    if (p->repeat ||
        (!words(item, buffer, sizeof(buffer), n, w) && !words(item, buffer, sizeof(buffer), ++n, w)))
        return false;
    if (strcmp(w[0], "repeat") == 0)
        return n == 2 && p->n_changes > 0 && lab_time(w[1], &p->repeat) && p->repeat > c[-1].at;
    if (p->n_changes == LINK_CHANGES || !lab_time(w[0], &c->at) || !set_what(c, w + 1, n - 1))
        return false;
    if (p->n_changes > 0 && (c->at < c[-1].at || (c->at == c[-1].at && c->what == c[-1].what)))
        return false;
    p->n_changes++;
    return true;
}

static bool set_schedule(struct link_params *p, const char *text)
{
    char buffer[LAB_LINE], *rest = buffer;

    if (snprintf(buffer, sizeof(buffer), "%s", text) >= (int)sizeof(buffer))
        return false;
    p->n_changes = 0;
    p->repeat = 0;
    for (char *item; (item = strtok_r(NULL, ",", &rest));)
        if (!set_change(p, item))
            return false;
    return p->n_changes > 0;
}

static bool set_policer(struct link_params *p, const char *text)
{
    char buffer[64], *w[WORDS];

    return words(text, buffer, sizeof(buffer), 2, w) && lab_rate(w[0], &p->policer_rate) &&
           lab_size(w[1], &p->policer_burst);
}

static bool set_mtu(struct link_params *p, const char *text)
{
    char buffer[64], *w[WORDS];
    uint64_t size;

    p->black_hole = words(text, buffer, sizeof(buffer), 2, w);
    if (p->black_hole ? strcmp(w[1], "silent") != 0 : !words(text, buffer, sizeof(buffer), 1, w))
        return false;
    if (!lab_size(w[0], &size) || size < MTU_LEAST || size > MTU_MOST)
        return false;
    p->mtu = (uint32_t)size;
    return true;
}

static bool set_strip(struct link_params *p, const char *text)
{
    static const char *const names[] = {"none", "all", "syn", "data", "join"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(text, names[i]) == 0) {
            p->strip = (enum link_strip)i;
            return true;
        }
    return false;
}

static bool set_join_loss(struct link_params *p, const char *text)
{
    return lab_probability(text, &p->join_loss);
}

static const struct key {
    const char *name, *expected;
    bool (*set)(struct link_params *p, const char *text);
} keys[] = {
    {"rate", "a rate such as 20mbit, 500kbit or 1gbit", set_rate},
    {"rtt", "a time such as 15ms, 1.5s or 200us, of which each direction takes half", set_rtt},
    {"delay", "a time such as 15ms, 1.5s or 200us, one way", set_delay},
    {"jitter", "a time such as 2ms", set_jitter},
    {"queue", "a size such as 64KB, or a time such as 50ms, for which the rate must be known", set_queue},
    {"aqm", "tail, codel, or codel with target and interval such as codel 5ms 100ms", set_aqm},
    {"loss", "a probability such as 1% or 0.01", set_loss},
    {"gilbert", "three probabilities such as 0.1% 20% 50%: good to bad, bad to good, loss in the bad state",
     set_gilbert},
    {"reorder", "a probability and how late such packets are at most, such as 1% 5ms", set_reorder},
    {"duplicate", "a probability such as 0.1%", set_duplicate},
    {"corrupt", "a probability such as 0.1%", set_corrupt},
    {"schedule",
     "changes in order of time such as 10s down, 15s up, 16s rate 5mbit, 17s delay 30ms, and perhaps repeat "
     "20s "
     "at the end",
     set_schedule},
    {"policer", "a rate and the size of a burst, such as 10mbit 64KB", set_policer},
    {"mtu", "a size from 576B to 1500B, and perhaps silent behind it", set_mtu},
    {"strip", "none, all, syn, data or join", set_strip},
    {"join_loss", "a probability such as 30%", set_join_loss},
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static const struct key *find_key(const char *name)
{
    for (unsigned i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static int unknown_key(const char *key, char *error)
{
    int n = snprintf(error, LAB_ERROR, "%.40s: there is no such key; expected trace, shares", key);

    for (unsigned i = 0; i < N_KEYS; i++)
        n += snprintf(error + n, LAB_ERROR - (size_t)n, ", %s", keys[i].name);
    snprintf(error + n, LAB_ERROR - (size_t)n, ", perhaps with down. or up. before it");
    return -1;
}

int lab_path_set(struct lab_path *path, const char *key, const char *value, char *error)
{
    bool down = strncmp(key, "down.", 5) == 0, up = strncmp(key, "up.", 3) == 0;
    const struct key *k = find_key(down ? key + 5 : up ? key + 3 : key);
    struct lab_path set = *path;

    if (!k)
        return unknown_key(key, error);
    if ((down || up) && k->set == set_rtt) {
        snprintf(error, LAB_ERROR, "%s: a round trip has both directions; expected rtt, or delay for one",
                 key);
        return -1;
    }
    if ((!up && !k->set(&set.down, value)) || (!down && !k->set(&set.up, value))) {
        snprintf(error, LAB_ERROR, "%s = %.60s: expected %s", key, value, k->expected);
        return -1;
    }
    *path = set;
    return 0;
}

int lab_path_check(const struct lab_path *path, char *error)
{
    for (unsigned up = 0; up < 2; up++) {
        const struct link_params *p = up ? &path->up : &path->down;
        const char *way = up ? "up" : "down";

        if (p->jitter > p->delay) {
            snprintf(error, LAB_ERROR, "%s.jitter: expected at most the delay, %lld us", way,
                     (long long)p->delay);
            return -1;
        }
        if (p->codel && link_rate(p) == 0) {
            snprintf(error, LAB_ERROR, "%s.aqm: CoDel needs a rate or a trace", way);
            return -1;
        }
        for (unsigned i = 0; i < p->n_changes; i++) {
            if (p->schedule[i].what == LINK_RATE && (p->trace || p->rate == 0)) {
                snprintf(error, LAB_ERROR, "%s.schedule: who changes the rate needs one to begin with", way);
                return -1;
            }
            if (p->schedule[i].what == LINK_DELAY && p->jitter > (braid_time)p->schedule[i].value) {
                snprintf(error, LAB_ERROR, "%s.jitter: expected at most the delay, which becomes %llu us",
                         way, (unsigned long long)p->schedule[i].value);
                return -1;
            }
        }
        if (p->shares && (link_rate(p) > 0 || p->queue > 0 || p->codel)) {
            snprintf(error, LAB_ERROR,
                     "shares: rate, queue and aqm are those of the other path; expected none here");
            return -1;
        }
    }
    return 0;
}
