/* What can be seen of a running core: counters, and a copy of each connection's and subflow's state. */
#ifndef BRAID_STATS_H
#define BRAID_STATS_H

#include <braid/types.h>

struct braid_conn;

/* Counters of one core, named as nstat names them. X(identifier, name, help) */
#define BRAID_COUNTERS(X)                                                                                    \
    X(TCP_ACTIVE_OPENS, "TcpActiveOpens", "subflows opened by us")                                           \
    X(TCP_PASSIVE_OPENS, "TcpPassiveOpens", "subflows opened by peers")                                      \
    X(TCP_ATTEMPT_FAILS, "TcpAttemptFails", "subflows that failed before they were established")             \
    X(TCP_ESTAB_RESETS, "TcpEstabResets", "established subflows ended by a RST")                             \
    X(TCP_IN_SEGS, "TcpInSegs", "segments received, super-packets counted by their segments")                \
    X(TCP_OUT_SEGS, "TcpOutSegs", "segments sent, retransmissions excluded")                                 \
    X(TCP_RETRANS_SEGS, "TcpRetransSegs", "segments retransmitted")                                          \
    X(TCP_IN_ERRS, "TcpInErrs", "packets dropped as malformed")                                              \
    X(TCP_IN_CSUM_ERRORS, "TcpInCsumErrors", "packets dropped for a wrong checksum")                         \
    X(TCP_OUT_RSTS, "TcpOutRsts", "RST segments sent")                                                       \
    X(TCP_TIMEOUTS, "TcpExtTCPTimeouts", "retransmission timeouts")                                          \
    X(TCP_LOSS_PROBES, "TcpExtTCPLossProbes", "tail loss probes sent")                                       \
    X(TCP_SACK_RECOVERY, "TcpExtTCPSackRecovery", "fast recoveries begun")                                   \
    X(TCP_MTUP_SUCCESS, "TcpExtTCPMTUPSuccess", "probes of a larger path MTU that arrived")                  \
    X(TCP_MTUP_FAIL, "TcpExtTCPMTUPFail", "probes of a larger path MTU that were lost")                      \
    X(TCP_MTU_LOWERED, "BraidMtuLowered",                                                                    \
      "times that packets became smaller since none of their size arrived")                                  \
    X(TCP_LOST_RETRANSMIT, "TcpExtTCPLostRetransmit", "retransmissions lost again")                          \
    X(TCP_SPURIOUS_RTOS, "TcpExtTCPSpuriousRTOs", "retransmission timeouts found spurious")                  \
    X(TCP_DSACK_UNDO, "TcpExtTCPDSACKUndo", "recoveries undone because of DSACK")                            \
    X(TCP_DSACK_SENT, "TcpExtTCPDSACKOldSent", "DSACK blocks sent")                                          \
    X(TCP_DSACK_RECV, "TcpExtTCPDSACKRecv", "DSACK blocks received")                                         \
    X(TCP_OFO_QUEUE, "TcpExtTCPOFOQueue", "segments queued out of order within a subflow")                   \
    X(TCP_OFO_DROP, "TcpExtTCPOFODrop", "out-of-order segments dropped for lack of memory")                  \
    X(TCP_DELAYED_ACKS, "TcpExtDelayedACKs", "delayed ACKs sent")                                            \
    X(TCP_CHALLENGE_ACK, "TcpExtTCPChallengeACK", "challenge ACKs sent (RFC 5961)")                          \
    X(TCP_ACK_SKIPPED_CHALLENGE, "TcpExtTCPACKSkippedChallenge",                                             \
      "challenge ACKs withheld by the rate limit")                                                           \
    X(TCP_PAWS_ESTAB, "TcpExtPAWSEstab", "segments dropped by PAWS (RFC 7323)")                              \
    X(TCP_KEEPALIVE, "TcpExtTCPKeepAlive", "keepalive probes sent")                                          \
    X(TCP_WIN_PROBE, "TcpExtTCPWinProbe", "zero-window probes sent")                                         \
    X(TCP_ABORT_ON_TIMEOUT, "TcpExtTCPAbortOnTimeout", "subflows given up after retransmissions or probes")  \
    X(TCP_COOKIES_SENT, "TcpExtSyncookiesSent", "SYNs answered without keeping state")                       \
    X(TCP_COOKIES_RECV, "TcpExtSyncookiesRecv", "connections made of an ACK with a right SYN cookie")        \
    X(TCP_COOKIES_FAILED, "TcpExtSyncookiesFailed", "ACKs without a right SYN cookie while some were out")   \
    X(TCP_TIME_WAIT, "TcpExtTW", "subflows that went through TIME_WAIT")                                     \
    X(IP_REASM_REQDS, "IpReasmReqds", "fragments of TCP packets received")                                   \
    X(IP_REASM_OKS, "IpReasmOKs", "packets put together from fragments")                                     \
    X(IP_REASM_FAILS, "IpReasmFails", "packets given up: fragments missing, overlapping or too many")        \
    X(IP_FRAG_CREATES, "IpFragCreates", "fragments sent, of packets that came in fragments and go on")       \
    X(ICMP_IN_MSGS, "IcmpInMsgs", "ICMP errors received about our packets")                                  \
    X(ICMP_IN_ECHOS, "IcmpInEchos", "ICMP echo requests received for addresses of our own")                  \
    X(ICMP_OUT_ECHO_REPS, "IcmpOutEchoReps", "ICMP echo replies sent")                                       \
    X(ICMP_OUT_UNREACH, "IcmpOutDestUnreachs", "ICMP unreachable messages sent")                             \
    X(ICMP_LIMITED, "BraidIcmpLimited", "ICMP echo replies and errors withheld by the rate limit")           \
    X(MP_CAPABLE_SYN_RX, "MPTcpExtMPCapableSYNRX", "SYNs with MP_CAPABLE received")                          \
    X(MP_CAPABLE_SYN_TX, "MPTcpExtMPCapableSYNTX", "SYNs with MP_CAPABLE sent")                              \
    X(MP_CAPABLE_SYN_DROP, "MPTcpExtMPCapableSYNTXDrop",                                                     \
      "connections that went on as plain TCP, since SYNs with MP_CAPABLE were not answered")                 \
    X(MP_CAPABLE_SYNACK_RX, "MPTcpExtMPCapableSYNACKRX", "SYN/ACKs with MP_CAPABLE received")                \
    X(MP_CAPABLE_ACK_RX, "MPTcpExtMPCapableACKRX", "third ACKs with MP_CAPABLE received")                    \
    X(MP_CAPABLE_FALLBACK_ACK, "MPTcpExtMPCapableFallbackACK", "fallbacks: no MP_CAPABLE in the third ACK")  \
    X(MP_CAPABLE_FALLBACK_SYNACK, "MPTcpExtMPCapableFallbackSYNACK",                                         \
      "fallbacks: no MP_CAPABLE in a SYN/ACK")                                                               \
    X(MP_FALLBACK_TOKEN_INIT, "MPTcpExtMPFallbackTokenInit", "fallbacks: no key with a free token found")    \
    X(MP_RETRANS, "MPTcpExtMPTCPRetrans", "data-level retransmissions and reinjections")                     \
    X(MP_REINJECT_SILENT, "BraidReinjectSilent", "mappings sent again elsewhere: their path was silent")     \
    X(MP_REINJECT_HEAD, "BraidReinjectHead", "mappings sent again elsewhere: they held up the connection")   \
    X(MP_REINJECT_TAIL, "BraidReinjectTail", "mappings sent again elsewhere: the last, on a slow path")      \
    X(MP_REINJECT_BYTES, "BraidReinjectBytes", "bytes sent again on another subflow")                        \
    X(MP_COPIED_BYTES, "BraidCopiedBytes", "bytes sent on another subflow as well by scheduler redundant")   \
    X(MP_PENALTIES, "BraidPenalties", "windows cut because their subflow held up the connection")            \
    X(MP_SUSPECTED, "BraidSuspected", "subflows taken out of use because their path was silent")             \
    X(MP_SUSPECTED_WRONGLY, "BraidSuspectedWrongly", "of them, those whose ACKs were only late")             \
    X(MP_PATH_PROBES, "BraidPathProbes", "probes sent on silent paths")                                      \
    X(MP_ASIDE, "BraidPathsAside", "subflows that peers were asked to spare: they held up what came")        \
    X(MP_JOIN_NO_TOKEN, "MPTcpExtMPJoinNoTokenFound", "MP_JOIN SYNs with an unknown token")                  \
    X(MP_JOIN_SYN_RX, "MPTcpExtMPJoinSynRx", "MP_JOIN SYNs received")                                        \
    X(MP_JOIN_SYN_BACKUP_RX, "MPTcpExtMPJoinSynBackupRx", "MP_JOIN SYNs with the backup flag received")      \
    X(MP_JOIN_SYN_TX, "MPTcpExtMPJoinSynTx", "MP_JOIN SYNs sent")                                            \
    X(MP_JOIN_SYNACK_RX, "MPTcpExtMPJoinSynAckRx", "MP_JOIN SYN/ACKs received")                              \
    X(MP_JOIN_SYNACK_HMAC, "MPTcpExtMPJoinSynAckHMacFailure", "MP_JOIN SYN/ACKs with a bad HMAC")            \
    X(MP_JOIN_ACK_RX, "MPTcpExtMPJoinAckRx", "MP_JOIN third ACKs received")                                  \
    X(MP_JOIN_ACK_HMAC, "MPTcpExtMPJoinAckHMacFailure", "MP_JOIN third ACKs with a bad HMAC")                \
    X(MP_JOIN_REJECTED, "MPTcpExtMPJoinRejected", "MP_JOINs refused: limit reached or connection not ready") \
    X(MP_JOIN_LIMITED, "BraidJoinLimited", "MP_JOIN SYNs to a connection dropped by its limits")             \
    X(MP_JOIN_UNANSWERED, "BraidJoinUnanswered", "MP_JOIN SYNs not refused either: too many of a network")   \
    X(OVERTAKING, "BraidOvertaking", "data of no connection dropped: its third ACK may come (SYN cookies)")  \
    X(MP_JOIN_GAVE_WAY, "BraidJoinGaveWay", "joins without a third ACK given up for a newer one")            \
    X(MP_SILENT_GAVE_WAY, "BraidSilentGaveWay", "silent subflows ended to make way for a join")              \
    X(MP_ANNOUNCED_LIMITED, "BraidAnnouncedLimited", "subflows to announced addresses put off by a limit")   \
    X(MP_JOIN_HANDED_OVER, "BraidJoinHandedOver", "MP_JOIN SYNs handed to another worker by their token")    \
    X(PACKETS_HANDED_OVER, "BraidPacketsHandedOver", "packets passed on to another worker")                  \
    X(PASSED_BACK, "BraidPassedBack", "packets sent on to their destination, as no connection of ours")      \
    X(MP_DSS_NOT_MATCHING, "MPTcpExtDSSNotMatching", "mappings that contradict an earlier one")              \
    X(MP_DSS_NO_MATCH_TCP, "MPTcpExtDSSNoMatchTCP", "data that no mapping covers")                           \
    X(MP_DSS_FALLBACK, "MPTcpExtDssFallback", "fallbacks: no DSS where one was needed")                      \
    X(MP_INFINITE_MAP_TX, "MPTcpExtInfiniteMapTx", "infinite mappings sent")                                 \
    X(MP_INFINITE_MAP_RX, "MPTcpExtInfiniteMapRx", "infinite mappings received")                             \
    X(MP_DATA_CSUM_ERR, "MPTcpExtDataCsumErr", "mappings with a wrong DSS checksum")                         \
    X(MP_OFO_QUEUE, "MPTcpExtOFOQueue", "data queued out of order at the connection level")                  \
    X(MP_DUPLICATE_DATA, "MPTcpExtDuplicateData", "data received twice at the connection level")             \
    X(MP_ADD_ADDR_RX, "MPTcpExtAddAddr", "ADD_ADDR received")                                                \
    X(MP_ADD_ADDR_TX, "MPTcpExtAddAddrTx", "ADD_ADDR sent, repetitions included")                            \
    X(MP_ADD_ADDR_HMAC, "BraidAddAddrHMacFailure",                                                           \
      "ADD_ADDR with a bad HMAC, or of version 0 without one, ignored")                                      \
    X(MP_ECHO_ADD_RX, "MPTcpExtEchoAdd", "ADD_ADDR echoes received")                                         \
    X(MP_ECHO_ADD_TX, "MPTcpExtEchoAddTx", "ADD_ADDR echoes sent")                                           \
    X(MP_RM_ADDR_RX, "MPTcpExtRmAddr", "REMOVE_ADDR received")                                               \
    X(MP_RM_ADDR_TX, "MPTcpExtRmAddrTx", "REMOVE_ADDR sent")                                                 \
    X(MP_RM_SUBFLOW, "MPTcpExtRmSubflow", "subflows closed because their address was removed")               \
    X(MP_PRIO_RX, "MPTcpExtMPPrioRx", "MP_PRIO received")                                                    \
    X(MP_PRIO_TX, "MPTcpExtMPPrioTx", "MP_PRIO sent")                                                        \
    X(MP_FAIL_RX, "MPTcpExtMPFailRx", "MP_FAIL received")                                                    \
    X(MP_FAIL_TX, "MPTcpExtMPFailTx", "MP_FAIL sent")                                                        \
    X(MP_FASTCLOSE_RX, "MPTcpExtMPFastcloseRx", "MP_FASTCLOSE received")                                     \
    X(MP_FASTCLOSE_TX, "MPTcpExtMPFastcloseTx", "MP_FASTCLOSE sent")                                         \
    X(MP_RST_RX, "MPTcpExtMPRstRx", "MP_TCPRST received")                                                    \
    X(MP_RST_TX, "MPTcpExtMPRstTx", "MP_TCPRST sent")                                                        \
    X(MP_MALFORMED, "BraidMPTCPMalformed", "MPTCP options ignored as malformed")                             \
    X(MP_SUBFLOW_STALE, "MPTcpExtSubflowStale", "subflows taken out of use after a timeout")                 \
    X(MP_SUBFLOW_RECOVER, "MPTcpExtSubflowRecover", "stale subflows back in use")                            \
    X(ORPHANS, "BraidOrphans", "subflows of an earlier process that had to be ended")                        \
    X(MP_STALLED, "BraidStalled", "connections ended because the peer left data unacknowledged")             \
    X(MP_UNREAD, "BraidUnread", "connections ended because the user left data unread")                       \
    X(MEM_RECLAIMED, "BraidMemoryReclaimed", "connections that stood still ended for their memory")          \
    X(MEM_DROPPED, "BraidMemoryDropped", "segments dropped: unread data has taken the memory")               \
    X(MP_CONN_TIMEOUT, "BraidBreakBeforeMakeTimeout", "connections ended after all subflows were gone")      \
    X(MP_FATE_SHARED, "BraidFateShared", "connections ended with their first subflow (fate_sharing)")        \
    X(RESUMED, "BraidResumed", "times that this end stood still, as a suspended machine does")               \
    X(MEM_REFUSED, "BraidMemoryRefused", "connections or data refused for lack of memory")

