/* Whom the HTTP port answers. A web page elsewhere can have its visitor's browser ask us, also at a name that
 * its DNS says is ours (DNS rebinding): so the name has to be one that we have, and the page one of ours. */
#ifndef BRAID_ADMIN_GUARD_H
#define BRAID_ADMIN_GUARD_H

#include "admin/request.h"
#include "conf/settings.h"

/* Whether the Host is an address, localhost or a name of the configuration, and the Origin, if there is one,
 * is this port. NULL: it is fine; else why it is 403. */
const char *guard_place(const struct admin_params *p, const struct request *r);
/* Whether it has a token, if one is asked for. NULL: it is fine; else why it is 401. */
const char *guard_token(const struct admin_params *p, const struct request *r);

#endif
