/* Writes JSON (RFC 8259), without blanks. Numbers are integers only. */
#ifndef BRAID_ADMIN_JSON_H
#define BRAID_ADMIN_JSON_H

#include <stdint.h>
#include <braid/types.h>
#include "admin/doc.h"

#define JSON_DEPTH 16

/* Zero it, and set doc; doc may change between two calls, for a document that is sent in parts. */
struct json {
    struct doc *doc;
    unsigned depth;          /* open objects and arrays */
    char close[JSON_DEPTH];  /* what ends each of them */
    bool filled[JSON_DEPTH]; /* it has a member already */
};

/* key: the member's name within an object; NULL within an array and at the top. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
/* Ends the innermost object or array. */
void json_end(struct json *j);

/* Bytes that are not UTF-8 become U+FFFD. NULL becomes null. */
void json_string(struct json *j, const char *key, const char *value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
void json_addr(struct json *j, const char *key, const struct braid_addr *a);

/* The whole document of an error. */
void json_error(struct doc *d, const char *message);

#endif
