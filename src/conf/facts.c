/* See facts.h. */
#include "conf/facts.h"
#include <stddef.h>
#include <string.h>

#define ALWAYS(section, key, ...)                                                                            \
    {                                                                                                        \
        section, key, true, false, __VA_ARGS__                                                               \
    } /* until a restart */
#define CHANGES(section, key, ...)                                                                           \
    {                                                                                                        \
        section, key, false, false, __VA_ARGS__                                                              \
    } /* with a reload */
#define SECRET(section, key)                                                                                 \
    {                                                                                                        \
        section, key, false, true, NULL, NULL                                                                \
    }

/* What edges and CPEs have alike. */
#define RELAY(section)                                                                                       \
    CHANGES(section, "profile", "bulk", NULL),                                                               \
        CHANGES(section, "profiles", NULL, "those of profile for all ports"),                                \
        CHANGES(section, "scheduler", NULL, "that of the profile"),                                          \
        CHANGES(section, "congestion", NULL, "that of the profile")

/* clang-format off */
const struct conf_fact conf_facts[] = {
    ALWAYS("daemon", "workers", "0", NULL), /* queues of the TUN, and tokens that tell the worker */
    ALWAYS("daemon", "poll", "0", NULL),
    CHANGES("daemon", "instance", NULL, "tokens do not tell the machine"),
    ALWAYS("daemon", "control", "/run/braid/control.sock", NULL), /* by which a reload may be under way */
    ALWAYS("daemon", "state", NULL, "beside the control socket, with .state behind its name"),
    ALWAYS("daemon", "state_dir", NULL, "systemd's STATE_DIRECTORY, else none"),
    CHANGES("daemon", "log_level", "info", NULL),
    CHANGES("daemon", "log_format", "text", NULL),
    CHANGES("daemon", "log_connections", "off", NULL),
    ALWAYS("daemon", "app_socket", NULL, "app.sock beside the control socket"),
    ALWAYS("daemon", "app_mode", "666", NULL),
    ALWAYS("daemon", "app_group", NULL, "that of the daemon"),
    ALWAYS("daemon", "user", NULL, "whoever has started it"),
    ALWAYS("daemon", "group", NULL, "that of the user"),
    ALWAYS("daemon", "seccomp", NULL, "refuse, where the kernel has filters"),
    ALWAYS("tun", "name", "braid0", NULL),
    ALWAYS("tun", "mtu", "1500", NULL), /* connections have told it to their peers */
    ALWAYS("tun", "local_ports", NULL, "32768-60999; 49152-61439 with [uplink] sections"),
    ALWAYS("tun", "routes", "auto", NULL),
    ALWAYS("tun", "uplinks4", "10.200.0.0/24", NULL), /* ends of connections */
    ALWAYS("tun", "uplinks6", "fd00:200::/64", NULL),
    ALWAYS("tun", "rps", NULL, "as the device has it"),
    ALWAYS("tun", "translation", "auto", NULL),
    CHANGES("admin", "listen", "127.0.0.1:9180", NULL),
    CHANGES("admin", "hostname", NULL, "addresses and localhost only"),
    CHANGES("admin", "token_file", NULL, "no token is asked for"),
    CHANGES("admin", "tls_cert", NULL, "no TLS"),
    CHANGES("admin", "tls_key", NULL, "no TLS"),
    CHANGES("admin", "tls_client_ca", NULL, "clients need no certificate"),
    CHANGES("admin", "insecure", "no", NULL),
    CHANGES("limits", "memory", "0", NULL),
    CHANGES("limits", "rcvbuf", "0", NULL),
    CHANGES("limits", "sndbuf", "0", NULL),
    CHANGES("limits", "connections", "1048576", NULL),
    CHANGES("limits", "half_open", "4096", NULL),
    CHANGES("limits", "subflows", "8", NULL),
    CHANGES("limits", "join_after", "64", NULL),
    CHANGES("limits", "joins_pending", "16", NULL),
    CHANGES("limits", "join_rate", "32", NULL),
    CHANGES("limits", "join_refusals", "200", NULL),
    CHANGES("limits", "announced_syns", "32", NULL),
    CHANGES("limits", "challenge_acks", "200", NULL),
    CHANGES("limits", "icmp_answers", "1000", NULL),
    CHANGES("limits", "out_of_order", "8192", NULL),
    CHANGES("limits", "min_mss", "128", NULL),
    CHANGES("limits", "syn_timeout", "30", NULL),
    CHANGES("limits", "break_before_make", "30", NULL),
    CHANGES("limits", "stall", "1200", NULL),
    CHANGES("limits", "unread", "1200", NULL),
    CHANGES("limits", "keepalive", "7200", NULL),
    CHANGES("limits", "time_wait", "60", NULL),
    CHANGES("limits", "unproven", "32", NULL),
    CHANGES("limits", "unproven_source", "8", NULL),
    CHANGES("path", "local", NULL, "any address"),
    CHANGES("path", "remote", NULL, "any address"),
    CHANGES("path", "cost", "0", NULL),
    CHANGES("path", "weight", "1", NULL),
    CHANGES("path", "quota", "none", NULL),
    CHANGES("uplink", "interface", NULL, NULL),
    CHANGES("uplink", "gateway", "auto", NULL),
    CHANGES("uplink", "cost", "0", NULL),
    CHANGES("uplink", "weight", "1", NULL),
    CHANGES("uplink", "quota", "none", NULL),
    CHANGES("uplink", "backup", "no", NULL),
    CHANGES("uplink", "probe", "auto", NULL),
    CHANGES("profile", "scheduler", NULL, "as it is built in, or minrtt"),
    CHANGES("profile", "congestion", NULL, "as it is built in, or hybrid"),
    CHANGES("profile", "path_manager", NULL, "signal if there is something to signal, else passive"),
    CHANGES("edge", "mode", "explicit", NULL),
    CHANGES("edge", "listen", NULL, NULL),
    CHANGES("edge", "target", NULL, NULL),
    CHANGES("edge", "balance", NULL, "least with several targets, else the addresses' order"),
    CHANGES("edge", "slow_start", "0", NULL),
    CHANGES("edge", "eject", "3", NULL),
    CHANGES("edge", "eject_time", "30", NULL),
    CHANGES("edge", "accept_proxy_protocol", NULL, "from nobody"),
    CHANGES("edge", "proxy_protocol", "off", NULL),
    CHANGES("edge", "health", "off", NULL),
    CHANGES("edge", "health_interval", "5", NULL),
    CHANGES("edge", "health_rise", "2", NULL),
    CHANGES("edge", "health_fall", "3", NULL),
    CHANGES("edge", "source", "proxy", NULL),
    CHANGES("edge", "ports", "1-65535", NULL),
    CHANGES("edge", "targets", NULL, "any, but addresses of this machine, loopback, link-local and multicast"),
    CHANGES("edge", "bypass", "600", NULL),
    CHANGES("edge", "allow", NULL, "everybody; with mode = convert nobody"),
    CHANGES("edge", "deny", NULL, "nobody"),
    CHANGES("edge", "open", "no", NULL),
    CHANGES("edge", "cookie", "off", NULL),
    SECRET("edge", "psk"),
    CHANGES("edge", "pending", "256", NULL),
    CHANGES("edge", "bare_syn", "accept", NULL),
    CHANGES("edge", "early", "no", NULL),
    CHANGES("edge", "signal", NULL, "none"),
    RELAY("edge"),
    CHANGES("edge", "path_manager", NULL, "that of the profile, or signal if there is something to signal, else passive"),
    CHANGES("edge", "checksum", "off", NULL),
    CHANGES("edge", "fate_sharing", "no", NULL),
    CHANGES("edge", "joins", "any", NULL),
    CHANGES("edge", "versions", "1", NULL),
    CHANGES("edge", "v0_addresses", "ignore", NULL),
    CHANGES("cpe", "intercept", "tun", NULL),
    CHANGES("cpe", "listen", NULL, "127.0.0.1:8684, [::1]:8684 with intercept = tproxy"),
    CHANGES("cpe", "mode", "transparent", NULL),
    CHANGES("cpe", "peer", NULL, "none"),
    CHANGES("cpe", "ports", "1-65535", NULL),
    CHANGES("cpe", "except", "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7", NULL),
    CHANGES("cpe", "plain", "fallback", NULL),
    CHANGES("cpe", "heed", "buffer, segment, class", NULL),
    CHANGES("cpe", "least_buffer", "4096", NULL),
    CHANGES("cpe", "bypass", "yes", NULL),
    CHANGES("cpe", "answer", "late", NULL),
    CHANGES("cpe", "first_bytes", "5", NULL),
    CHANGES("cpe", "cookie", "address", NULL),
    SECRET("cpe", "psk"),
    RELAY("cpe"),
    CHANGES("cpe", "path_manager", NULL, "that of the profile, or fullmesh"),
    CHANGES("cpe", "checksum", "off", NULL),
    CHANGES("cpe", "fate_sharing", "no", NULL),
    CHANGES("cpe", "versions", "1", NULL),
    CHANGES("cpe", "v0_addresses", "ignore", NULL),
    CHANGES("policy", "user", NULL, "everybody"),
    CHANGES("policy", "cgroup", NULL, "any"),
    CHANGES("policy", "program", NULL, "any"),
    CHANGES("policy", "to", NULL, "any"),
    CHANGES("policy", "ports", NULL, "any"),
    CHANGES("policy", "mptcp", "yes", NULL),
    CHANGES("policy", "profile", NULL, "that of the CPE"),
    CHANGES("policy", "uplinks", NULL, "all"),
    {NULL, NULL, false, false, NULL, NULL},
};
/* clang-format on */

const struct conf_fact *conf_fact(const char *title, const char *key)
{
    size_t len = strcspn(title, " ");
    for (const struct conf_fact *f = conf_facts; f->section; f++)
        if (strncmp(f->section, title, len) == 0 && f->section[len] == '\0' && strcmp(f->key, key) == 0)
            return f;
    return NULL;
}
