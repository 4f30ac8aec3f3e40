/* What a configuration file becomes: each layer's params struct. */
#ifndef BRAID_CONF_SETTINGS_H
#define BRAID_CONF_SETTINGS_H

#include "io/params.h"
#include "base/hold.h"
#include "conf/wording.h"
#include "role/cpe.h"
#include "role/edge.h"
#include "role/unproven.h"
#include "role/uplinks.h"

#define CONF_ERROR_MAX 1024 /* room for every error line */

#define ADMIN_NAMES_MAX 8

struct bearer_tokens;
struct ssl_ctx_st;

struct admin_params {
    struct braid_addr listen;     /* of the HTTP port */
    char *names[ADMIN_NAMES_MAX]; /* by which a browser may ask for it, besides addresses and localhost */
    unsigned n_names;
    bool insecure;                            /* strangers may read it */
    char *tls_cert, *tls_key, *tls_client_ca; /* paths; NULL: none */
    struct ssl_ctx_st *tls;                   /* what is made of them (io/tls.h); NULL: HTTP goes without */
    char *token_file;                         /* NULL: none, and ... */
    struct bearer_tokens *tokens;             /* ... NULL; else one of them is asked for */
};

struct conf {
    unsigned generation; /* 0; whoever reads several counts them */
    struct hold *hold;   /* on this; NULL: it outlives its users */
    struct daemon_params daemon;
    struct tun_params tun;
    struct admin_params admin;
    struct braid_core_params limits; /* of each worker; mtu, worker and n_workers are not set */
    struct unproven_limits unproven; /* of each worker */
    struct edge_params *edges;       /* in the order of the file */
    unsigned n_edges;
    struct cpe_params *cpes; /* likewise; at least one edge or one of these */
    unsigned n_cpes;
    struct profile **profiles; /* the built-in ones, then those of the file; ... */
    unsigned n_profiles;
    bool profiles_kept;                   /* ... they outlive it (names.h), since all is read */
    struct policy policies[POLICIES_MAX]; /* in the order of the file */
    unsigned n_policies;
    struct uplink_params uplinks[UPLINKS_MAX]; /* in the order of the file */
    unsigned n_uplinks;
    /* In the order of the file, then one for each uplink, with its name; limits.paths points here, too. */
    struct braid_path_rule *paths;
    const char **path_names;
    unsigned n_paths;
    struct conf_text text; /* what the file says, but what had to stay as it was */
};

/* Takes what is found, one line each, without a newline: errors and, once there are none, warnings. */
struct conf_report {
    void (*say)(void *arg, bool warning, const char *line);
    void *arg;
};

#endif
