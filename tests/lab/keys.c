/* The keys of a path. */
#include "scenario.h"

#include <stdio.h>
#include <string.h>
#include "values.h"

#define WORDS 4

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
    uint64_t rate = link_mean_rate(p);
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

/* One item of a schedule: "10s down", "15s up", or at the end "repeat 20s". */
static bool set_change(struct link_params *p, const char *item)
{
    char buffer[64], *w[WORDS];
    struct link_change *c = &p->schedule[p->n_changes];

    if (p->n_changes == LINK_CHANGES || p->repeat || !words(item, buffer, sizeof(buffer), 2, w))
        return false;
    if (strcmp(w[0], "repeat") == 0)
        return p->n_changes > 0 && lab_time(w[1], &p->repeat) && p->repeat > c[-1].at;
    c->down = strcmp(w[1], "down") == 0;
    if (!lab_time(w[0], &c->at) || (!c->down && strcmp(w[1], "up") != 0))
        return false;
    if (p->n_changes++ > 0 && c->at <= c[-1].at)
        return false;
    return true;
}

static bool set_schedule(struct link_params *p, const char *text)
{
    char buffer[256], *rest = buffer;

    if (snprintf(buffer, sizeof(buffer), "%s", text) >= (int)sizeof(buffer))
        return false;
    p->n_changes = 0;
    p->repeat = 0;
    for (char *item; (item = strtok_r(NULL, ",", &rest));)
        if (!set_change(p, item))
            return false;
    return p->n_changes > 0;
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
    {"schedule", "changes in order of time such as 10s down, 15s up, and perhaps repeat 20s at the end",
     set_schedule},
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
    int n = snprintf(error, LAB_ERROR, "%.40s: there is no such key; expected trace", key);

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
        if (p->codel && link_mean_rate(p) == 0) {
            snprintf(error, LAB_ERROR, "%s.aqm: CoDel needs a rate or a trace", way);
            return -1;
        }
    }
    return 0;
}
