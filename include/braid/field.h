/* What the state of an algorithm consists of, so that it can be written down and read back when a core is
 * handed over (docs/handover.md). An algorithm lists the members of its struct in a table; one without a
 * table goes on afresh, by its init. */
#ifndef BRAID_FIELD_H
#define BRAID_FIELD_H

#include <braid/types.h>

enum braid_field_kind {
    BRAID_FIELD_END, /* of a table */
    BRAID_FIELD_NUMBER,
    BRAID_FIELD_TIME, /* a point in time or a duration */
    BRAID_FIELD_DUE,  /* the same, or BRAID_NEVER */
    BRAID_FIELD_PAST, /* the same as TIME, or INT64_MIN: before all times */
    BRAID_FIELD_BOOL,
    BRAID_FIELD_REAL /* from 0 to the most */
};

/* A member of a struct: a number, or an array of numbers. The tag is what it is known by, whatever struct,
 * place and width it has: 1 to 999, within its table never given to another one. */
struct braid_field {
    uint16_t tag, offset;
    uint8_t kind, size; /* of one element: 1, 2, 4 or 8 bytes */
    uint16_t count;
    uint64_t most; /* of a NUMBER, as unsigned, or a REAL: what is larger is refused */
};

#define BRAID_FIELD_OF(tag, kind, type, member, size, most)                                                  \
    {                                                                                                        \
        tag, offsetof(type, member), kind, size, sizeof(((type *)0)->member) / (size), most                  \
    }
/* A number up to `most`, any number, an array of numbers with elements of so many bytes. */
#define BRAID_NUMBER(tag, type, member, most)                                                                \
    BRAID_FIELD_OF(tag, BRAID_FIELD_NUMBER, type, member, sizeof(((type *)0)->member), most)
#define BRAID_ANY(tag, type, member) BRAID_NUMBER(tag, type, member, UINT64_MAX)
#define BRAID_NUMBERS(tag, type, member, size, most)                                                         \
    BRAID_FIELD_OF(tag, BRAID_FIELD_NUMBER, type, member, size, most)
#define BRAID_TIME(tag, type, member) BRAID_FIELD_OF(tag, BRAID_FIELD_TIME, type, member, 8, 0)
#define BRAID_DUE(tag, type, member)  BRAID_FIELD_OF(tag, BRAID_FIELD_DUE, type, member, 8, 0)
#define BRAID_PAST(tag, type, member) BRAID_FIELD_OF(tag, BRAID_FIELD_PAST, type, member, 8, 0)
#define BRAID_BOOL(tag, type, member) BRAID_FIELD_OF(tag, BRAID_FIELD_BOOL, type, member, 1, 1)
#define BRAID_REAL(tag, type, member, most)                                                                  \
    BRAID_FIELD_OF(tag, BRAID_FIELD_REAL, type, member, sizeof(((type *)0)->member), most)

/* A count of bytes that no stream reaches, and no arithmetic on two of them overflows. */
#define BRAID_MUCH ((uint64_t)1 << 60)

#endif