enum braid_counter {
#define X(id, name, help) COUNT_##id,
    BRAID_COUNTERS(X)
#undef X
        COUNT_MAX
};

struct braid_counters {
    uint64_t v[COUNT_MAX];
};

/* Name and help text of a counter (not COUNT_MAX); static strings. */
const char *braid_counter_name(enum braid_counter c);
const char *braid_counter_help(enum braid_counter c);

#define BRAID_STATS_SUBFLOWS 16

/* Samples of the round trip by their length: samples[i] are those above the bound before, up to
 * braid_rtt_bounds[i]; the last are those above all bounds. */
#define BRAID_RTT_BOUNDS 12
extern const int64_t braid_rtt_bounds[BRAID_RTT_BOUNDS]; /* microseconds, ascending */
struct braid_rtt_histogram {
    uint64_t samples[BRAID_RTT_BOUNDS + 1];
    uint64_t sum_us;
};

/* What the subflows of a path rule did in one core, ended ones included (braid_core_path_stats). */
struct braid_path_stats {
    uint64_t subflows;            /* now */
    uint64_t bytes_in, bytes_out; /* of payload, in order and sent for the first time */
    uint64_t segments_sent;       /* with payload, each once */
    uint64_t segments_again;      /* sent again */
    struct braid_rtt_histogram rtt;
};

