/* See hosts_read.h. */
#include "ctl/hosts_read.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/json_text.h"

/* What a line of /metrics counts for. label: of the edge or CPE; NULL: a worker's, which have no name. */
static const struct measure {
    const char *name, *label;
    size_t member; /* of struct hosts_sum */
} measures[] = {
    {"braid_worker_connections", NULL, offsetof(struct hosts_sum, connections)},
    {"braid_worker_mptcp_connections", NULL, offsetof(struct hosts_sum, mptcp)},
    {"braid_worker_subflows", NULL, offsetof(struct hosts_sum, subflows)},
    {"braid_edge_connections", "edge", offsetof(struct hosts_sum, connections)},
    {"braid_edge_mptcp_connections", "edge", offsetof(struct hosts_sum, mptcp)},
    {"braid_edge_subflows", "edge", offsetof(struct hosts_sum, subflows)},
    {"braid_edge_to_server_bytes_per_second", "edge", offsetof(struct hosts_sum, in)},
    {"braid_edge_from_server_bytes_per_second", "edge", offsetof(struct hosts_sum, out)},
    {"braid_cpe_connections", "cpe", offsetof(struct hosts_sum, connections)},
    {"braid_cpe_mptcp_connections", "cpe", offsetof(struct hosts_sum, mptcp)},
    {"braid_cpe_up_bytes_per_second", "cpe", offsetof(struct hosts_sum, in)},
    {"braid_cpe_down_bytes_per_second", "cpe", offsetof(struct hosts_sum, out)},
};

static void add(struct hosts_sum *s, size_t member, double value)
{
    *(double *)((char *)s + member) += value;
}

/* The value of a label in {a="b",c="d"}. False: there is none, or it is too long. */
static bool label_of(const char *labels, const char *label, char out[HOSTS_NAME])
{
    size_t n = strlen(label);
    for (const char *at = labels; (at = strstr(at, label)) != NULL; at += n) {
        bool whole = at > labels && (at[-1] == '{' || at[-1] == ',') && at[n] == '=' && at[n + 1] == '"';
        size_t len = whole ? strcspn(at + n + 2, "\"\\") : HOSTS_NAME;
        if (len >= HOSTS_NAME)
            continue;
        memcpy(out, at + n + 2, len);
        out[len] = '\0';
        return true;
    }
    return false;
}

static struct hosts_edge *edge_of(struct hosts *h, const char *name)
{
    for (unsigned i = 0; i < h->n_edges; i++)
        if (strcmp(h->edges[i].name, name) == 0)
            return &h->edges[i];
    if (h->n_edges == HOSTS_EDGES)
        return NULL;
    struct hosts_edge *e = &h->edges[h->n_edges++];
    *e = (struct hosts_edge){.sum = {0}};
    snprintf(e->name, sizeof(e->name), "%s", name);
    return e;
}

/* Workers' lines have what all edges carry together but the rates. */
static void count(struct hosts *h, struct hosts_machine *m, const struct measure *what, const char *labels,
                  double value)
{
    char name[HOSTS_NAME];
    struct hosts_edge *e = NULL;
    bool rate =
        what->member == offsetof(struct hosts_sum, in) || what->member == offsetof(struct hosts_sum, out);
    if (what->label && label_of(labels, what->label, name))
        e = edge_of(h, name);
    if (e)
        add(&e->sum, what->member, value);
    if (!what->label || rate) {
        add(&m->sum, what->member, value);
        add(&h->all, what->member, value);
    }
}

static void count_drained(struct hosts *h, struct hosts_machine *m, const char *label, const char *labels,
                          double value)
{
    char name[HOSTS_NAME];
    struct hosts_edge *e = label_of(labels, label, name) ? edge_of(h, name) : NULL;
    struct hosts_sum *sums[] = {&m->sum, &h->all, e ? &e->sum : &h->all};
    for (unsigned i = 0; i < (e ? 3u : 2u); i++) {
        sums[i]->edges++;
        sums[i]->drained += value > 0;
    }
}

/* NAME{LABELS} VALUE, or NAME VALUE. */
static void take_line(struct hosts *h, struct hosts_machine *m, char *line)
{
    size_t len = strcspn(line, "{ ");
    char *labels = line + len, *value = strrchr(line, ' ');
    if (line[0] == '#' || !value)
        return;
    double number = strtod(value, NULL);
    *value = '\0';
    if (strncmp(line, "braid_edge_drained{", len + 1) == 0)
        count_drained(h, m, "edge", labels, number);
    else if (strncmp(line, "braid_cpe_drained{", len + 1) == 0)
        count_drained(h, m, "cpe", labels, number);
    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
        if (strlen(measures[i].name) == len && strncmp(line, measures[i].name, len) == 0)
            count(h, m, &measures[i], labels, number);
}

