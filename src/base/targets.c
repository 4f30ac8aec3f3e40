/* Order and choice of a server's addresses: see targets.h. */
#include <string.h>
#include "base/addr.h"
#include "base/targets.h"

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

/* The place of the next answer of this family, from `at` on; n: there is none. */
static unsigned next_of(const struct braid_addr *answers, unsigned n, unsigned at, bool v4)
{
    while (at < n && ip_is_v4(&answers[at].ip) != v4)
        at++;
    return at;
}

struct targets targets_of(const struct braid_addr *answers, unsigned n)
{
    struct targets t = {.n = 0};
    bool v4 = n > 0 && ip_is_v4(&answers[0].ip);
    /* The next answers of the first one's family, and of the other. */
    unsigned at[2] = {0, next_of(answers, n, 0, !v4)};
    while (at[0] < n || at[1] < n) {
        for (unsigned i = 0; i < 2; i++) {
            if (at[i] == n)
                continue;
            add(&t, &answers[at[i]]);
            at[i] = next_of(answers, n, at[i] + 1, i == 0 ? v4 : !v4);
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