/* How far a connection is. The names are those of RFC 9293 section 3.3.2, of the data level: a DATA_FIN
 * counts, not the FINs of subflows (RFC 8684 section 3.3.3); for plain TCP both are the same. */
enum braid_conn_state {
    BRAID_CONN_PENDING,      /* a SYN came in, and the user has not answered it (braid_conn_accept) */
    BRAID_CONN_SYN_SENT,     /* we opened it, and the peer has not answered */
    BRAID_CONN_SYN_RECEIVED, /* the third ACK is missing; or our SYN has met the peer's (simultaneous open) */
    BRAID_CONN_ESTABLISHED,  /* both directions are open */
    BRAID_CONN_NO_SUBFLOW,   /* established, whatever has ended: all subflows are gone, it waits for a new one
                              */
    BRAID_CONN_FIN_WAIT,     /* the user has shut down, the peer has not */
    BRAID_CONN_CLOSE_WAIT,   /* the peer's data has ended, the user has not shut down */
    BRAID_CONN_LAST_ACK,     /* both have; something is not acknowledged yet */
    BRAID_CONN_CLOSING       /* both directions are done or it has failed: subflows are being closed */
};
/* "SYN_SENT"; a static string. */
const char *braid_conn_state_text(enum braid_conn_state state);

struct braid_subflow_stats {
    uint32_t id; /* within the connection, counted from the initial one's 0 */
    struct braid_addr local, remote;
    const char
        *state; /* RFC 9293 name, a static string: "SYN-SENT" if we opened it, "SYN-RECEIVED" if they did */
    const char *congestion; /* static string */
    bool backup;            /* one of both ends has asked to spare it */
    bool stale;             /* silent or in RTO backoff: not used for new data */
    int path_rule;          /* the place in the core's params of the rule that it matched; -1: none */
    uint32_t cost, weight;
    bool over_quota;
    int64_t srtt_us, rttvar_us, min_rtt_us, rto_us;
    uint64_t cwnd, ssthresh, in_flight; /* bytes; ssthresh UINT64_MAX: not set */
    uint64_t bytes_in, bytes_out;       /* payload, without retransmissions */
    uint64_t retransmits;               /* segments */
    uint64_t pacing_rate;               /* bytes per second */
    uint32_t mss;
};

