/* See names.h. There are few of them, and they are looked up when a file is read: a list does. */
#include "conf/names.h"
#include <stdlib.h>
#include <string.h>

struct name {
    struct name *next;
    char text[];
};

static struct name *names;

const char *conf_name(const char *text)
{
    for (const struct name *n = names; n; n = n->next)
        if (strcmp(n->text, text) == 0)
            return n->text;
    size_t size = strlen(text) + 1;
    struct name *n = malloc(sizeof(*n) + size);
    if (!n)
        return NULL;
    memcpy(n->text, text, size);
    n->next = names;
    names = n;
    return n->text;
}

struct kept {
    struct kept *next;
    struct profile *profile;
};

static struct kept *profiles;

static bool is_same(const struct profile *a, const struct profile *b)
{
    return a->name == b->name && a->sched == b->sched && a->cc == b->cc && a->pm == b->pm &&
           a->bulk == b->bulk && a->interactive == b->interactive;
}

struct profile *conf_keep_profile(struct profile *p)
{
    for (const struct kept *k = profiles; k; k = k->next)
        if (is_same(k->profile, p)) {
            free(p);
            return k->profile;
        }
    struct kept *k = malloc(sizeof(*k));
    if (!k)
        return NULL;
    *k = (struct kept){.next = profiles, .profile = p};
    profiles = k;
    return p;
}
