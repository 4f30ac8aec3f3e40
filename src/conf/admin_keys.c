/* [admin]: where HTTP is served, and to whom. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "conf/admin_check.h"
#include "conf/sections.h"
#include "conf/values.h"

static int set_listen(struct parser *p, const char *value)
{
    struct braid_addr a;
    if (addr_parse(value, &a) < 0 || a.port == 0)
        return parser_fail(
            p, "listen",
            "\"%.80s\" is not ADDRESS:PORT; give one of this host's addresses and a port, such as "
            "127.0.0.1:9180 or [::1]:9180",
            value);
    if (ip_is_multicast(&a.ip))
        return parser_fail(
            p, "listen", "%s is a multicast address; give one of this host's, such as 127.0.0.1:9180", value);
    p->conf->admin.listen = a;
    return 0;
}

static int add_name(struct parser *p, void *arg, const char *item)
{
    struct admin_params *a = arg;
    if (!value_is_host_name(item))
        return parser_fail(p, "hostname",
                           "\"%.80s\" is not a name without a port; give those by which this host is asked, "
                           "such as proxy.example.org",
                           item);
    if (a->n_names == ADMIN_NAMES_MAX)
        return parser_fail(p, "hostname", "there are more than %d names; give the ones that are used",
                           ADMIN_NAMES_MAX);
    return parser_string(p, "hostname", item, &a->names[a->n_names++]);
}

static int set_hostname(struct parser *p, const char *value)
{
    return parser_items(p, "hostname", value, "NAME", add_name, &p->conf->admin);
}

static int set_path(struct parser *p, const char *key, const char *value, char **out)
{
    if (value[0] != '/' || value[strlen(value) - 1] == '/')
        return parser_fail(p, key,
                           "\"%.80s\" is not the absolute path of a file; give one, such as /etc/braid/%s",
                           value, key);
    return parser_string(p, key, value, out);
}

static int set_token_file(struct parser *p, const char *value)
{
    return set_path(p, "token_file", value, &p->conf->admin.token_file);
}

static int set_tls_cert(struct parser *p, const char *value)
{
    return set_path(p, "tls_cert", value, &p->conf->admin.tls_cert);
}

static int set_tls_key(struct parser *p, const char *value)
{
    return set_path(p, "tls_key", value, &p->conf->admin.tls_key);
}

static int set_tls_client_ca(struct parser *p, const char *value)
{
    return set_path(p, "tls_client_ca", value, &p->conf->admin.tls_client_ca);
}

static int set_insecure(struct parser *p, const char *value)
{
    return parser_yes(p, "insecure", value, &p->conf->admin.insecure);
}

static const struct conf_key admin_keys[] = {
    {"listen", set_listen, false, NULL},
    {"hostname", set_hostname, false, NULL},
    {"token_file", set_token_file, false, NULL},
    {"insecure", set_insecure, false, NULL},
    {"tls_cert", set_tls_cert, false, NULL},
    {"tls_key", set_tls_key, false, NULL},
    {"tls_client_ca", set_tls_client_ca, false, NULL},
    {NULL, NULL, false, NULL},
};
SECTION_CHECK_KEYS(admin_keys);

const struct conf_section_kind section_admin = {"admin", NULL, admin_keys, NULL};
