/* Addresses of host names, from /etc/hosts and name servers: c-ares within the thread's event loop, so that
 * nobody waits for an answer. What /etc/nsswitch.conf says of "files" and "dns" counts, other sources do not;
 * search domains and servers are those of /etc/resolv.conf. Both files are read again before a question,
 * or when a server does not answer, if they have changed. */
#ifndef BRAID_IO_DNS_H
#define BRAID_IO_DNS_H

#include <stdbool.h>
#include <braid/types.h>
#include "base/list.h"

#define DNS_ADDRESSES 32 /* more of a name are left out */

struct dns;
struct event_base;

struct dns_answer {
    const char *failure; /* a static string; NULL: there are addresses */
    /* In the order of RFC 6724. To find it c-ares connects UDP sockets to them, which sends nothing. */
    struct braid_addr addr[DNS_ADDRESSES];
    unsigned n;
    braid_time ttl; /* for so long they may be kept; 0 if they are of /etc/hosts */
};

/* The caller's; zero it first. */
struct dns_question {
    const char *host; /* to be set, and to live as long as the question is open */
    uint16_t port;    /* to be set, of the addresses in the answer */
    void (*answered)(struct dns_question *q, const struct dns_answer *a); /* to be set; must not ask */
    /* The rest is of dns.c. */
    struct dns *dns;
    struct list link;
    bool open;
};

/* resolv_conf: the file to read in the place of /etc/resolv.conf; NULL: that one. port: of the name servers;
 * 0: 53. NULL: resources are short. */
struct dns *dns_new(struct event_base *base, const char *resolv_conf, uint16_t port);
/* Asks; q->answered is called once, perhaps at once. Must not be open. */
void dns_ask(struct dns *d, struct dns_question *q);
/* Waits, outside of the event loop, until something has come of the open questions, at most so long. */
void dns_wait(struct dns *d, braid_time patience);
/* Forgets open questions: they are not answered any more. NULL is allowed. */
void dns_free(struct dns *d);

#endif
