/* What no input may bring about. */
#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

#include <stdio.h>

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            __builtin_trap();                                                                                \
        }                                                                                                    \
    } while (0)

#endif
