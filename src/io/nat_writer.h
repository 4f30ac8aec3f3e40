/* Text of rules, put together in a buffer of NAT_TEXT bytes; what does not fit is cut off. */
#ifndef BRAID_IO_NAT_WRITER_H
#define BRAID_IO_NAT_WRITER_H

#include <stddef.h>

struct nat_writer {
    char *text;
    size_t used; /* bytes, the NUL behind them not counted */
};

/* Appends, as printf does. */
void nat_put(struct nat_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
