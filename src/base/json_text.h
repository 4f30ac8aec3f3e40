/* Text as JSON wants it between quotation marks (RFC 8259 section 7). */
#ifndef BRAID_BASE_JSON_TEXT_H
#define BRAID_BASE_JSON_TEXT_H

#include <stddef.h>

#define JSON_TEXT_CHAR 6 /* bytes that one character takes at most */

/* The next character of *text, which ends with a zero, goes to out, escaped where it has to be; *text moves
 * behind it. A byte that is not UTF-8 becomes U+FFFD. The bytes in out; 0: the text has ended. */
size_t json_text_next(const char **text, char out[JSON_TEXT_CHAR]);

#endif
