/* See admin_check.h. */
#include "conf/admin_check.h"
#include <stdlib.h>
#include "base/addr.h"
#include "conf/sections.h"
#include "io/bearer_tokens.h"

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

static bool is_beyond_loopback(const struct admin_params *a)
{
    return !ip_is_loopback(&a->listen.ip);
}

static int check_open(struct parser *p, const struct conf_section *s)
{
    const struct admin_params *a = &p->conf->admin;
    char text[ADDR_TEXT];
    if (!is_beyond_loopback(a) || a->insecure || a->tokens)
        return 0;
    return parser_fail_at(p, parser_key_line(s, "listen"), s->title, "listen",
                          "%s is reached from elsewhere, and everybody there would see who is connected to "
                          "whom; give a token_file, or insecure = yes if only those who may reach it",
                          addr_text(&a->listen, text));
}

int admin_settle(struct parser *p)
{
    for (unsigned i = 0; i < p->n_sections; i++) {
        const struct conf_section *s = &p->sections[i];
        if (s->kind == &section_admin)
            return read_tokens(p, s) < 0 || check_open(p, s) < 0 ? -1 : 0;
    }
    return 0;
}

void admin_warn(struct parser *p, const struct conf_section *s)
{
    const struct admin_params *a = &p->conf->admin;
    if (a->insecure && !is_beyond_loopback(a))
        parser_warn(p, parser_key_line(s, "insecure"), s->title, "insecure",
                    "has no effect where listen is a loopback address; remove it");
    else if (a->insecure && !a->tokens)
        parser_warn(p, parser_key_line(s, "insecure"), s->title, "insecure",
                    "lets everybody who reaches listen see, without a password, who is connected to whom");
}

void admin_forget(struct admin_params *a)
{
    for (unsigned i = 0; i < a->n_names; i++)
        free(a->names[i]);
    free(a->token_file);
    bearer_tokens_free(a->tokens);
}
