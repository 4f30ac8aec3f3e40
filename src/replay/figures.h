/* The figures by which it is told what has come of a connection that is played afresh (afresh.h). */
#ifndef BRAID_REPLAY_FIGURES_H
#define BRAID_REPLAY_FIGURES_H

/* X(identifier, name, relation, help, slack): "=" a figure has to be the same, "<=" it may be less; slack: so
 * much more than what was seen is as good. */
#define AFRESH_FIGURES(X)                                                                                    \
    X(READ, "read", "=", "bytes that came, in order, at the data level", 0)                                  \
    X(WRITTEN, "written", "=", "bytes that the user wrote", 0)                                               \
    X(ACKNOWLEDGED, "acknowledged", "=", "of them, those that the peer acknowledged at that level", 0)       \
    X(SUBFLOWS, "subflows", "=", "subflows that have sent something", 0)                                     \
    X(PACKETS, "packets", "<=", "packets sent", 4)                                                           \
    X(RETRANSMITTED, "retransmitted", "<=", "segments sent again", 0)                                        \
    X(TIMEOUTS, "timeouts", "<=", "retransmission timeouts", 0)                                              \
    X(REINJECTED, "reinjected", "<=", "bytes sent again on another subflow", 0)                              \
    X(SUSPECTED, "suspected", "<=", "times that a subflow was taken for silent", 0)                          \
    X(STALL, "stall", "<=", "the longest that nothing moved while something was due, ms", 20)                \
    X(LAST, "last", "<=", "when the last byte had come or was acknowledged, ms", 50)                         \
    X(UNANSWERED, "unanswered", "<=", "packets of the peer to what was never sent", 0)

enum afresh_figure {
#define X(id, ...) AFRESH_##id,
    AFRESH_FIGURES(X)
#undef X
        AFRESH_MAX
};

#endif
