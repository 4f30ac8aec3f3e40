/* Draws a chart (chart.h) as SVG. Nothing is told by colour alone: subflows have letters, each with a row of
 * its own under the data level, and what was sent, sent again, acknowledged or acknowledged selectively has
 * its shape. Colours are classes, so that who views it in the dark sees light on dark. */
#include <inttypes.h>
#include "base/addr.h"
#include "replay/chart.h"
#include "replay/chart_points.h"

/* All in pixels of the view box. */
#define WIDTH  1200.0
#define LEFT   90.0
#define RIGHT  (WIDTH - 40)
#define PANEL  260.0
#define ROW    12.0 /* of a subflow, under the data level */
#define APART  8.0  /* between that and the first row */
#define LEGEND 18.0 /* its middle */
#define TOP    56.0
#define GAP    64.0 /* for the labels of times, and the next title */
#define TICKS  6    /* at most, besides the first */
#define SHADES 6

static const char style[] =
    "<style>text{font:11px sans-serif;fill:#333}.title{font-weight:bold}.paper{fill:#fff}\n"
    ".frame,.grid{fill:none;stroke:#bbb}.grid{stroke:#e8e8e8}line{stroke-width:1.6}\n"
    ".again{stroke:#e00000;stroke-width:4}.sack{stroke:#8e44ad;stroke-width:1.2;stroke-dasharray:2 2}\n"
    ".ack{fill:none;stroke:#777}.f0{stroke:#0072b2}.f1{stroke:#d55e00}.f2{stroke:#009e73}\n"
    ".f3{stroke:#c0608f}.f4{stroke:#b8860b}.f5{stroke:#3a9bd9}\n"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.paper{fill:#181818}.frame{stroke:#666}\n"
    ".grid{stroke:#303030}.again{stroke:#ff5a5a}.sack{stroke:#c58be0}.ack{stroke:#aaa}.f0{stroke:#3d9fe0}}\n"
    "</style>\n";

/* What one panel shows. */
struct panel {
    const struct chart *chart;
    const struct space *space;
    FILE *out;
    int flow;  /* -1: the data level */
    bool sent; /* the direction */
    double top;
    unsigned rows; /* under it: one for each subflow, or none */
};

/* Beyond 26 the small ones. */
static char letter(unsigned flow)
{
    return (char)(flow < 26 ? 'A' + flow : 'a' + flow - 26);
}

/* Its upper edge. */
static double row_of(const struct panel *p, unsigned row)
{
    return p->top + PANEL + (p->rows > 0 ? APART : 0) + row * ROW;
}

static double bottom_of(const struct panel *p)
{
    return row_of(p, p->rows);
}

static double x_of(const struct panel *p, braid_time at)
{
    double span = (double)(p->chart->ends - p->chart->begins);
    return LEFT + (RIGHT - LEFT) * (span > 0 ? (double)(at - p->chart->begins) / span : 0);
}

/* What is beyond all that was sent, as the acknowledgement of a FIN may be, is drawn at the edge. */
static double y_of(const struct panel *p, int64_t number)
{
    const struct space *s = p->space;
    int64_t in = number < s->lowest ? s->lowest : number > s->highest ? s->highest : number;
    double span = (double)(s->highest - s->lowest);
    return p->top + PANEL - PANEL * (span > 0 ? (double)(in - s->lowest) / span : 0);
}

static void draw_line(FILE *out, const char *class, double x1, double y1, double x2, double y2)
{
    fprintf(out, "<line class=\"%s\" x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\"/>\n", class, x1, y1, x2,
            y2);
}

static void draw_mark(FILE *out, enum mark mark, unsigned flow, double x, double from, double to)
{
    const char *const classes[MARK_MARKS] = {(const char[]){'f', (char)('0' + flow % SHADES), 0}, "again",
                                             "ack", "sack"};
    if (mark == MARK_ACK)
        fprintf(out, "<circle class=\"ack\" cx=\"%.2f\" cy=\"%.2f\" r=\"2\"/>\n", x, from);
    else
        draw_line(out, classes[mark], x, from, x, from - to < 1.5 ? from - 1.5 : to);
}

/* ---- axes ---- */

/* 1, 2 or 5, and zeros: no more than TICKS of them. */
static int64_t step_of(int64_t span)
{
    static const int64_t firsts[] = {1, 2, 5};
    for (int64_t zeros = 1; zeros < INT64_MAX / 100; zeros *= 10)
        for (unsigned i = 0; i < 3; i++)
            if (span / (firsts[i] * zeros) <= TICKS)
                return firsts[i] * zeros;
    return INT64_MAX;
}

static void draw_numbers(const struct panel *p)
{
    int64_t span = p->space->highest - p->space->lowest, step = step_of(span);
    fprintf(p->out, "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">bytes</text>\n", LEFT - 6, p->top - 12);
    for (int64_t number = 0; number <= span; number += step) {
        double y = y_of(p, p->space->lowest + number);
        draw_line(p->out, "grid", LEFT, y, RIGHT, y);
        fprintf(p->out, "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%" PRId64 "</text>\n", LEFT - 6,
                y + 4, number);
    }
}

/* Seconds, with the places that the steps have. */
static void draw_times(const struct panel *p)
{
    int64_t span = p->chart->ends - p->chart->begins, step = step_of(span);
    int places = 0;
    for (int64_t s = step; s < BRAID_SECOND && places < 6; s *= 10)
        places++;
    for (int64_t at = 0; at <= span; at += step) {
        double x = x_of(p, p->chart->begins + at);
        draw_line(p->out, "grid", x, p->top, x, bottom_of(p));
        fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.*f s</text>\n", x,
                bottom_of(p) + 16, places, (double)at / BRAID_SECOND);
    }
}

static void draw_frame(const struct panel *p, const char *title)
{
    fprintf(p->out, "<text x=\"%.0f\" y=\"%.1f\" class=\"title\">%s</text>\n", LEFT, p->top - 12, title);
    draw_numbers(p);
    draw_times(p);
    fprintf(p->out, "<rect class=\"frame\" x=\"%.0f\" y=\"%.1f\" width=\"%.0f\" height=\"%.0f\"/>\n", LEFT,
            p->top, RIGHT - LEFT, PANEL);
    for (unsigned i = 0; i < p->rows; i++)
        fprintf(p->out, "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%c</text>\n", LEFT - 6,
                row_of(p, i) + ROW - 2, letter(i));
}

/* ---- panels ---- */

static bool belongs(const struct panel *p, const struct point *at)
{
    return at->out == p->sent && at->data_level == (p->flow < 0) && (p->flow < 0 || at->flow == p->flow);
}

static void draw_point(const struct panel *p, const struct point *at)
{
    double x = x_of(p, at->at), row = row_of(p, at->flow);
    draw_mark(p->out, at->mark, at->flow, x, y_of(p, at->from), y_of(p, at->to));
    if (p->rows > 0 && (at->mark == MARK_DATA || at->mark == MARK_AGAIN))
        draw_mark(p->out, at->mark, at->flow, x, row + ROW - 2, row + 2);
}

static void draw_panel(const struct panel *p, const char *title)
{
    draw_frame(p, title);
    for (size_t i = 0; i < p->chart->n; i++)
        if (belongs(p, &p->chart->points[i]))
            draw_point(p, &p->chart->points[i]);
}

/* Where the next one begins. */
static double draw_data(const struct chart *c, FILE *out, bool sent)
{
    struct panel p = {.chart = c,
                      .space = &c->data[sent],
                      .out = out,
                      .flow = -1,
                      .sent = sent,
                      .top = TOP,
                      .rows = c->n_flows};
    draw_panel(&p, sent ? "data level, sent; below: by which subflow"
                        : "data level, received; below: by which subflow");
    return bottom_of(&p) + GAP;
}

static void draw_flow(const struct chart *c, FILE *out, unsigned flow, bool sent, double top)
{
    const struct flow *f = &c->flows[flow];
    char local[ADDR_TEXT], remote[ADDR_TEXT], title[3 * ADDR_TEXT];
    struct panel p = {
        .chart = c, .space = &f->subflow[sent], .out = out, .flow = (int)flow, .sent = sent, .top = top};
    snprintf(title, sizeof(title), "subflow %c: %s %s %s", letter(flow), addr_text(&f->local, local),
             sent ? "to" : "from", addr_text(&f->remote, remote));
    draw_panel(&p, title);
}

/* What came may be below the highest since it came late, or since it had come before. */
static void draw_legend(FILE *out, bool sent)
{
    const char *const texts[MARK_MARKS] = {"payload, in its subflow's colour",
                                           sent ? "sent again" : "again, or late", "acknowledged",
                                           "acknowledged selectively"};
    for (unsigned i = 0; i < MARK_MARKS; i++) {
        double x = LEFT + 4 + 230.0 * i, to = LEGEND - (i == MARK_ACK ? 0 : 7);
        draw_mark(out, (enum mark)i, 0, x, i == MARK_ACK ? LEGEND : LEGEND + 7, to);
        fprintf(out, "<text x=\"%.0f\" y=\"%.0f\">%s</text>\n", x + 10, LEGEND + 4, texts[i]);
    }
}

int chart_write(const struct chart *c, FILE *out)
{
    bool sent = c->payload[1] >= c->payload[0];
    double step = PANEL + GAP, height = TOP + APART + ROW * c->n_flows + step * (c->n_flows + 1);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\">\n%s"
            "<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n",
            WIDTH, height, style);
    draw_legend(out, sent);
    double top = draw_data(c, out, sent);
    for (unsigned i = 0; i < c->n_flows; i++)
        draw_flow(c, out, i, sent, top + step * i);
    fputs("</svg>\n", out);
    return c->failed || ferror(out) ? -1 : 0;
}
