/* Status lines and header fields. */
#include <time.h>
#include "admin/response.h"
#include "admin/assets.h"

static const struct {
    int code;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {413, "Content Too Large"},
    {431, "Request Header Fields Too Large"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const char *reason_of(int code)
{
    for (unsigned i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].code == code)
            return reasons[i].reason;
    return "";
}

void response_head(struct doc *d, const struct request *r, int code, const char *type, const size_t *length)
{
    char date[64];
    struct tm tm;
    time_t now = time(NULL);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    doc_printf(d,
               "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\n"
               "X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n"
               "Content-Security-Policy: %s\r\n",
               code, reason_of(code), date, type, asset_policy());
    if (code == 401) /* RFC 6750 section 3 */
        doc_printf(d, "WWW-Authenticate: Bearer realm=\"braid\"%s\r\n",
                   r->has_token ? ", error=\"invalid_token\"" : "");
    if (code == 405)
        doc_puts(d, "Allow: GET, HEAD\r\n");
    if (length)
        doc_printf(d, "Content-Length: %zu\r\n", *length);
    else if (!r->http_1_0)
        doc_puts(d, "Transfer-Encoding: chunked\r\n");
    doc_puts(d, r->close ? "Connection: close\r\n\r\n" : "\r\n");
}
