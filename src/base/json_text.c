/* See json_text.h. */
#include "base/json_text.h"
#include <stdbool.h>
#include <string.h>

/* Length of the UTF-8 sequence at s (RFC 3629 section 4), at least 1; 0: it is none. */
static size_t utf8_length(const unsigned char *s)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : 0;
    if (s[0] >= 0xf0 && s[0] < 0xf5)
        n = 4;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] >= 0xa0, beyond = s[0] == 0xf4 && s[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : n;
}

static size_t escape_control(unsigned char c, char out[JSON_TEXT_CHAR])
{
    static const char digits[] = "0123456789abcdef";
    const char text[JSON_TEXT_CHAR] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    memcpy(out, text, sizeof(text));
    return sizeof(text);
}

size_t json_text_next(const char **text, char out[JSON_TEXT_CHAR])
{
    static const char replacement[JSON_TEXT_CHAR] = {'\\', 'u', 'f', 'f', 'f', 'd'};
    const unsigned char *s = (const unsigned char *)*text;
    if (*s == '\0')
        return 0;
    size_t n = utf8_length(s);
    *text += n ? n : 1;
    if (n == 0) {
        memcpy(out, replacement, sizeof(replacement));
        return sizeof(replacement);
    }
    if (*s < 0x20 || *s == 0x7f)
        return escape_control(*s, out);
    if (*s == '"' || *s == '\\') {
        out[0] = '\\';
        out[1] = (char)*s;
        return 2;
    }
    memcpy(out, s, n);
    return n;
}