void hosts_read(struct hosts *h, struct hosts_machine *m, const char *text)
{
    char line[512];
    m->answers = true;
    h->n_answers++;
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (len < sizeof(line)) {
            memcpy(line, text, len);
            line[len] = '\0';
            take_line(h, m, line);
        }
        text += len + (text[len] == '\n');
    }
}

void hosts_clear(struct hosts *h)
{
    for (unsigned i = 0; i < h->n_machines; i++) {
        h->machines[i].answers = false;
        h->machines[i].sum = (struct hosts_sum){0};
    }
    h->n_answers = h->n_edges = 0;
    h->all = (struct hosts_sum){0};
}

/* ---- what is shown ---------------------------------------------------------------------------------- */

static const char *rate_text(double bytes, char out[32])
{
    static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
    double bits = bytes * 8;
    unsigned i = 0;
    for (; bits >= 1000 && i < 4; i++)
        bits /= 1000;
    snprintf(out, 32, "%.*f %s", i == 0 ? 0 : 1, bits, units[i]);
    return out;
}

static void print_row(const char *name, const struct hosts_sum *s, const char *note, FILE *out)
{
    char in[32], back[32];
    fprintf(out, "%-28s %12.0f %12.0f %12.0f %14s %14s  %s\n", name, s->connections, s->mptcp, s->subflows,
            rate_text(s->in, in), rate_text(s->out, back), note);
}

static const char *drained_text(const struct hosts_sum *s, char out[32])
{
    if (s->drained == 0)
        out[0] = '\0';
    else if (s->drained == s->edges)
        strcpy(out, "drained");
    else
        snprintf(out, 32, "%u of %u drained", s->drained, s->edges);
    return out;
}

static void print_head(const char *what, FILE *out)
{
    fprintf(out, "%-28s %12s %12s %12s %14s %14s\n", what, "CONNECTIONS", "MPTCP", "SUBFLOWS", "FROM CLIENTS",
            "TO CLIENTS");
}

void hosts_print(const struct hosts *h, FILE *out)
{
    char name[64], note[32];
    print_head("MACHINE", out);
    for (unsigned i = 0; i < h->n_machines; i++) {
        const struct hosts_machine *m = &h->machines[i];
        if (m->answers)
            print_row(m->name, &m->sum, drained_text(&m->sum, note), out);
        else
            fprintf(out, "%-28s does not answer\n", m->name);
    }
    snprintf(name, sizeof(name), "all (%u of %u answer)", h->n_answers, h->n_machines);
    print_row(name, &h->all, "", out);
    if (h->n_edges == 0)
        return;
    fputc('\n', out);
    print_head("EDGE, CPE", out);
    for (unsigned i = 0; i < h->n_edges; i++)
        print_row(h->edges[i].name, &h->edges[i].sum, drained_text(&h->edges[i].sum, note), out);
}

/* A name of the configuration, or what was given on the command line. */
static void print_string(const char *text, FILE *out)
{
    char piece[JSON_TEXT_CHAR];
    fputc('"', out);
    for (size_t n; (n = json_text_next(&text, piece)) > 0;)
        fwrite(piece, 1, n, out);
    fputc('"', out);
}

static void print_sum(const char *name, const struct hosts_sum *s, FILE *out)
{
    fputs("{", out);
    if (name) {
        fputs("\"name\":", out);
        print_string(name, out);
        fputs(",", out);
    }
    fprintf(
        out,
        "\"connections\":%.0f,\"mptcp_connections\":%.0f,\"subflows\":%.0f,\"bytes_from_clients_per_s\":%.0f,"
        "\"bytes_to_clients_per_s\":%.0f,\"edges\":%u,\"drained\":%u}",
        s->connections, s->mptcp, s->subflows, s->in, s->out, s->edges, s->drained);
}

void hosts_print_json(const struct hosts *h, FILE *out)
{
    const char *between = "";
    fputs("{\"machines\":[", out);
    for (unsigned i = 0; i < h->n_machines; i++) {
        if (!h->machines[i].answers)
            continue;
        fputs(between, out);
        print_sum(h->machines[i].name, &h->machines[i].sum, out);
        between = ",";
    }
    fputs("],\"silent\":[", out);
    between = "";
    for (unsigned i = 0; i < h->n_machines; i++) {
        if (h->machines[i].answers)
            continue;
        fputs(between, out);
        print_string(h->machines[i].name, out);
        between = ",";
    }
    fputs("],\"edges\":[", out);
    for (unsigned i = 0; i < h->n_edges; i++) {
        fputs(i ? "," : "", out);
        print_sum(h->edges[i].name, &h->edges[i].sum, out);
    }
    fputs("],\"total\":", out);
    print_sum(NULL, &h->all, out);
    fputs("}\n", out);
}
