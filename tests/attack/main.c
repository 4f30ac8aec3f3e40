/* Runs the attacks and prints what they did, and what an idle connection holds. --markdown: as the table of
 * docs/security.md. NAME: one attack alone; idle: no attack. */
#include "attack.h"

#include <stdio.h>
#include <string.h>
#include "mptcp/conn.h"
#include "role/edge_client.h"

#define IDLE_LIMIT 2500 /* bytes of an idle connection with two subflows, and of its relaying */

static double mib(size_t bytes)
{
    return (double)bytes / (1 << 20);
}

static void print_text(const struct attack *a, const struct result *r, double baseline)
{
    printf("%-30s %7u %7.1f %7.1f %-5s %8.1f %6.0f %8u %7.2f %7.2f  %s\n", a->name, r->sent, baseline / 1e6,
           r->goodput / 1e6, r->late_mptcp ? "MPTCP" : "TCP", mib(r->peak), mib(r->budget), r->refused,
           r->first_us, r->worst_us, r->ok ? "ok" : r->failure);
    fflush(stdout);
}

static void print_markdown(const struct attack *a, const struct result *r, double baseline)
{
    printf("| %s | %u | %.1f | %.1f | %s | %.1f | %.0f | %u | %s |\n", a->name, r->sent, baseline / 1e6,
           r->goodput / 1e6, r->late_mptcp ? "MPTCP" : "TCP", mib(r->peak), mib(r->budget), r->refused,
           a->answer);
}

/* How many attacks have no row in the document. */
static int missing_in(const char *path)
{
    static char text[1 << 18];
    char row[80];
    FILE *f = fopen(path, "r");
    size_t len = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    int missing = !f;

    text[len] = '\0';
    for (unsigned i = 0; i < n_attacks; i++) {
        snprintf(row, sizeof(row), "| %s |", attacks[i].name);
        if (strstr(text, row))
            continue;
        fprintf(stderr, "%s lacks the attack \"%s\": make attack TABLE=1 prints its table\n", path,
                attacks[i].name);
        missing++;
    }
    if (f)
        fclose(f);
    return missing;
}

/* Prints the bytes of an idle connection. Returns whether they are too many. */
static int print_idle(void)
{
    size_t core = world_idle(IDLE_MAX), structs = sizeof(struct braid_conn) + 2 * sizeof(struct mp_subflow);
    size_t all = core + sizeof(struct client);

    printf("idle connection, bytes of heap: %zu braid_conn, 2 x %zu mp_subflow (%zu of it subflow), %zd "
           "else, %zu client of the edge; "
           "%zu in all\n",
           sizeof(struct braid_conn), sizeof(struct mp_subflow), sizeof(struct subflow),
           (ssize_t)(core - structs), sizeof(struct client), all);
    if (core > 0 && all <= IDLE_LIMIT)
        return 0;
    printf("idle connection: %s\n", core ? "more than the limit" : "the connections did not become idle");
    return 1;
}

int main(int argc, char **argv)
{
    bool markdown = argc > 1 && strcmp(argv[1], "--markdown") == 0;
    const char *only = argc > 1 && !markdown ? argv[1] : NULL;
    double baseline = 0;
    int failed = argc == 1 ? missing_in("docs/security.md") : 0;

    if (markdown)
        printf(
            "| attack | packets | Mbit/s without | with | new client got | peak MiB | budget MiB | refused | "
            "what answers it |\n|---|---:|---:|---:|---|---:|---:|---:|---|\n");
    else
        printf("%-30s %7s %7s %7s %-5s %8s %6s %8s %7s %7s\n", "attack", "packets", "without", "with", "new",
               "peak MiB", "budget", "refused", "us 1st", "us most");
    for (unsigned i = 0; i < n_attacks; i++) {
        struct result r;

        if (only && (i > 0 || strcmp(only, "idle") == 0) && strcmp(only, attacks[i].name) != 0)
            continue;
        world_run(&attacks[i], &r);
        if (i == 0)
            baseline = r.goodput;
        (markdown ? print_markdown : print_text)(&attacks[i], &r, baseline);
        failed += !r.ok;
        if (markdown && !r.ok)
            fprintf(stderr, "%s: %s\n", attacks[i].name, r.failure);
    }
    if (!markdown && (!only || strcmp(only, "idle") == 0))
        failed += print_idle();
    return failed > 0;
}
