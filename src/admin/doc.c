/* Adding to a document. */
#include <stdarg.h>
#include <string.h>
#include <event2/buffer.h>
#include "admin/doc.h"

void doc_add(struct doc *d, const char *text, size_t len)
{
    if (evbuffer_add(d->buf, text, len) < 0)
        d->failed = true;
}

void doc_puts(struct doc *d, const char *text)
{
    doc_add(d, text, strlen(text));
}

void doc_printf(struct doc *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (evbuffer_add_vprintf(d->buf, format, ap) < 0)
        d->failed = true;
    va_end(ap);
}

struct evbuffer *doc_new(void)
{
    return evbuffer_new();
}

void doc_move(struct doc *d, struct doc *from)
{
    if (!from->buf || from->failed || evbuffer_add_buffer(d->buf, from->buf) < 0)
        d->failed = true;
    if (from->buf)
        evbuffer_free(from->buf);
    from->buf = NULL;
}
