/* Values as text: numbers, hosts, names, and what kind of address one is. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "conf/values.h"

#define DISTANCE_MAX      64
#define VALUE_NUMBER_TEXT 24 /* room for a number and its NUL */

int value_number(const char *text, unsigned min, unsigned max, unsigned *out)
{
    unsigned long n = 0;
    if (!*text)
        return -1;
    for (const char *s = text; *s; s++) {
        if (!isdigit((unsigned char)*s))
            return -1;
        n = n * 10 + (unsigned long)(*s - '0');
        if (n > max)
            return -1;
    }
    if (n < min)
        return -1;
    *out = (unsigned)n;
    return 0;
}

int value_trimmed(const char *text, size_t len, char *out, size_t outlen)
{
    while (len && isspace((unsigned char)text[0])) {
        text++;
        len--;
    }
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    if (len >= outlen)
        return -1;
    memcpy(out, text, len);
    out[len] = '\0';
    return 0;
}

int value_item(const char **list, char *out, size_t outlen)
{
    const char *item = *list;
    size_t len = strcspn(item, ",");
    *list = item[len] ? item + len + 1 : NULL;
    return value_trimmed(item, len, out, outlen);
}

/* RFC 1123 section 2.1: labels of letters, digits and hyphens, no hyphen at either end. A name of digits and
 * dots only is an address with a flaw. */
bool value_is_host_name(const char *s)
{
    bool letter = false;
    size_t label = 0;
    if (!*s || strlen(s) > VALUE_HOST_MAX)
        return false;
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '.') {
            if (label == 0 || s[-1] == '-')
                return false;
            label = 0;
            continue;
        }
        if (!(isalnum(c) || c == '_' || (c == '-' && label > 0)) || ++label > 63)
            return false;
        letter = letter || isalpha(c);
    }
    return letter && s[-1] != '-';
}

int value_host_port(const char *text, char host[VALUE_HOST_MAX + 1], uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    unsigned number;
    if (!colon || colon == text || value_number(colon + 1, 1, 65535, &number) < 0)
        return -1;
    bool bracketed = text[0] == '[';
    const char *from = bracketed ? text + 1 : text;
    const char *to = bracketed ? colon - 1 : colon;
    if ((bracketed && *to != ']') || to <= from || (size_t)(to - from) > VALUE_HOST_MAX)
        return -1;
    memcpy(host, from, (size_t)(to - from));
    host[to - from] = '\0';
    struct braid_ip ip;
    bool literal = ip_parse(host, &ip) == 0;
    if (bracketed != (literal && strchr(host, ':') != NULL) || (!literal && !value_is_host_name(host)))
        return -1;
    *port = (uint16_t)number;
    return 0;
}

int value_ports(const char *text, uint16_t *first, uint16_t *last)
{
    char a[VALUE_NUMBER_TEXT], b[VALUE_NUMBER_TEXT];
    size_t len = strcspn(text, "-");
    const char *rest = text[len] ? text + len + 1 : text;
    unsigned low, high;
    if (value_trimmed(text, len, a, sizeof(a)) < 0 || value_trimmed(rest, strlen(rest), b, sizeof(b)) < 0 ||
        value_number(a, 1, 65535, &low) < 0 || value_number(b, 1, 65535, &high) < 0 || low > high)
        return -1;
    *first = (uint16_t)low;
    *last = (uint16_t)high;
    return 0;
}

/* "6" or "0-3" */
static int add_cpus(const char *item, unsigned cpus[RPS_CPUS / 32])
{
    char a[VALUE_NUMBER_TEXT], b[VALUE_NUMBER_TEXT];
    size_t len = strcspn(item, "-");
    const char *rest = item[len] ? item + len + 1 : item;
    unsigned low, high;
    if (value_trimmed(item, len, a, sizeof(a)) < 0 || value_trimmed(rest, strlen(rest), b, sizeof(b)) < 0 ||
        value_number(a, 0, RPS_CPUS - 1, &low) < 0 || value_number(b, 0, RPS_CPUS - 1, &high) < 0 ||
        low > high)
        return -1;
    for (unsigned cpu = low; cpu <= high; cpu++)
        cpus[cpu / 32] |= 1u << cpu % 32;
    return 0;
}

