/* See guard.h. */
#include "admin/guard.h"
#include <stdio.h>
#include <string.h>
#include "base/addr.h"
#include "io/bearer_tokens.h"

static bool is_our_name(const struct admin_params *p, const char *name)
{
    struct braid_ip ip;
    if (ip_parse(name, &ip) == 0 || strcasecmp(name, "localhost") == 0)
        return true;
    for (unsigned i = 0; i < p->n_names; i++)
        if (strcasecmp(name, p->names[i]) == 0)
            return true;
    return false;
}

/* RFC 6454 section 6.2; a browser writes the host in both fields alike. */
static bool is_same_origin(const struct admin_params *p, const struct request *r)
{
    char ours[sizeof(r->origin)];
    snprintf(ours, sizeof(ours), "http%s://%s", p->tls ? "s" : "", r->host);
    return *r->host && strcasecmp(r->origin, ours) == 0;
}

const char *guard_place(const struct admin_params *p, const struct request *r)
{
    char name[REQUEST_HOST];
    if (*r->host && !is_our_name(p, request_host_name(r, name)))
        return "the Host header must be an address, localhost, or a name that [admin] hostname lists";
    if (r->has_origin && !is_same_origin(p, r))
        return "a web page elsewhere may not ask: the Origin header must be this port";
    return NULL;
}

const char *guard_token(const struct admin_params *p, const struct request *r)
{
    if (!p->tokens)
        return NULL;
    if (!r->has_token)
        return "a token is asked for: Authorization: Bearer TOKEN";
    return bearer_tokens_have(p->tokens, r->token) ? NULL : "the token is not one of those in token_file";
}
