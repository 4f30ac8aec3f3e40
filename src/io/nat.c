/* See nat.h: libnftables takes the text, and speaks to the kernel. It does so in the calling thread, some
 * milliseconds each time. */
#include <nftables/libnftables.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "io/heirlooms.h"
#include "io/log.h"
#include "io/masquerade.h"
#include "io/nat.h"

/* Without what sets contain: of all its ways to list, nftables (1.0.6) leaves that in the kernel with this
 * one alone, and our sets are large. */
#define LIST_COMMAND "list ruleset inet"

struct nat {
    enum nat_means means;
    struct nft_ctx *nft;
    bool up;      /* something was put up */
    char *listed; /* as nftables lists it; NULL: it could not be asked */
};

struct nat *nat_new(enum nat_means means)
{
    struct nat *n = calloc(1, sizeof(*n));
    if (n) {
        n->means = means;
        n->nft = nft_ctx_new(NFT_CTX_DEFAULT);
    }
    if (!n || !n->nft || nft_ctx_buffer_output(n->nft) || nft_ctx_buffer_error(n->nft)) {
        nat_free(n);
        return NULL;
    }
    nft_ctx_output_set_flags(n->nft, NFT_CTX_OUTPUT_TERSE | NFT_CTX_OUTPUT_STATELESS);
    return n;
}

/* What nftables says of a failure is several lines, of which the first says what is wrong. */
static int fail(const struct nat *n, char error[NAT_ERROR])
{
    const char *said = nft_ctx_get_error_buffer(n->nft);
    const char *what = strstr(said, "Error: ");
    what = what ? what + strlen("Error: ") : said;
    snprintf(error, NAT_ERROR, "nftables: %.*s", (int)strcspn(what, "\n"), *what ? what : "no answer");
    return -1;
}

static int run(struct nat *n, const char *commands)
{
    return nft_run_cmd_from_buffer(n->nft, commands) == 0 ? 0 : -1;
}

bool nat_has_nftables(void)
{
    struct nat *n = nat_new(NAT_NFTABLES);
    bool has = n && run(n, "list tables") == 0;
    nat_free(n);
    return has;
}

/* Our table as nftables lists it; the caller's to free. NULL: it is not there, or memory is short. */
static char *list(struct nat *n)
{
    static const char begins[] = "table " NAT_TABLE " {\n";
    const char *table = run(n, LIST_COMMAND) == 0 ? nft_ctx_get_output_buffer(n->nft) : NULL;
    while (table && strncmp(table, begins, strlen(begins)) != 0) {
        table = strstr(table, "\ntable ");
        table = table ? table + 1 : NULL;
    }
    const char *end = table ? strstr(table, "\n}\n") : NULL;
    return end ? strndup(table, (size_t)(end - table)) : NULL;
}

/* A table that an earlier version has left may not take ours; what was known of its connections is lost. */
static int replace(struct nat *n, const char *text)
{
    static const char away[] = "add table " NAT_TABLE "\ndelete table " NAT_TABLE "\n";
    char *whole = malloc(sizeof(away) + strlen(text));
    if (!whole)
        return -1;
    strcpy(whole, away);
    strcat(whole, text);
    int result = run(n, whole);
    free(whole);
    return result;
}

static int apply_nftables(struct nat *n, const struct nat_rules *rules, char error[NAT_ERROR])
{
    char text[NAT_TEXT];
    nat_text(rules, text);
    if (run(n, text) < 0 && replace(n, text) < 0)
        return fail(n, error);
    free(n->listed);
    n->listed = list(n);
    return 0;
}

/* Nothing is known of the means yet. If neither does it, what nftables says is what is wrong. */
static int apply_any(struct nat *n, const struct nat_rules *rules, char error[NAT_ERROR])
{
    char other[NAT_ERROR];
    n->means = NAT_NFTABLES;
    if (apply_nftables(n, rules, error) == 0)
        return 0;
    if (masquerade_apply(rules, other) == 0) {
        log_warn(
            "uplinks: %s: addresses are translated by iptables instead; a flush of connection tracking will "
            "interrupt transfers for a second or two",
            error);
        n->means = NAT_MASQUERADE;
        return 0;
    }
    n->means = NAT_AUTO;
    return -1;
}

int nat_apply(struct nat *n, const struct nat_rules *rules, char error[NAT_ERROR])
{
    int result = n->means == NAT_AUTO         ? apply_any(n, rules, error)
                 : n->means == NAT_MASQUERADE ? masquerade_apply(rules, error)
                                              : apply_nftables(n, rules, error);
    n->up |= result == 0;
    return result;
}

bool nat_is_there(struct nat *n)
{
    if (n->means == NAT_MASQUERADE)
        return n->up && masquerade_is_there();
    char *now = list(n);
    bool same = now && n->listed && strcmp(now, n->listed) == 0;
    free(now);
    return same;
}

void nat_free(struct nat *n)
{
    if (!n)
        return;
    bool ours = n->up && !heirlooms_are_others();
    if (ours && n->means == NAT_MASQUERADE)
        masquerade_remove();
    if (n->nft) {
        if (ours && n->means == NAT_NFTABLES)
            run(n, "delete table " NAT_TABLE);
        nft_ctx_free(n->nft);
    }
    free(n->listed);
    free(n);
}
