/* Order and choice of a server's addresses: see targets.h. */
#include <netdb.h>
#include <string.h>
#include "base/addr.h"
#include "io/sockaddr.h"
#include "relay/targets.h"

bool targets_have(const struct targets *t, const struct braid_addr *addr)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (addr_equal(&t->addr[i], addr))
            return true;
    }
    return false;
}

bool targets_equal(const struct targets *a, const struct targets *b)
{
    for (unsigned i = 0; i < a->n; i++) {
        if (!targets_have(b, &a->addr[i]))
            return false;
    }
    return a->n == b->n;
}

static void add(struct targets *t, const struct braid_addr *addr)
{
    if (t->n < TARGETS_MAX && !targets_have(t, addr))
        t->addr[t->n++] = *addr;
}

/* The next answer of this family, from a on; NULL: there is none. */
static const struct addrinfo *next_of(const struct addrinfo *a, bool v4, struct braid_addr *addr)
{
    for (; a; a = a->ai_next) {
        if (sockaddr_to(a->ai_addr, addr) == 0 && ip_is_v4(&addr->ip) == v4)
            return a;
    }
    return NULL;
}

struct targets targets_of(const struct addrinfo *answers)
{
    struct targets t = {.n = 0};
    struct braid_addr addr[2];
    const struct addrinfo *at[2]; /* the next answers of the first one's family, and of the other */
    while (answers && sockaddr_to(answers->ai_addr, &addr[0]) < 0)
        answers = answers->ai_next;
    bool v4 = answers && ip_is_v4(&addr[0].ip);
    at[0] = next_of(answers, v4, &addr[0]);
    at[1] = next_of(answers, !v4, &addr[1]);
    while (at[0] || at[1]) {
        for (unsigned i = 0; i < 2; i++) {
            if (!at[i])
                continue;
            add(&t, &addr[i]);
            at[i] = next_of(at[i]->ai_next, i == 0 ? v4 : !v4, &addr[i]);
        }
    }
    return t;
}

void targets_prefer(struct targets *t, const struct braid_addr *addr)
{
    struct braid_addr first = *addr;
    unsigned at = 0;
    while (at < t->n && !addr_equal(&t->addr[at], addr))
        at++;
    if (at == t->n)
        return;
    memmove(&t->addr[1], &t->addr[0], at * sizeof(first));
    t->addr[0] = first;
}
