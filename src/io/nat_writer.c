/* See nat_writer.h. */
#include <stdarg.h>
#include <stdio.h>
#include "io/nat_rules.h"
#include "io/nat_writer.h"

void nat_put(struct nat_writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(w->text + w->used, NAT_TEXT - w->used, format, args);
    va_end(args);
    if (n > 0)
        w->used += (size_t)n < NAT_TEXT - w->used ? (size_t)n : NAT_TEXT - w->used - 1;
}