int value_cpus(const char *text, char mask[RPS_TEXT])
{
    unsigned cpus[RPS_CPUS / 32] = {0};
    char item[2 * VALUE_NUMBER_TEXT];
    while (text) {
        if (value_item(&text, item, sizeof(item)) < 0 || add_cpus(item, cpus) < 0)
            return -1;
    }
    rps_mask(cpus, mask);
    return 0;
}

static bool has_bits_beyond(const struct braid_ip *ip, unsigned bits)
{
    for (unsigned i = bits; i < 128; i++)
        if (ip->b[i / 8] & 0x80 >> i % 8)
            return true;
    return false;
}

const char *value_prefix(const char *text, struct braid_ip *ip, uint8_t *bits)
{
    char host[VALUE_HOST_MAX + 1];
    size_t len = strcspn(text, "/");
    unsigned n = 0;
    if (value_trimmed(text, len, host, sizeof(host)) < 0 || ip_parse(host, ip) < 0)
        return "is not a prefix";
    unsigned most = ip_is_v4(ip) && !strchr(host, ':') ? 32 : 128;
    if (!text[len])
        n = most;
    else if (value_number(text + len + 1, 0, most, &n) < 0)
        return most == 32 ? "has no length from 0 to 32" : "has no length from 0 to 128";
    *bits = (uint8_t)(128 - most + n);
    return has_bits_beyond(ip, *bits) ? "has bits beyond its length" : NULL;
}

int value_bytes(const char *text, uint64_t *out)
{
    static const char units[] = "KMGT";
    char number[VALUE_NUMBER_TEXT];
    size_t len = strspn(text, "0123456789");
    unsigned n;
    if (value_trimmed(text, len, number, sizeof(number)) < 0 || value_number(number, 1, 1000000, &n) < 0)
        return -1;
    const char *unit = text + len + strspn(text + len, " \t");
    const char *which = *unit ? strchr(units, *unit) : NULL;
    if (!which || strcmp(unit + 1, "B") != 0)
        return -1;
    *out = n;
    for (const char *u = units; u <= which; u++)
        *out *= 1000;
    return 0;
}

bool value_is_word(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("-_.", *text))
            return false;
    return true;
}

bool value_is_ifname(const char *text)
{
    return value_is_word(text) && strlen(text) <= VALUE_IFNAME_MAX && strcmp(text, ".") != 0 &&
           strcmp(text, "..") != 0;
}

const char *value_unroutable(const struct braid_ip *ip)
{
    if (ip_is_unspecified(ip))
        return "the unspecified";
    if (ip_is_v4(ip) && (ip->b[12] == 0 || ip->b[12] >= 240))
        return "a reserved";
    if (ip_is_multicast(ip))
        return "a multicast";
    if (ip_is_loopback(ip))
        return "a loopback";
    bool link_local =
        ip_is_v4(ip) ? ip->b[12] == 169 && ip->b[13] == 254 : ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
    return link_local ? "a link-local" : NULL;
}

const char *value_list(const char *const *names, char *out, size_t outlen)
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; names[i] && used < outlen; i++)
        used += (size_t)snprintf(out + used, outlen - used, "%s%s", i ? ", " : "", names[i]);
    return out;
}

unsigned value_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned row[DISTANCE_MAX];
    if (n >= DISTANCE_MAX || m >= DISTANCE_MAX)
        return DISTANCE_MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned changed = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            unsigned least = row[j] < row[j - 1] ? row[j] : row[j - 1];
            row[j] = changed < least + 1 ? changed : least + 1;
        }
    }
    return row[m];
}
