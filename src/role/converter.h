/* The converter (RFC 8803): a client says by the first bytes of its stream which server it wants. What the
 * files of its edge share. */
#ifndef BRAID_ROLE_CONVERTER_H
#define BRAID_ROLE_CONVERTER_H

#include "role/edge_client.h"
#include "wire/convert.h"

/* What is to become of a client's message. */
struct converter_verdict {
    bool fine;
    enum edge_counter counter; /* if it is not, what it counts as, and ... */
    enum convert_error error;  /* ... what it is answered with */
    uint8_t value[CONVERT_MESSAGE_MAX];
    size_t n_value;
    bool echo; /* the value is an echo */
};

/* converter_judge.c. Whether the address may convert here. */
bool converter_allows(const struct edge *e, const struct braid_ip *client);
/* Whether the message may be followed: cookie, server, TCP options. May be asked once for each client, since
 * it spends the cookie. */
void converter_judge(struct client *cl, const struct convert_message *m, struct converter_verdict *v);
/* Whether the client may have one more connection under way, which this is from then on. False: *v tells. */
bool converter_admit(struct client *cl, const struct braid_ip *client, struct converter_verdict *v);
/* What a failure to connect is to the client; icmp_code as of dial.h. */
void converter_failure(int error, int icmp_code, struct converter_verdict *v);

/* converter_tell.c. The message is answered by an Error TLV, as the SYN is now if it was not before. Either
 * way the client is not to be asked anything any more; it may be freed. */
void converter_refuse(struct client *cl, const struct converter_verdict *v);
/* What it reads first: our message of success, with what it has asked for. fd: the server's socket; -1: it
 * wants none. Said now, or once it can be. */
void converter_answer(struct client *cl, int fd);
/* Its handshake is complete: what could not be said before is now. */
void converter_speak(struct client *cl);
/* The client is answered, if it was not, and has to do something about it within CONVERTER_PATIENCE. */
void converter_limit(struct client *cl);

/* converter_early.c. The server has answered before the client was: whether what the client's SYN has brought
 * for it may go there now. Asked once for each client, since it is remembered. */
bool converter_begins_early(struct client *cl);
/* Then this instead of braid_conn_accept; the splice may start. */
void converter_begin_early(struct client *cl);

#define CONVERTER_SYN_DATA 1460 /* bytes: the message, and what the client sends behind it */
#define CONVERTER_PATIENCE (10 * BRAID_SECOND)

#endif
