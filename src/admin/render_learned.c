/* What was learned of uplinks and of who is behind them, as documents. Each worker has a table of its own,
 * but they tell each other, so that most have most of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "admin/render.h"
#include "base/addr.h"

static int by_uplink_kind_and_address(const void *a, const void *b)
{
    const struct learned_entry *x = a, *y = b;
    if (x->uplink != y->uplink)
        return x->uplink < y->uplink ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    int order = memcmp(x->addr.ip.b, y->addr.ip.b, sizeof(x->addr.ip.b));
    return order ? order : (int)x->addr.port - (int)y->addr.port;
}

static void join(void *kept, const void *same)
{
    struct learned_entry *k = kept;
    const struct learned_entry *s = same;
    k->believed |= s->believed;
    if (s->times > k->times)
        k->times = s->times;
    if (s->left > k->left)
        k->left = s->left;
}

size_t render_learned_merge(void *rows, size_t n)
{
    return render_merge(rows, n, sizeof(struct learned_entry), by_uplink_kind_and_address, join);
}

/* NULL: of no uplink. */
static const char *uplink(const struct snapshot_view *v, const struct learned_entry *e)
{
    return e->uplink == LEARNED_NO_UPLINK ? NULL : v->conf->uplinks[e->uplink].name;
}

#define DESTINATION (ADDR_TEXT + 4)

/* "198.51.100.0/24" or "198.51.100.7:443". */
static const char *destination(const struct learned_entry *e, char text[DESTINATION])
{
    char ip[ADDR_TEXT];
    unsigned bits = learned_prefix_bits(e);
    if (bits == 0)
        return addr_text(&e->addr, text);
    snprintf(text, DESTINATION, "%s/%u", ip_text(&e->addr.ip, ip), bits);
    return text;
}

void render_learned_json(struct doc *d, const struct snapshot_view *v)
{
    const struct learned_entry *entries = v->rows;
    struct json j = {.doc = d};
    json_object(&j, NULL);
    json_array(&j, "learned");
    for (size_t i = 0; i < v->n_rows; i++) {
        const struct learned_entry *e = &entries[i];
        char text[DESTINATION];
        json_object(&j, NULL);
        json_string(&j, "uplink", uplink(v, e));
        json_string(&j, "kind", learned_kind_text(e->kind));
        json_string(&j, "destination", destination(e, text));
        json_uint(&j, "times", e->times);
        json_bool(&j, "believed", e->believed);
        json_int(&j, "left_s", render_seconds(e->left));
        json_end(&j);
    }
    json_end(&j);
    json_uint(&j, "count", v->n_rows);
    json_bool(&j, "cleared", v->cleared);
    json_end(&j);
    doc_puts(d, "\n");
}

void render_learned_text(struct doc *d, const struct snapshot_view *v)
{
    const struct learned_entry *entries = v->rows;
    size_t n = v->n_rows;
    doc_printf(d, "%-12s %-9s %-46s %6s %-8s %8s\n", "UPLINK", "KIND", "DESTINATION", "TIMES", "BELIEVED",
               "SECONDS");
    for (size_t i = 0; i < n; i++) {
        const struct learned_entry *e = &entries[i];
        char text[DESTINATION];
        doc_printf(d, "%-12s %-9s %-46s %6u %-8s %8" PRId64 "\n", uplink(v, e) ? uplink(v, e) : "-",
                   learned_kind_text(e->kind), destination(e, text), e->times, e->believed ? "yes" : "no",
                   render_seconds(e->left));
    }
    doc_printf(d, "%zu thing%s learned%s\n", n, n == 1 ? "" : "s", v->cleared ? ", now forgotten" : "");
}
