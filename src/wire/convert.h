/* The 0-RTT TCP Convert Protocol (RFC 8803 section 6): the message that a stream begins with, in each
 * direction one, parsed once into a struct and written from it. The message is a fixed header and TLVs, all
 * of them in 32-bit words; the user's data follows at once. */
#ifndef BRAID_WIRE_CONVERT_H
#define BRAID_WIRE_CONVERT_H

#include <braid/types.h>

#define CONVERT_VERSION     1
#define CONVERT_MAGIC       0x2263
#define CONVERT_WORD        4    /* bytes: lengths count words */
#define CONVERT_HEADER      4    /* bytes */
#define CONVERT_MESSAGE_MAX 1020 /* bytes: 255 words */

/* TLV types (section 6.2.2). */
enum convert_tlv {
    CONVERT_INFO = 1,
    CONVERT_CONNECT = 10,
    CONVERT_EXTENDED_HEADER = 20,
    CONVERT_SUPPORTED = 21,
    CONVERT_COOKIE = 22,
    CONVERT_ERROR = 30
};

/* Error codes (section 6.2.8), and what the value is. Seconds: how long the client should wait before it asks
 * this converter again, 0 is 30 or more. */
enum convert_error {
    CONVERT_UNSUPPORTED_VERSION = 0,     /* versions, one a byte */
    CONVERT_MALFORMED_MESSAGE = 1,       /* 0, and the message that was malformed */
    CONVERT_UNSUPPORTED_MESSAGE = 2,     /* 0, and the message */
    CONVERT_MISSING_COOKIE = 3,          /* 0, and a cookie for this client */
    CONVERT_NOT_AUTHORIZED = 32,         /* 0 */
    CONVERT_UNSUPPORTED_OPTION = 33,     /* kinds of TCP options, one a byte */
    CONVERT_RESOURCE_EXCEEDED = 64,      /* seconds */
    CONVERT_NETWORK_FAILURE = 65,        /* seconds */
    CONVERT_CONNECTION_RESET = 96,       /* 0: the server has refused */
    CONVERT_DESTINATION_UNREACHABLE = 97 /* the code of the ICMP message */
};

/* Bytes of somebody else's. */
struct convert_bytes {
    const uint8_t *at;
    size_t n;
};

/* A whole message. What it points to is in the bytes that were parsed. */
struct convert_message {
    size_t len; /* of the stream's first bytes, those that are the message */
    bool has_info, has_connect, has_extended_header, has_supported, has_cookie, has_error;
    /* Connect. From a client, the server that it wants; from a converter, the host that has connected. Port
     * and address are such as a connection can have: no group's, broadcast, loopback, or unspecified one. */
    struct braid_addr connect;
    /* Connect, and Extended TCP Header: TCP options, for convert_option_next. */
    struct convert_bytes connect_options; /* n 0: it is a base Connect TLV */
    struct convert_bytes extended_header;
    struct convert_bytes supported;   /* kinds of TCP options, without the padding */
    struct convert_bytes cookie;      /* with the padding, as its length is not told */
    uint8_t error;                    /* any number: enum convert_error has those that are known */
    struct convert_bytes error_value; /* what is told above, with the padding; at least one byte */
};

enum convert_sender { CONVERT_BY_CLIENT, CONVERT_BY_CONVERTER };

/* What becomes of the first bytes of a stream. Whoever cannot go on has to answer by an Error TLV if it is
 * the converter, and to reset the connection if it is the client. */
enum convert_status {
    CONVERT_COMPLETE,
    CONVERT_MORE,        /* it may become a message: more bytes are wanted */
    CONVERT_FOREIGN,     /* not this protocol: no magic number, or a message of no bytes; to be reset */
    CONVERT_VERSION_BAD, /* Unsupported Version */
    CONVERT_MALFORMED,   /* Malformed Message; a length that cannot be, a TLV twice, a bad address */
    CONVERT_TLV_UNKNOWN  /* Unsupported Message; by a client only: a client passes over what it does not know
                          */
};

/* Parses the first len bytes of what `by` has sent. COMPLETE: *out is the message. MALFORMED and TLV_UNKNOWN:
 * out->len is that of the message, for the echo, and all of it is here. Else *out is undefined. Nothing is
 * said of a message's TLVs before all of it is here; it never takes more than CONVERT_MESSAGE_MAX bytes. */
enum convert_status convert_parse(enum convert_sender by, const uint8_t *bytes, size_t len,
                                  struct convert_message *out);

/* A TCP option of the lists above. */
struct convert_option {
    uint8_t kind;
    struct convert_bytes value; /* n 0: none */
};

/* The next option of *list, which is what is left of it afterwards; no-operations and ends of list are passed
 * over (section 7.1). False: there is none. */
bool convert_option_next(struct convert_bytes *list, struct convert_option *out);
/* Whether the list has an option of this kind. */
bool convert_option_has(struct convert_bytes list, uint8_t kind);

/* ---- writing ---------------------------------------------------------------------------------------------
 */

/* A message that is being written: begin, TLVs, end. The caller sees to it that none comes twice. */
struct convert_writer {
    uint8_t *out;
    size_t room, len;
    bool full; /* something did not fit */
};

/* Into `room` bytes at out. */
void convert_begin(struct convert_writer *w, uint8_t *out, size_t room);
void convert_put_info(struct convert_writer *w);
/* options: n bytes of TCP options, each of them kind, length and value; n 0: a base Connect TLV. */
void convert_put_connect(struct convert_writer *w, const struct braid_addr *to, const uint8_t *options,
                         size_t n);
void convert_put_extended_header(struct convert_writer *w, const uint8_t *options, size_t n);
void convert_put_supported(struct convert_writer *w, const uint8_t *kinds, size_t n);
/* n should be a multiple of 4: the reader does not learn of any other. */
void convert_put_cookie(struct convert_writer *w, const uint8_t *cookie, size_t n);
/* value: a byte or more, as is told above; n 0: one byte that is zero. */
void convert_put_error(struct convert_writer *w, enum convert_error code, const uint8_t *value, size_t n);
/* An error whose value is a zero byte and n bytes, of a message (MALFORMED_MESSAGE, UNSUPPORTED_MESSAGE) or
 * a cookie (MISSING_COOKIE). Of what does not fit into a message the beginning is there, in whole words. */
void convert_put_error_echo(struct convert_writer *w, enum convert_error code, const uint8_t *bytes,
                            size_t n);
/* Bytes of the message, a multiple of 4; with no TLV the header alone, by which a converter says yes. 0: it
 * did not fit. */
size_t convert_end(struct convert_writer *w);

#endif
