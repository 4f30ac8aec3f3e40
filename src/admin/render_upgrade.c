/* What came of an upgrade, as a document. */
#include <braid/control.h>
#include "admin/json.h"
#include "admin/render.h"

void render_upgrade_text(struct doc *d, const struct snapshot_view *v)
{
    const struct query_upgraded *u = v->upgraded;
    if (u->error)
        doc_printf(d, BRAID_ERROR_TEXT "no upgrade: %s\n", u->error);
    else
        doc_printf(d, "process %d, version %s, goes on; nobody worked for %.1f ms\n", u->pid, u->version,
                   (double)u->pause_us / 1000);
}

void render_upgrade_json(struct doc *d, const struct snapshot_view *v)
{
    const struct query_upgraded *u = v->upgraded;
    if (u->error) {
        json_error(d, u->error);
        return;
    }
    struct json j = {.doc = d};
    json_object(&j, NULL);
    json_bool(&j, "upgraded", true);
    json_uint(&j, "pid", (uint64_t)u->pid);
    json_string(&j, "version", u->version);
    json_int(&j, "pause_us", u->pause_us);
    json_end(&j);
    doc_puts(d, "\n");
}
