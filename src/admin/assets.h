/* The files of the page in the browser, which stand in the daemon itself. */
#ifndef BRAID_ADMIN_ASSETS_H
#define BRAID_ADMIN_ASSETS_H

#include <stddef.h>

struct asset {
    const char *path;        /* on the HTTP port */
    const char *type;        /* for Content-Type */
    const char *begin, *end; /* the bytes between them, without a NUL behind */
};

/* The page is at "/", the rest is what it asks for. NULL: there is none at that path. */
const struct asset *asset_at(const char *path);
/* What Content-Security-Policy is to say with them: nothing is fetched from elsewhere, no script runs that is
 * not among them, and no other page shows them in a frame. A static string. */
const char *asset_policy(void);

#endif
