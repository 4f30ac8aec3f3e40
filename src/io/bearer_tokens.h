/* Bearer tokens (RFC 6750) from a file: one per line, '#' begins a comment. */
#ifndef BRAID_IO_BEARER_TOKENS_H
#define BRAID_IO_BEARER_TOKENS_H

#include <stdbool.h>
#include "io/secret_file.h"

#define TOKEN_LEAST 16  /* characters */
#define TOKEN_MOST  255 /* likewise */
#define TOKENS_MAX  64

struct bearer_tokens;

/* NULL: the file cannot be read, or is none of tokens; error holds what is wrong and what would be right,
 * without the path. */
struct bearer_tokens *bearer_tokens_read(const char *path, char error[SECRET_FILE_ERROR]);
/* Whether it is one of them. How long it takes tells nothing of what they are. */
bool bearer_tokens_have(const struct bearer_tokens *t, const char *token);
/* Forgets them. NULL is allowed. */
void bearer_tokens_free(struct bearer_tokens *t);

#endif
