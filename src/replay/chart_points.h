/* What a chart has gathered, for who draws it (chart_svg.c): points in sequence spaces. */
#ifndef BRAID_REPLAY_CHART_POINTS_H
#define BRAID_REPLAY_CHART_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <braid/types.h>

#define CHART_FLOWS_MOST 32

enum mark { MARK_DATA, MARK_AGAIN, MARK_ACK, MARK_SACK, MARK_MARKS };

/* From one sequence number to another, at a time; of an ACK both are the same. */
struct point {
    braid_time at;
    int64_t from, to;
    uint8_t flow, mark;
    bool out, data_level;
};

/* A sequence space of one direction: numbers count from the first that was seen. What was sent reaches from
 * the lowest to the highest: a recording may begin with something that is sent again. */
struct space {
    bool begun;
    uint32_t first;
    int64_t lowest, highest;
};

struct flow {
    struct braid_addr local, remote;
    struct space subflow[2]; /* by direction: 1 is ours */
};

struct chart {
    braid_time begins, ends;
    struct point *points;
    size_t n, cap;
    struct flow flows[CHART_FLOWS_MOST];
    unsigned n_flows;
    struct space data[2];
    uint64_t payload[2];
    bool failed;
};

#endif
