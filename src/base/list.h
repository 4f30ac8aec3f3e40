/* Intrusive doubly linked list with a sentinel head. A node that is in no list points to itself. */
#ifndef BRAID_BASE_LIST_H
#define BRAID_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

/* Iterates with `pos` as struct list *; `tmp` allows pos to be removed and freed. */
#define list_each(pos, tmp, head)                                                                            \
    for (struct list *pos = (head)->next, *tmp = pos->next; pos != (head); pos = tmp, tmp = tmp->next)

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_insert_between(struct list *n, struct list *before, struct list *after)
{
    n->prev = before;
    n->next = after;
    before->next = n;
    after->prev = n;
}

static inline void list_append(struct list *head, struct list *n)
{
    list_insert_between(n, head->prev, head);
}

static inline void list_prepend(struct list *head, struct list *n)
{
    list_insert_between(n, head, head->next);
}

static inline void list_insert_after(struct list *pos, struct list *n)
{
    list_insert_between(n, pos, pos->next);
}

static inline void list_remove(struct list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

#endif