struct braid_conn_brief {
    const struct braid_conn *conn; /* as in struct braid_conn_stats, as all of these */
    const char *listener;
    bool mptcp;
    unsigned n_subflows;
    size_t memory;
};

struct braid_conn_stats {
    uint64_t id;
    const struct braid_conn *conn; /* for the core's own thread, until the next packet or flush */
    const char *listener;          /* the name of the one that it came in by, which owns it: whoever crosses
                                    * threads copies it; NULL: we opened the connection */
    bool mptcp;                    /* false: plain TCP, or fallen back */
    bool fell_back;                /* began as MPTCP */
    uint8_t version;               /* of MPTCP, 0 or 1, if either is so */
    bool checksum;
    bool fate_sharing; /* BRAID_OPT_FATE_SHARING */
    enum braid_conn_state state;
    const char *scheduler, *congestion; /* static strings; congestion: of new subflows, too */
    const char *path_manager;           /* static string */
    struct braid_addr local, remote;    /* the first subflow's ends, ours and the peer's */
    uint32_t token;
    uint64_t bytes_in, bytes_out; /* in order at the data level; acknowledged by the peer at that level */
    uint64_t recv_queued, send_queued, out_of_order; /* bytes held */
    size_t memory;                                   /* bytes of buffers charged */
    braid_time opened_at;
    /* When something last came over any of its subflows, or payload was last sent; never before opened_at. */
    braid_time active_at;
    unsigned n_subflows;
    struct braid_subflow_stats subflows[BRAID_STATS_SUBFLOWS];
};

