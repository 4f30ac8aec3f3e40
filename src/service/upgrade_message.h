/* What two daemons say to each other while one takes over from the other: messages of a SOCK_SEQPACKET
 * socket, with descriptors beside them. docs/handover.md has their order. */
#ifndef BRAID_SERVICE_UPGRADE_MESSAGE_H
#define BRAID_SERVICE_UPGRADE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define UPGRADE_PROTOCOL 2   /* changes if what follows HELLO means something else */
#define UPGRADE_TEXT     512 /* bytes of a text, with its NUL */
#define UPGRADE_BYTES    (12 + UPGRADE_TEXT)
#define UPGRADE_FDS      253 /* descriptors beside one message: what the kernel takes (SCM_MAX_FD) */

/* X(identifier, its number, the least and the most descriptors beside it). Numbers keep their meaning for
 * good, and so does the form of HELLO and REFUSED: daemons of any two versions understand that much. */
#define UPGRADE_KINDS(X)                                                                                     \
    /* the new one: */                                                                                       \
    X(HELLO, 1, 0, 0)    /* the configuration is right. number: UPGRADE_PROTOCOL, text: the version */       \
    X(REFUSED, 2, 0, 0)  /* it will not do; text: why, one line */                                           \
    X(PREPARED, 3, 0, 0) /* all is made but for the state */                                                 \
    X(READY, 4, 0, 0)    /* the state is read */                                                             \
    /* the old one: */                                                                                       \
    X(HEIRLOOM, 16, 1, 1)          /* text: its name (io/heirlooms.h) */                                     \
    X(PREPARE, 17, 0, 0)           /* those were all. number: of workers; count: connections of the one that \
                                    * has most, or 0 */                                                      \
    X(STATE, 18, 1, 1)             /* of worker `number`: a memfd; count: how many sockets follow */         \
    X(SOCKETS, 19, 1, UPGRADE_FDS) /* of the last STATE, in its order */                                     \
    X(WHOLE, 20, 0, 0)             /* that was the state of `count` workers */                               \
    X(GO, 21, 0, 0)                /* the old one does nothing any more */                                   \
    /* within one version, to its spawner (spawner.h) and back: */                                           \
    X(SPAWN, 32, 1, 1)   /* the descriptor that another version is to have */                                \
    X(SPAWNED, 33, 0, 0) /* number: the process, 0: none; count: 0, or an errno */

enum upgrade_kind {
#define X(id, number, least, most) UPGRADE_##id = number,
    UPGRADE_KINDS(X)
#undef X
};

struct upgrade_message {
    enum upgrade_kind kind;
    uint32_t number, count;
    char text[UPGRADE_TEXT]; /* may be empty */
};

/* Returns how many bytes it has written. */
size_t upgrade_message_write(const struct upgrade_message *m, uint8_t out[UPGRADE_BYTES]);
/* 0; -1: this is none, or not with so many descriptors. */
int upgrade_message_read(const uint8_t *bytes, size_t len, unsigned n_fds, struct upgrade_message *out);

#endif
