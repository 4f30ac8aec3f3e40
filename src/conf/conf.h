/* The configuration file, read into one struct and validated. docs/man/braid.ini.5 describes the file. */
#ifndef BRAID_CONF_CONF_H
#define BRAID_CONF_CONF_H

#include <braid/cc.h>
#include <braid/sched.h>
#include <braid/types.h>

#define CONF_NAME_MAX   32  /* bytes of an edge's name */
#define CONF_HOST_MAX   253 /* bytes of a host name (RFC 1035 section 2.3.4) */
#define CONF_PATH_MAX   107 /* bytes of a UNIX socket's path */
#define CONF_IFNAME_MAX 15  /* bytes of an interface's name */
#define CONF_SIGNAL_MAX 8
#define CONF_ERROR_MAX  512 /* room for every error line */

enum conf_log_level { CONF_LOG_ERROR, CONF_LOG_WARN, CONF_LOG_INFO, CONF_LOG_DEBUG };

/* [edge NAME]: what listens, and where its connections go. */
struct conf_edge {
    char name[CONF_NAME_MAX + 1];
    struct braid_addr listen;
    char target_host[CONF_HOST_MAX + 1]; /* an address without brackets, or a host name */
    uint16_t target_port;
    struct braid_ip signal[CONF_SIGNAL_MAX];
    unsigned n_signal;
    const struct sched_ops *scheduler;
    const struct cc_ops *congestion;
    bool checksum;
    int line; /* of its section header */
};

struct conf {
    struct {
        unsigned workers; /* 0: one per CPU */
        char control[CONF_PATH_MAX + 1];
        enum conf_log_level log_level;
    } daemon;
    struct {
        char name[CONF_IFNAME_MAX + 1];
        uint16_t mtu;
        bool routes; /* route each listen and signal address to the TUN */
    } tun;
    struct {
        struct braid_addr listen;
    } admin;
    struct conf_edge *edges; /* in the order of the file; at least one */
    unsigned n_edges;
};

/* Reads and checks the file. 0, and conf_free() is due; or -1 and err (CONF_ERROR_MAX bytes are always
 * enough) holds one line without a newline: "FILE:LINE: [section] key: what is wrong; what would be right".
 * The algorithms that it accepts are those of cc_algorithms and sched_algorithms. */
int conf_load(const char *path, struct conf *out, char *err, size_t errlen);
/* The same for text in memory; file names it in errors. */
int conf_parse(const char *file, const char *text, size_t len, struct conf *out, char *err, size_t errlen);
void conf_free(struct conf *c);

/* The names of all keys as "section.key" ("edge.listen"), NULL-terminated: for tests of the documentation. */
const char *const *conf_known_keys(void);

#endif