/* What else Linux tells of a TCP connection and of an MPTCP one (TCP_INFO, MPTCP_INFO), in its terms. */
enum braid_linux_state { /* of TCP */
                         BRAID_LINUX_ESTABLISHED = 1,
                         BRAID_LINUX_SYN_SENT,
                         BRAID_LINUX_SYN_RECV,
                         BRAID_LINUX_FIN_WAIT1,
                         BRAID_LINUX_FIN_WAIT2,
                         BRAID_LINUX_TIME_WAIT,
                         BRAID_LINUX_CLOSE,
                         BRAID_LINUX_CLOSE_WAIT,
                         BRAID_LINUX_LAST_ACK,
                         BRAID_LINUX_LISTEN,
                         BRAID_LINUX_CLOSING
};
enum braid_linux_ca { /* of congestion control; CWR, 2, has no counterpart */
                      BRAID_LINUX_CA_OPEN,
                      BRAID_LINUX_CA_DISORDER,
                      BRAID_LINUX_CA_RECOVERY = 3,
                      BRAID_LINUX_CA_LOSS
};

struct braid_subflow_details {
    uint32_t id;                     /* these as in struct braid_subflow_stats */
    struct braid_addr local, remote; /* ... */
    enum braid_linux_state state;
    enum braid_linux_ca ca_state;
    bool timestamps, sack, scaled; /* options that both SYNs had */
    uint8_t snd_wscale, rcv_wscale;
    uint8_t backoff;                /* retransmission timeouts in a row */
    uint32_t probes;                /* of a closed window, in a row */
    uint32_t mss, rcv_mss;          /* bytes of a full segment: ours, and the peer's as estimated */
    uint32_t pmtu;                  /* bytes */
    uint64_t unacked, sacked, lost; /* bytes in flight; of these, acknowledged selectively; taken for lost */
    uint64_t cwnd, ssthresh;        /* bytes; ssthresh UINT64_MAX: not set */
    uint32_t snd_wnd;               /* what the peer has offered last, bytes */
    int64_t rto_us, rtt_us, rttvar_us, min_rtt_us;
    int64_t rcv_rtt_us;                  /* the round trip as the receiver of data sees it; 0: no sample */
    uint64_t pacing_rate;                /* bytes per second; 0: not paced */
    uint32_t retransmits, data_segments; /* segments: sent again; with payload, sent in all */
    /* Payload: sent, each byte once; acknowledged by TCP; received in order. */
    uint64_t bytes_sent, bytes_acked, bytes_received;
    /* When payload, or a SYN or FIN, was last sent, and when something last came. */
    braid_time sent_at, heard_at;
};

/* Data sequence numbers are those on the wire (RFC 8684 section 3.3). */
struct braid_conn_details {
    bool remote_key; /* the peer's key is known */
    bool checksum;
    uint32_t token;                       /* ours */
    uint64_t write_seq, snd_una, rcv_nxt; /* of the next byte to be written, to be acknowledged, to come */
    uint64_t bytes_sent, bytes_acked, bytes_received; /* of the stream, each byte once */
    uint32_t retransmits;                             /* data-level timeouts in a row */
    unsigned max_subflows;
    /* Addresses: of ours, announced, that may be announced, in use by subflows that we have opened, and that
     * they may be opened from; of the peer's, announced, and that may be. The first subflow's are in none. */
    unsigned announced, max_announced, local_used, max_local, accepted, max_accepted;
    unsigned n_subflows;
    struct braid_subflow_details subflows[BRAID_STATS_SUBFLOWS];
};

#endif
