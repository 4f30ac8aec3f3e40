/* See bearer_tokens.h. */
#include "io/bearer_tokens.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

struct bearer_tokens {
    unsigned n;
    char text[TOKENS_MAX][TOKEN_MOST + 1]; /* filled up with NULs, since all of it is compared */
};

/* As RFC 6750 2.1 has them (b64token), less the rule that '=' comes last. */
static bool is_token(const char *s, size_t len)
{
    static const char marks[] = "-._~+/=";
    for (size_t i = 0; i < len; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') ||
              (s[i] != '\0' && strchr(marks, s[i]))))
            return false;
    return true;
}

/* -1: error says why. */
static int take_line(struct bearer_tokens *t, unsigned number, const char *line, size_t len,
                     char error[SECRET_FILE_ERROR])
{
    while (len > 0 && strchr(" \t\r", line[len - 1]))
        len--;
    if (len == 0 || line[0] == '#')
        return 0;
    if (len < TOKEN_LEAST || len > TOKEN_MOST || !is_token(line, len)) {
        snprintf(error, SECRET_FILE_ERROR,
                 "line %u is not a token of %d to %d letters, digits or -._~+/=; \"openssl rand -hex 32\" "
                 "makes one",
                 number, TOKEN_LEAST, TOKEN_MOST);
        return -1;
    }
    if (t->n == TOKENS_MAX) {
        snprintf(error, SECRET_FILE_ERROR, "line %u is one token too many; there may be %d", number,
                 TOKENS_MAX);
        return -1;
    }
    memcpy(t->text[t->n++], line, len);
    return 0;
}

static int take_all(struct bearer_tokens *t, const char *text, size_t len, char error[SECRET_FILE_ERROR])
{
    unsigned number = 1;
    for (size_t at = 0; at < len; number++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end ? (size_t)(end - text) - at : len - at;
        if (take_line(t, number, text + at, n, error) < 0)
            return -1;
        at += n + 1;
    }
    if (t->n == 0)
        snprintf(error, SECRET_FILE_ERROR,
                 "there is no token in it; \"openssl rand -hex 32\" makes one, a line for each");
    return t->n > 0 ? 0 : -1;
}

struct bearer_tokens *bearer_tokens_read(const char *path, char error[SECRET_FILE_ERROR])
{
    size_t len;
    char *text = secret_file_read(path, &len, error);
    if (!text)
        return NULL;
    struct bearer_tokens *t = calloc(1, sizeof(*t));
    if (!t) {
        snprintf(error, SECRET_FILE_ERROR, "memory is short");
    } else if (take_all(t, text, len, error) < 0) {
        bearer_tokens_free(t);
        t = NULL;
    }
    secret_file_free(text, len);
    return t;
}

bool bearer_tokens_have(const struct bearer_tokens *t, const char *token)
{
    char padded[TOKEN_MOST + 1] = {0};
    size_t len = strnlen(token, sizeof(padded));
    unsigned found = 0;
    if (len < TOKEN_LEAST || len > TOKEN_MOST)
        return false;
    memcpy(padded, token, len);
    for (unsigned i = 0; i < t->n; i++)
        found |= CRYPTO_memcmp(t->text[i], padded, sizeof(padded)) == 0;
    return found;
}

void bearer_tokens_free(struct bearer_tokens *t)
{
    if (t)
        explicit_bzero(t, sizeof(*t));
    free(t);
}
