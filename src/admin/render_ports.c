/* Profiles by port, of edges and CPEs. */
#include "admin/render.h"

void render_ports_text(struct doc *d, const struct port_profile *ports, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct port_profile *q = &ports[i];
        doc_printf(d, "%s%u", i ? ", " : "  ports ", q->first);
        if (q->last != q->first)
            doc_printf(d, "-%u", q->last);
        doc_printf(d, ": %s", q->profile->name);
    }
    if (n > 0)
        doc_puts(d, "\n");
}

void render_ports_json(struct json *j, const struct port_profile *ports, unsigned n)
{
    json_array(j, "profiles");
    for (unsigned i = 0; i < n; i++) {
        json_object(j, NULL);
        json_uint(j, "first", ports[i].first);
        json_uint(j, "last", ports[i].last);
        json_string(j, "profile", ports[i].profile->name);
        json_end(j);
    }
    json_end(j);
}
