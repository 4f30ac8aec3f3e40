/* See admin_check.h. */
#include "conf/admin_check.h"
#include <stdlib.h>
#include "base/addr.h"
#include "conf/sections.h"
#include "io/bearer_tokens.h"
#include "io/tls.h"

static int read_tokens(struct parser *p, const struct conf_section *s)
{
    struct admin_params *a = &p->conf->admin;
    char error[SECRET_FILE_ERROR];
    if (!a->token_file)
        return 0;
    a->tokens = bearer_tokens_read(a->token_file, error);
    if (a->tokens)
        return 0;
    return parser_fail_at(p, parser_key_line(s, "token_file"), s->title, "token_file", "%.200s: %s",
                          a->token_file, error);
}

/* The key that is there needs the other one. 0, or -1. */
static int check_pair(struct parser *p, const struct conf_section *s, const char *there, const char *missing)
{
    return parser_fail_at(p, parser_key_line(s, there), s->title, there,
                          "needs %s, too; add it, or remove %s", missing, there);
}

static int check_tls_keys(struct parser *p, const struct conf_section *s)
{
    const struct admin_params *a = &p->conf->admin;
    if (a->tls_cert && !a->tls_key)
        return check_pair(p, s, "tls_cert", "tls_key");
    if (a->tls_key && !a->tls_cert)
        return check_pair(p, s, "tls_key", "tls_cert");
    if (a->tls_client_ca && !a->tls_cert)
        return check_pair(p, s, "tls_client_ca", "tls_cert");
    return 0;
}

static int read_tls(struct parser *p, const struct conf_section *s)
{
    struct admin_params *a = &p->conf->admin;
    const struct tls_files files = {.cert = a->tls_cert, .key = a->tls_key, .client_ca = a->tls_client_ca};
    char error[TLS_ERROR];
    const char *flawed;
    if (check_tls_keys(p, s) < 0)
        return -1;
    if (!a->tls_cert)
        return 0;
    a->tls = tls_server_new(&files, &flawed, error);
    if (a->tls)
        return 0;
    const char *key = flawed == a->tls_cert ? "tls_cert" : flawed == a->tls_key ? "tls_key" : "tls_client_ca";
    return parser_fail_at(p, parser_key_line(s, key), s->title, key, "%.200s: %s", flawed, error);
}

static bool is_beyond_loopback(const struct admin_params *a)
{
    return !ip_is_loopback(&a->listen.ip);
}

static int check_open(struct parser *p, const struct conf_section *s)
{
    const struct admin_params *a = &p->conf->admin;
    char text[ADDR_TEXT];
    if (!is_beyond_loopback(a) || a->insecure || a->tokens || a->tls)
        return 0;
    return parser_fail_at(
        p, parser_key_line(s, "listen"), s->title, "listen",
        "%s is reached from elsewhere, and everybody there would see who is connected to "
        "whom; give a token_file and tls_cert, or insecure = yes if only those who may reach it",
        addr_text(&a->listen, text));
}

int admin_settle(struct parser *p)
{
    for (unsigned i = 0; i < p->n_sections; i++) {
        const struct conf_section *s = &p->sections[i];
        if (s->kind == &section_admin)
            return read_tokens(p, s) < 0 || read_tls(p, s) < 0 || check_open(p, s) < 0 ? -1 : 0;
    }
    return 0;
}

static void warn_of_listen(struct parser *p, const struct conf_section *s, const char *what)
{
    parser_warn(p, parser_key_line(s, "listen"), s->title, "listen", "is reached from elsewhere: %s", what);
}

void admin_warn(struct parser *p, const struct conf_section *s)
{
    const struct admin_params *a = &p->conf->admin;
    if (!is_beyond_loopback(a)) {
        if (a->insecure)
            parser_warn(p, parser_key_line(s, "insecure"), s->title, "insecure",
                        "has no effect where listen is a loopback address; remove it");
    } else if (!a->tokens && !a->tls_client_ca) {
        warn_of_listen(p, s,
                       "everybody there sees, without a password, who is connected to whom; token_file or "
                       "tls_client_ca keep strangers out");
    } else if (!a->tls) {
        warn_of_listen(p, s, "tokens and answers go there in clear text; tls_cert and tls_key hide them");
    }
}

void admin_forget(struct admin_params *a)
{
    for (unsigned i = 0; i < a->n_names; i++)
        free(a->names[i]);
    free(a->token_file);
    free(a->tls_cert);
    free(a->tls_key);
    free(a->tls_client_ca);
    tls_server_free(a->tls);
    bearer_tokens_free(a->tokens);
}
