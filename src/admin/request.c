/* Parsing HTTP request heads. What is not understood is refused, or, a header field, ignored. */
#include <ctype.h>
#include <string.h>
#include "admin/request.h"

#define BAD_REQUEST 400
#define BAD_VERSION 505
#define COMPLETE    200

/* Into out, which holds size bytes. False: it does not fit. */
static bool copy(char *out, size_t size, const char *from, size_t len)
{
    if (len >= size)
        return false;
    memcpy(out, from, len);
    out[len] = '\0';
    return true;
}

/* "/path?query", or "http://authority/path?query", whose authority takes the place of Host (RFC 9112 3.2.2).
 */
static int take_target(struct request *r, const char *target)
{
    if (strncasecmp(target, "http://", 7) == 0) {
        target += 7;
        size_t len = strcspn(target, "/?");
        if (!copy(r->host, sizeof(r->host), target, len))
            return BAD_REQUEST;
        r->absolute = true;
        target += len;
    } else if (target[0] != '/' && strcmp(target, "*") != 0) {
        return BAD_REQUEST;
    }
    size_t path = strcspn(target, "?#");
    copy(r->path, sizeof(r->path), target, path);
    if (target[path] == '?' &&
        !copy(r->query, sizeof(r->query), target + path + 1, strcspn(target + path + 1, "#")))
        return BAD_REQUEST;
    return 0;
}

static int take_version(struct request *r, const char *version)
{
    if (strncmp(version, "HTTP/", 5) != 0 || !isdigit((unsigned char)version[5]) || version[6] != '.' ||
        !isdigit((unsigned char)version[7]) || version[8])
        return BAD_REQUEST;
    if (version[5] != '1')
        return BAD_VERSION;
    r->http_1_0 = r->close = version[7] == '0';
    return 0;
}

static int take_request_line(struct request *r, char *line)
{
    char *method = strsep(&line, " "), *target = strsep(&line, " ");
    if (!*method || !target || !line)
        return BAD_REQUEST;
    r->begun = true;
    r->method = strcmp(method, "GET") == 0    ? REQUEST_GET
                : strcmp(method, "HEAD") == 0 ? REQUEST_HEAD
                                              : REQUEST_OTHER;
    int flaw = take_version(r, line);
    return flaw ? flaw : take_target(r, target);
}

/* Whether a list, separated by commas, has the word. */
static bool lists(char *value, const char *word)
{
    for (char *item; (item = strsep(&value, ", \t")) != NULL;)
        if (strcasecmp(item, word) == 0)
            return true;
    return false;
}

static int take_host(struct request *r, const char *value)
{
    if (r->has_host)
        return BAD_REQUEST;
    r->has_host = true;
    if (r->absolute)
        return 0;
    return copy(r->host, sizeof(r->host), value, strlen(value)) ? 0 : BAD_REQUEST;
}

static int take_origin(struct request *r, const char *value)
{
    if (r->has_origin)
        return BAD_REQUEST;
    r->has_origin = true;
    copy(r->origin, sizeof(r->origin), value, strlen(value));
    return 0;
}

/* RFC 6750 2.1. Another scheme is as good as none. */
static int take_authorization(struct request *r, const char *value)
{
    if (strncasecmp(value, "Bearer ", 7) != 0)
        return 0;
    if (r->has_token)
        return BAD_REQUEST;
    value += 7;
    value += strspn(value, " ");
    r->has_token = true;
    copy(r->token, sizeof(r->token), value, strlen(value));
    return 0;
}

static int take_field(struct request *r, char *line)
{
    size_t name = strcspn(line, ": \t");
    if (name == 0 || line[name] != ':')
        return BAD_REQUEST; /* also one that goes on with the line before (RFC 9112 5.2) */
    char *value = line + name + 1;
    line[name] = '\0';
    value += strspn(value, " \t");
    for (size_t len = strlen(value); len > 0 && strchr(" \t", value[len - 1]); len--)
        value[len - 1] = '\0';
    if (strcasecmp(line, "Host") == 0)
        return take_host(r, value);
    if (strcasecmp(line, "Origin") == 0)
        return take_origin(r, value);
    if (strcasecmp(line, "Authorization") == 0)
        return take_authorization(r, value);
    if (strcasecmp(line, "Connection") == 0)
        r->close |= lists(value, "close");
    else if (strcasecmp(line, "Transfer-Encoding") == 0)
        r->body = true;
    else if (strcasecmp(line, "Content-Length") == 0)
        r->body |= strspn(value, "0") != strlen(value);
    return 0;
}

int request_take_line(struct request *r, char *line, size_t len)
{
    if (strlen(line) != len)
        return BAD_REQUEST;
    if (len > 0)
        return r->begun ? take_field(r, line) : take_request_line(r, line);
    if (!r->begun)
        return 0; /* a line too many behind the request before (RFC 9112 2.2) */
    return r->has_host || r->absolute || r->http_1_0 ? COMPLETE : BAD_REQUEST;
}

const char *request_host_name(const struct request *r, char out[REQUEST_HOST])
{
    const char *from = r->host, *end = strchr(from, ':');
    if (*from == '[') {
        end = strchr(++from, ']');
        if (!end || (end[1] != ':' && end[1] != '\0'))
            end = from;
    } else if (end && strchr(end + 1, ':')) {
        end = NULL; /* IPv6 as it should not be, without brackets */
    }
    copy(out, REQUEST_HOST, from, end ? (size_t)(end - from) : strlen(from));
    return out;
}
