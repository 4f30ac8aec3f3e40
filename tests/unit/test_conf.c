/* The configuration file: what a good one becomes, and the one line that each bad one gives. */
#include <unistd.h>
#include "base/addr.h"
#include "conf/keys.h"
#include "conf/values.h"
#include "conf_harness.h"

static const char *ip(const struct braid_ip *a)
{
    static char text[ADDR_TEXT];
    return ip_text(a, text);
}

static const char *addr(const struct braid_addr *a)
{
    static char text[ADDR_TEXT];
    return addr_text(a, text);
}

START_TEST(the_example_of_the_issue_is_read_with_its_inline_comments)
{
    ck_assert_msg(parse("[daemon]\n"
                        "workers = 0                      ; 0: one per CPU\n"
                        "poll = 60                        ; us\n"
                        "control = /run/braid/control.sock\n"
                        "log_level = info                 ; error | warn | info | debug\n"
                        "[tun]\n"
                        "name = braid0                    ; created if absent\n"
                        "routes = auto                    ; auto: routes each listen\n"
                        "[admin]\n"
                        "listen = 127.0.0.1:9180          ; HTTP: /metrics (Prometheus), /api/v1/status\n"
                        "[edge web]                       ; any number of edges, each with a name\n"
                        "listen = 10.99.9.1:8080          ; IPv6 as [2001:db8::1]:8080\n"
                        "target = 10.99.3.2:8080          ; address or host name\n"
                        "signal = 10.99.9.2, 10.99.9.3    ; optional: addresses to announce\n"
                        "scheduler = minrtt               ; minrtt | roundrobin\n"
                        "congestion = cubic               ; cubic | lia\n"
                        "checksum = off                   ; on: require DSS checksums\n") == 0,
                  "%s", err);
    ck_assert_uint_eq(conf.daemon.workers, 0);
    ck_assert_uint_eq(conf.daemon.poll, 60);
    ck_assert_str_eq(conf.daemon.control, "/run/braid/control.sock");
    ck_assert_int_eq(conf.daemon.log_level, LOG_LEVEL_INFO);
    ck_assert_str_eq(conf.tun.name, "braid0");
    ck_assert_int_eq(conf.tun.mtu, 1500);
    ck_assert(conf.tun.routes_auto);
    ck_assert_str_eq(addr(&conf.admin.listen), "127.0.0.1:9180");
    ck_assert_uint_eq(conf.n_edges, 1);
    const struct edge_params *e = conf.edges;
    ck_assert_str_eq(e->name, "web");
    ck_assert_str_eq(addr(&e->listen[0]), "10.99.9.1:8080");
    ck_assert_str_eq(e->pool.targets[0].host, "10.99.3.2");
    ck_assert_uint_eq(e->pool.targets[0].port, 8080);
    ck_assert_uint_eq(e->n_signal, 2);
    ck_assert_str_eq(ip(&e->signal[0]), "10.99.9.2");
    ck_assert_str_eq(ip(&e->signal[1]), "10.99.9.3");
    ck_assert_str_eq(e->sched->name, "minrtt");
    ck_assert_str_eq(e->cc->name, "cubic");
    ck_assert(!e->checksum && !e->fate_sharing && !e->no_join && !e->version_0 && !e->believe_addresses);
    conf_free(&conf);
}
END_TEST

START_TEST(every_value_differs_from_its_default)
{
    ck_assert_msg(
        parse(
            "\xef\xbb\xbf# comment\r\n"
            "  [ daemon ]\r\n"
            "\tworkers=64\r\n"
            "control=/tmp/x.sock\r\n"
            "log_level\t=\tdebug\r\n"
            "[tun]\n name = tun-1.x\n mtu = 9000\n routes = none\n"
            "[admin]\nlisten = [::1]:80\n"
            "[edge  six]\n"
            "listen = [2001:db8::1]:443\n"
            "target = server-1.example.org:8443\n"
            "signal = 10.0.0.1 ,2001:db8::2\n"
            "scheduler = roundrobin\ncongestion = lia\nchecksum = on\nfate_sharing = yes\njoins = signalled\n"
            "versions = 0,1\nv0_addresses = believe\n"
            "[edge four]\nlisten = 10.0.0.1:443\ntarget = [2001:db8::9]:1") == 0,
        "%s", err);
    ck_assert_uint_eq(conf.daemon.workers, 64);
    ck_assert_str_eq(conf.daemon.control, "/tmp/x.sock");
    ck_assert_int_eq(conf.daemon.log_level, LOG_LEVEL_DEBUG);
    ck_assert_str_eq(conf.tun.name, "tun-1.x");
    ck_assert_int_eq(conf.tun.mtu, 9000);
    ck_assert(!conf.tun.routes_auto);
    ck_assert_str_eq(addr(&conf.admin.listen), "[::1]:80");
    ck_assert_uint_eq(conf.n_edges, 2);
    const struct edge_params *e = conf.edges;
    ck_assert_str_eq(e->name, "six");
    ck_assert_str_eq(addr(&e->listen[0]), "[2001:db8::1]:443");
    ck_assert_str_eq(e->pool.targets[0].host, "server-1.example.org");
    ck_assert_uint_eq(e->pool.targets[0].port, 8443);
    ck_assert_uint_eq(e->n_signal, 2);
    ck_assert_str_eq(ip(&e->signal[0]), "10.0.0.1");
    ck_assert_str_eq(ip(&e->signal[1]), "2001:db8::2");
    ck_assert_str_eq(e->sched->name, "roundrobin");
    ck_assert_str_eq(e->cc->name, "lia");
    ck_assert(e->checksum && e->fate_sharing && e->no_join && e->version_0 && e->believe_addresses);
    ck_assert_str_eq(e[1].name, "four");
    ck_assert_str_eq(e[1].pool.targets[0].host, "2001:db8::9");
    ck_assert_uint_eq(e[1].pool.targets[0].port, 1);
    conf_free(&conf);
}
END_TEST

START_TEST(transparent_edges_have_neither_listen_nor_target)
{
    ck_assert_msg(parse("[edge low]\nmode = transparent\nports = 1 - 1023\nsource = client\n"
                        "signal = 10.99.9.2, 2001:db8::2\nscheduler = roundrobin\n"
                        "[edge https]\nports = 4443\nmode = transparent\nsource = proxy\nbypass = off\n"
                        "[edge rest]\nmode = transparent\nports = 5000-65535\nbypass = 86400\n"
                        "targets = !10.0.0.5, 10.0.0.0/8 ,!  2001:db8::/32\n"
                        "[edge one]\nmode = explicit\nlisten = 10.99.9.1:80\ntarget = 10.99.3.2:80\n") == 0,
                  "%s", err);
    const struct edge_params *e = conf.edges;
    ck_assert(e[0].kind == EDGE_TRANSPARENT && e[1].kind == EDGE_TRANSPARENT &&
              e[2].kind == EDGE_TRANSPARENT && e[3].kind == EDGE_EXPLICIT);
    ck_assert(e[0].client_source && !e[1].client_source && !e[2].client_source);
    ck_assert_uint_eq(e[0].port_first, 1);
    ck_assert_uint_eq(e[0].port_last, 1023);
    ck_assert_uint_eq(e[1].port_first, 4443);
    ck_assert_uint_eq(e[1].port_last, 4443);
    ck_assert_uint_eq(e[0].n_signal, 2);
    ck_assert_str_eq(e[0].sched->name, "roundrobin");
    ck_assert_uint_eq(e[0].pool.n, 0);
    ck_assert_int_eq(e[0].bypass, 600 * BRAID_SECOND);
    ck_assert_int_eq(e[1].bypass, 0);
    ck_assert_int_eq(e[2].bypass, 86400 * BRAID_SECOND);
    ck_assert(e[2].n_reach == 3 && !e[2].reach[0].allow && e[2].reach[1].allow && !e[2].reach[2].allow);
    ck_assert(e[2].reach[0].bits == 128 && e[2].reach[1].bits == 104 && e[2].reach[2].bits == 32);
    conf_free(&conf);
    ck_assert_msg(parse("[edge transit]\nmode = transparent\n") == 0, "%s", err);
    ck_assert(!conf.edges->client_source);
    ck_assert_uint_eq(conf.edges->port_first, 1);
    ck_assert_uint_eq(conf.edges->port_last, 65535);
    conf_free(&conf);
}
END_TEST

START_TEST(what_is_left_out_has_the_documented_default)
{
    ck_assert_msg(parse(EDGE) == 0, "%s", err);
    ck_assert_uint_eq(conf.daemon.workers, 0);
    ck_assert_str_eq(conf.daemon.control, "/run/braid/control.sock");
    ck_assert_int_eq(conf.daemon.log_level, LOG_LEVEL_INFO);
    ck_assert_str_eq(conf.tun.name, "braid0");
    ck_assert_int_eq(conf.tun.mtu, 1500);
    ck_assert(conf.tun.routes_auto);
    ck_assert_str_eq(addr(&conf.admin.listen), "127.0.0.1:9180");
    ck_assert_str_eq(conf.edges->sched->name, "minrtt");
    ck_assert_str_eq(conf.edges->cc->name, "hybrid");
    ck_assert(!conf.edges->checksum);
    ck_assert_uint_eq(conf.edges->n_signal, 0);
    conf_free(&conf);
}
END_TEST

#define LIST_EDGE                                                                                            \
    "mode, listen, target, balance, slow_start, eject, eject_time, accept_proxy_protocol, "                  \
    "proxy_protocol, health, health_interval, health_rise, health_fall, source, ports, "                     \
    "targets, bypass, allow, deny, open, cookie, psk, pending, "                                             \
    "bare_syn, early, signal, profile, profiles, scheduler, congestion, path_manager, checksum, "            \
    "fate_sharing, joins, versions, v0_addresses"
#define BAD_BYPASS " is neither off nor a number of seconds from 1 to 86400; give one, such as 600"
#define BAD_TARGETS                                                                                          \
    "; give addresses and prefixes, separated by commas, and a \"!\" before those that are not "             \
    "meant, "                                                                                                \
    "such as !10.0.0.5, 10.0.0.0/8, 2001:db8::/32"
#define BAD_PORTS                                                                                            \
    " is not a range of ports; give the first and the last one, such as 1-65535, or a single port, such as " \
    "443"
#define BAD_LISTEN                                                                                           \
    " is not ADDRESS:PORT; give the address and port that clients connect to, such as 10.99.9.1:8080 or "    \
    "[2001:db8::1]:8080"
#define LOOP                                                                                                 \
    ", so that connections to it come back to Braid; give the server's own address, and another one to "     \
    "listen"
#define BAD_TARGET                                                                                           \
    "; give the server's address or host name and its port, such as 10.0.0.2:8080, [2001:db8::2]:8080 or "   \
    "server.example:8080"
#define BAD_SIGNAL                                                                                           \
    " is not an IP address; give addresses without ports, separated by commas, such as 10.99.9.2, "          \
    "2001:db8::2"
#define BAD_HEADER "this is not a section's header; write it as [daemon] or [edge web], alone in its line"
#define UNROUTABLE "; give a unicast address that can be routed to the TUN"
#define BAD_LINE   "this is neither a section nor a key; write [section], key = value, or ; comment"
#define BAD_ADMIN                                                                                            \
    " is not ADDRESS:PORT; give one of this host's addresses and a port, such as 127.0.0.1:9180 or "         \
    "[::1]:9180"
#define BAD_NAME " has no proper name; give 1 to 32 letters, digits, '-', '_' or '.', such as [edge web]"
#define BAD_IF   " is not an interface's name; give 1 to 15 letters, digits, '-', '_' or '.', such as braid0"
#define BAD_CPUS                                                                                             \
    " is neither none nor a list of CPUs below 256; give the numbers of those without a worker, such as 4-7"
#define BAD_RANGE                                                                                            \
    " is not a range of ports; give the first and the last one, from 1 to 65535, such as 32768-60999"

static const struct {
    const char *text, *error; /* error: what follows "f.ini:" */
} bad[] = {
    /* the file as such */
    {"", "1: there is no [edge NAME] section; add at least one, with its listen and target, or a [cpe NAME] "
         "section"},
    {"[daemon]\nworkers = 1\n", "2: there is no [edge NAME] section; add at least one, with its listen and "
                                "target, or a [cpe NAME] section"},
    {"\n\nworkers = 1\n" EDGE,
     "3: workers: stands before any section; put it below a header such as [daemon]"},
    {EDGE "nonsense\n", "4: " BAD_LINE},
    {EDGE "; fine\n\n= 3\n",
     "6: [edge web] : unknown key; the nearest is psk (all of this section: " LIST_EDGE ")"},
    /* sections */
    {"[deamon]\n" EDGE, "1: unknown section [deamon]; it is one of: [daemon], [tun], [admin], [limits], "
                        "[path NAME], [uplink NAME], [profile NAME], [edge NAME], [cpe NAME], [policy NAME]"},
    {EDGE "[daemon x]\n",
     "4: unknown section [daemon x]; it is one of: [daemon], [tun], [admin], [limits], "
     "[path NAME], [uplink NAME], [profile NAME], [edge NAME], [cpe NAME], [policy NAME]"},
    {"[]\n" EDGE, "1: unknown section []; it is one of: [daemon], [tun], [admin], [limits], [path NAME], "
                  "[uplink NAME], [profile NAME], [edge NAME], [cpe NAME], [policy NAME]"},
    {"[tun\n" EDGE, "1: " BAD_HEADER},
    {"[tun] x\n" EDGE, "1: " BAD_HEADER},
    {EDGE "[edge]\n", "4: [edge]" BAD_NAME},
    {EDGE "[edge a b]\n", "4: [edge a b]" BAD_NAME},
    {EDGE "[edge a234567890123456789012345678901234]\n",
     "4: [edge a234567890123456789012345678901234]" BAD_NAME},
    {"[tun]\nmtu = 1500\n[tun]\n" EDGE, "3: [tun] is there already in line 1; join the two"},
    {EDGE "[edge  web]\n", "4: [edge web] is there already in line 1; give this edge another name"},
    /* keys */
    {"[daemon]\nworker = 1\n" EDGE,
     "2: [daemon] worker: unknown key; the nearest is workers (all of this "
     "section: workers, poll, instance, control, state, state_dir, log_level, "
     "log_format, log_connections, app_socket, app_mode, app_group, user, group, seccomp)"},
    {EDGE "signals = 10.0.0.1\n",
     "4: [edge web] signals: unknown key; the nearest is signal (all of this section: " LIST_EDGE ")"},
    {"[tun]\nmtu = 1500\nname = x\nmtu = 1500\n" EDGE,
     "4: [tun] mtu: is given already in line 2; give it once"},
    {EDGE "checksum =\n", "4: [edge web] checksum: has no value; give one, or remove the line"},
    {EDGE "checksum = ; off\n", "4: [edge web] checksum: has no value; give one, or remove the line"},
    /* [daemon] */
    {"[daemon]\nworkers = 65\n" EDGE,
     "2: [daemon] workers: \"65\" is not a number from 0 to 64; give one, such as 0"},
    {"[daemon]\nworkers = -1\n" EDGE,
     "2: [daemon] workers: \"-1\" is not a number from 0 to 64; give one, such as 0"},
    {"[daemon]\nworkers = two\n" EDGE,
     "2: [daemon] workers: \"two\" is not a number from 0 to 64; give one, such as 0"},
    {"[daemon]\nworkers = 99999999999999999999999\n" EDGE,
     "2: [daemon] workers: \"99999999999999999999999\" is not a number from 0 to 64; give one, such as 0"},
    {"[daemon]\ncontrol = control.sock\n" EDGE,
     "2: [daemon] control: \"control.sock\" is not the absolute path of a socket; give one, such as "
     "/run/braid/control.sock"},
    {"[daemon]\ncontrol = /run/\n" EDGE,
     "2: [daemon] control: \"/run/\" is not the absolute path of a socket; give one, such as "
     "/run/braid/control.sock"},
    {"[daemon]\ncontrol = /a2345678901234567890123456789012345678901234567890123456789012345678901234567890"
     "1234567890123456789012345678\n" EDGE,
     "2: [daemon] control: the path has 109 bytes; a UNIX socket's path has at most 107"},
    {"[daemon]\nlog_level = trace\n" EDGE,
     "2: [daemon] log_level: \"trace\" is not known; it is one of: error, warn, info, debug"},
    /* [tun] */
    {"[tun]\nname = 0123456789abcdef\n" EDGE, "2: [tun] name: \"0123456789abcdef\"" BAD_IF},
    {"[tun]\nname = a/b\n" EDGE, "2: [tun] name: \"a/b\"" BAD_IF},
    {"[tun]\nname = braid%d\n" EDGE, "2: [tun] name: \"braid%d\"" BAD_IF},
    {"[tun]\nname = ..\n" EDGE, "2: [tun] name: \"..\"" BAD_IF},
    {"[tun]\nmtu = 1279\n" EDGE,
     "2: [tun] mtu: \"1279\" is not a number from 1280 to 65535; give one, such as 1500"},
    {"[tun]\nmtu = 65536\n" EDGE,
     "2: [tun] mtu: \"65536\" is not a number from 1280 to 65535; give one, such as 1500"},
    {"[tun]\nrps = 256\n" EDGE, "2: [tun] rps: \"256\"" BAD_CPUS},
    {"[tun]\nrps = 3-1\n" EDGE, "2: [tun] rps: \"3-1\"" BAD_CPUS},
    {"[tun]\nrps = 1,,2\n" EDGE, "2: [tun] rps: \"1,,2\"" BAD_CPUS},
    {"[tun]\nrps = f0\n" EDGE, "2: [tun] rps: \"f0\"" BAD_CPUS},
    {"[tun]\nlocal_ports = 0-100\n" EDGE, "2: [tun] local_ports: \"0-100\"" BAD_RANGE},
    {"[tun]\nlocal_ports = 40000-30000\n" EDGE, "2: [tun] local_ports: \"40000-30000\"" BAD_RANGE},
    {"[tun]\nlocal_ports = 32768-65536\n" EDGE, "2: [tun] local_ports: \"32768-65536\"" BAD_RANGE},
    {"[tun]\nlocal_ports = -\n" EDGE, "2: [tun] local_ports: \"-\"" BAD_RANGE},
    {"[tun]\nlocal_ports = many\n" EDGE, "2: [tun] local_ports: \"many\"" BAD_RANGE},
    {"[tun]\nlocal_ports = 32768:60999\n" EDGE, "2: [tun] local_ports: \"32768:60999\"" BAD_RANGE},
    {"[limits]\nmemory = 15\n" EDGE, "2: [limits] memory: \"15\" is not 0, for a share of what the machine "
                                     "has, nor a number of MiB from 16 to "
                                     "1048576; give one, such as 1024"},
    {"[limits]\nrcvbuf = 63\n" EDGE,
     "2: [limits] rcvbuf: \"63\" is not 0, for a part of the memory, nor a number "
     "of KiB from 64 to 1048576; give one, such as 8192"},
    {"[limits]\nsndbuf = all\n" EDGE,
     "2: [limits] sndbuf: \"all\" is not 0, for a part of the memory, nor a number "
     "of KiB from 64 to 1048576; give one, such as 8192"},
    {"[limits]\nsubflows = 17\n" EDGE,
     "2: [limits] subflows: \"17\" is not a number from 1 to 16; give one, such as 8"},
    {"[limits]\nstall = -1\n" EDGE,
     "2: [limits] stall: \"-1\" is not a number from 0 to 86400; give one, such as 1200"},
    {"[tun]\nroutes = yes\n" EDGE, "2: [tun] routes: \"yes\" is not known; it is one of: none, auto"},
    /* [admin] */
    {"[admin]\nlisten = 9180\n" EDGE, "2: [admin] listen: \"9180\"" BAD_ADMIN},
    {"[admin]\nlisten = localhost:9180\n" EDGE, "2: [admin] listen: \"localhost:9180\"" BAD_ADMIN},
    {"[admin]\nlisten = 127.0.0.1:0\n" EDGE, "2: [admin] listen: \"127.0.0.1:0\"" BAD_ADMIN},
    {"[admin]\nlisten = 224.0.0.1:80\n" EDGE, "2: [admin] listen: 224.0.0.1:80 is a multicast address; give "
                                              "one of this host's, such as 127.0.0.1:9180"},
    {"[admin]\nlisten = 10.99.9.1:8080\n" EDGE, "4: [edge web] listen: 10.99.9.1:8080 is the listen address "
                                                "of [admin] already; give each its own address "
                                                "or port"},
    /* [edge] listen */
    {"\n[edge web]\n\ntarget = 10.0.0.1:80\n",
     "2: [edge web] listen: is missing; add one, such as listen = 10.99.9.1:8080"},
    {"[edge web]\nlisten = 10.99.9.1\ntarget = x:1\n", "2: [edge web] listen: \"10.99.9.1\"" BAD_LISTEN},
    {"[edge web]\nlisten = 10.99.9.256:80\ntarget = x:1\n",
     "2: [edge web] listen: \"10.99.9.256:80\"" BAD_LISTEN},
    {"[edge web]\nlisten = 10.99.9.1:0\ntarget = x:1\n", "2: [edge web] listen: \"10.99.9.1:0\"" BAD_LISTEN},
    {"[edge web]\nlisten = 10.99.9.1:65536\ntarget = x:1\n",
     "2: [edge web] listen: \"10.99.9.1:65536\"" BAD_LISTEN},
    {"[edge web]\nlisten = 2001:db8::1:80\ntarget = x:1\n",
     "2: [edge web] listen: \"2001:db8::1:80\"" BAD_LISTEN},
    {"[edge web]\nlisten = www.example:80\ntarget = x:1\n",
     "2: [edge web] listen: \"www.example:80\"" BAD_LISTEN},
    {"[edge web]\nlisten = 127.0.0.1:80\ntarget = x:1\n",
     "2: [edge web] listen: 127.0.0.1:80 is a loopback address, and no client reaches the TUN by "
     "it" UNROUTABLE},
    {"[edge web]\nlisten = [::1]:80\ntarget = x:1\n",
     "2: [edge web] listen: [::1]:80 is a loopback address, and no client reaches the TUN by it" UNROUTABLE},
    {"[edge web]\nlisten = 0.0.0.0:80\ntarget = x:1\n",
     "2: [edge web] listen: 0.0.0.0:80 is the unspecified address, and no client reaches the TUN by "
     "it" UNROUTABLE},
    {"[edge web]\nlisten = [::]:80\ntarget = x:1\n",
     "2: [edge web] listen: [::]:80 is the unspecified address, and no client reaches the TUN by "
     "it" UNROUTABLE},
    {"[edge web]\nlisten = 239.1.1.1:80\ntarget = x:1\n",
     "2: [edge web] listen: 239.1.1.1:80 is a multicast address, and no client reaches the TUN by "
     "it" UNROUTABLE},
    {"[edge web]\nlisten = [ff02::1]:80\ntarget = x:1\n",
     "2: [edge web] listen: [ff02::1]:80 is a multicast address, and no client reaches the TUN by "
     "it" UNROUTABLE},
    {"[edge web]\nlisten = [fe80::1]:80\ntarget = x:1\n",
     "2: [edge web] listen: [fe80::1]:80 is a link-local address, and no client reaches the TUN by "
     "it" UNROUTABLE},
    {"[edge web]\nlisten = 255.255.255.255:80\ntarget = x:1\n",
     "2: [edge web] listen: 255.255.255.255:80 is a reserved address, and no client reaches the TUN by "
     "it" UNROUTABLE},
    {EDGE "[edge two]\n\nlisten = 10.99.9.1:8080\ntarget = x:1\n",
     "6: [edge two] listen: 10.99.9.1:8080 is taken by [edge web] in line 2; give each edge its own address "
     "or "
     "port"},
    /* [edge] target */
    {"[tun]\n[edge web]\nlisten = 10.99.9.1:8080\n",
     "2: [edge web] target: is missing; add one, such as target = 10.99.3.2:8080"},
    {"[edge web]\ntarget = 10.0.0.1\n", "2: [edge web] target: \"10.0.0.1\" is not HOST:PORT" BAD_TARGET},
    {"[edge web]\ntarget = :80\n", "2: [edge web] target: \":80\" is not HOST:PORT" BAD_TARGET},
    {"[edge web]\ntarget = host:http\n", "2: [edge web] target: \"host:http\" is not HOST:PORT" BAD_TARGET},
    {"[edge web]\ntarget = host:0\n", "2: [edge web] target: \"host:0\" is not HOST:PORT" BAD_TARGET},
    {"[edge web]\ntarget = 10.0.0.300:80\n",
     "2: [edge web] target: \"10.0.0.300:80\" is not HOST:PORT" BAD_TARGET},
    {"[edge web]\ntarget = a..b:80\n", "2: [edge web] target: \"a..b:80\" is not HOST:PORT" BAD_TARGET},
    {"[edge web]\ntarget = -a:80\n", "2: [edge web] target: \"-a:80\" is not HOST:PORT" BAD_TARGET},
    {"[edge web]\ntarget = [10.0.0.1]:80\n",
     "2: [edge web] target: \"[10.0.0.1]:80\" is not HOST:PORT" BAD_TARGET},
    {"[edge web]\ntarget = [::1:80\n", "2: [edge web] target: \"[::1:80\" is not HOST:PORT" BAD_TARGET},
    {"[edge web]\ntarget = 2001:db8::1:80\n",
     "2: [edge web] target: \"2001:db8::1:80\" is not HOST:PORT" BAD_TARGET},
    {"[edge web]\ntarget = 0.0.0.0:80\n",
     "2: [edge web] target: 0.0.0.0 is not the address of a server" BAD_TARGET},
    {"[edge web]\ntarget = [ff02::1]:80\n",
     "2: [edge web] target: ff02::1 is not the address of a server" BAD_TARGET},
    {"[edge web]\nlisten = 10.0.0.1:80\ntarget = 10.0.0.1:80\n",
     "3: [edge web] target: 10.0.0.1 is the listen address of [edge web]" LOOP},
    {"[edge web]\nlisten = 10.0.0.1:80\ntarget = 10.0.0.1:8080\n",
     "3: [edge web] target: 10.0.0.1 is the listen address of [edge web]" LOOP},
    {EDGE "signal = 10.0.0.5\n[edge two]\nlisten = 10.0.0.3:80\ntarget = 10.0.0.5:80\n",
     "7: [edge two] target: 10.0.0.5 is a signal address of [edge web]" LOOP},
    /* [edge] transparent */
    {EDGE "mode = opaque\n",
     "4: [edge web] mode: \"opaque\" is not known; it is one of: explicit, transparent, convert"},
    {EDGE "mode = transparent\n",
     "2: [edge web] listen: has no meaning with mode = transparent, which answers for every server whose "
     "connections are routed to the TUN; remove it, or set mode = explicit"},
    {TRANSPARENT "target = 10.0.0.1:80\n",
     "3: [edge any] target: has no meaning with mode = transparent, which connects to the server that the "
     "client meant; remove it, or set mode = explicit"},
    {EDGE "source = client\n",
     "4: [edge web] source: has a meaning only with mode = transparent; remove it, or set that"},
    {EDGE "ports = 80\n",
     "4: [edge web] ports: has a meaning only with mode = transparent; remove it (listen "
     "names the port), or set that"},
    {TRANSPARENT "source = server\n",
     "3: [edge any] source: \"server\" is not known; it is one of: proxy, client"},
    {EDGE "bypass = off\n",
     "4: [edge web] bypass: has a meaning only with mode = transparent; remove it (the "
     "target is not asked for MPTCP), or set that"},
    {EDGE "targets = 10.0.0.0/8\n",
     "4: [edge web] targets: has a meaning only with mode = transparent or convert; remove it (target is the "
     "only one), or set one of these"},
    {TRANSPARENT "targets = !10.0.0.1/8\n",
     "3: [edge any] targets: \"!10.0.0.1/8\" has bits beyond its length" BAD_TARGETS},
    {TRANSPARENT "targets = 10.0.0.0/8, host\n",
     "3: [edge any] targets: \"host\" is not a prefix" BAD_TARGETS},
    {TRANSPARENT "bypass = 0\n", "3: [edge any] bypass: \"0\"" BAD_BYPASS},
    {TRANSPARENT "bypass = 86401\n", "3: [edge any] bypass: \"86401\"" BAD_BYPASS},
    {TRANSPARENT "bypass = on\n", "3: [edge any] bypass: \"on\"" BAD_BYPASS},
    {TRANSPARENT "ports = 0\n", "3: [edge any] ports: \"0\"" BAD_PORTS},
    {TRANSPARENT "ports = 1-65536\n", "3: [edge any] ports: \"1-65536\"" BAD_PORTS},
    {TRANSPARENT "ports = 443-80\n", "3: [edge any] ports: \"443-80\"" BAD_PORTS},
    {TRANSPARENT "ports = -80\n", "3: [edge any] ports: \"-80\"" BAD_PORTS},
    {TRANSPARENT "ports = 80-\n", "3: [edge any] ports: \"80-\"" BAD_PORTS},
    {TRANSPARENT "ports = 80,443\n", "3: [edge any] ports: \"80,443\"" BAD_PORTS},
    {TRANSPARENT "ports = 80-443\n[edge more]\nmode = transparent\nports = 443\n",
     "6: [edge more] ports: 443-443 meets 80-443 of [edge any] in line 3; give each transparent edge ports "
     "of "
     "its own"},
    {TRANSPARENT "[edge more]\nmode = transparent\n", "3: [edge more] ports: 1-65535 meets 1-65535 of [edge "
                                                      "any] in line 1; give each transparent edge ports of "
                                                      "its own"},
    /* [edge] the rest */
    {EDGE "signal = 10.0.0.1:80\n", "4: [edge web] signal: \"10.0.0.1:80\"" BAD_SIGNAL},
    {EDGE "signal = 10.0.0.1,\n", "4: [edge web] signal: \"\"" BAD_SIGNAL},
    {EDGE "signal = 10.0.0.1 10.0.0.2\n", "4: [edge web] signal: \"10.0.0.1 10.0.0.2\"" BAD_SIGNAL},
    {EDGE "signal = 10.0.0.1, 127.0.0.1\n", "4: [edge web] signal: 127.0.0.1 is a loopback address; give "
                                            "unicast addresses that can be routed to the TUN"},
    {EDGE "signal = 10.0.0.1, 10.0.0.1\n",
     "4: [edge web] signal: 10.0.0.1 is there twice; give each address once"},
    {EDGE "signal = 10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5,10.0.0.6,10.0.0.7,10.0.0.8,10.0.0.9\n",
     "4: [edge web] signal: there are more than 8 addresses; give at most 8"},
    {EDGE "signal = 10.0.0.1, 10.99.9.1\n", "4: [edge web] signal: 10.99.9.1 is the listen address, which "
                                            "every client knows; give other addresses only"},
    {EDGE "joins = some\n", "4: [edge web] joins: \"some\" is not known; it is one of: any, signalled"},
    {EDGE "versions = 0,2\n", "4: [edge web] versions: there is no version \"2\" of MPTCP; give 1, or 0,1"},
    {EDGE "versions = 0\n", "4: [edge web] versions: version 1 is always spoken; give 1, or 0,1"},
    {EDGE "v0_addresses = yes\n",
     "4: [edge web] v0_addresses: \"yes\" is not known; it is one of: ignore, believe"},
    {EDGE "checksum = yes\n", "4: [edge web] checksum: \"yes\" is not known; it is one of: off, on"},
    {EDGE "checksum = \x1b[2J\n", "4: [edge web] checksum: \"?[2J\" is not known; it is one of: off, on"},
};

START_TEST(every_error_is_one_line_that_names_file_line_key_and_what_is_right)
{
    check_refused(bad[_i].text, bad[_i].error);
}
END_TEST

START_TEST(hostile_files_are_refused_in_one_bounded_line)
{
    static char text[6000];
    memset(text, 'x', 5000);
    ck_assert_int_eq(conf_parse("f.ini", text, 5000, &conf, err, sizeof(err)), -1);
    ck_assert_str_eq(err, "f.ini:1: the line is too long; use at most 4093 bytes");

    memset(text, '[', 3000);
    strcpy(text + 3000, "]\n");
    ck_assert_int_eq(parse(text), -1);
    ck_assert_ptr_null(strchr(err, '\n'));
    ck_assert_ptr_nonnull(strstr(err, "it is one of: [daemon]"));

    int n = snprintf(text, sizeof(text), "%s", EDGE);
    memset(text + n, 'k', 3000);
    strcpy(text + n + 3000, " = 1\n");
    ck_assert_int_eq(parse(text), -1);
    ck_assert_ptr_nonnull(strstr(err, "unknown key; the nearest is mode"));

    ck_assert_int_eq(conf_parse("f.ini", "[tun]\nmt\0u = 1\n", 15, &conf, err, sizeof(err)), -1);
    ck_assert_int_eq(strncmp(err, "f.ini:2: the line is not text", 29), 0);
}
END_TEST

START_TEST(every_prefix_of_a_good_file_is_handled)
{
    static const char text[] =
        "[daemon]\nworkers = 2 ; x\n[tun]\nname = b\n" EDGE "signal = 10.1.1.1, 2001:db8::1\n";
    check_prefixes(text, sizeof(text));
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
    ck_assert_int_eq(conf_load("/nonexistent/braid.ini", &conf, err, sizeof(err)), -1);
    ck_assert_str_eq(err,
                     "/nonexistent/braid.ini: cannot be read (No such file or directory); name a readable "
                     "configuration file with -c");
    ck_assert_int_eq(conf_load("/", &conf, err, sizeof(err)), -1);
    ck_assert_str_eq(err, "/: cannot be read (Is a directory); name a readable configuration file with -c");
}
END_TEST

START_TEST(many_edges_are_read_up_to_the_limit)
{
    static char text[40000];
    size_t n = 0;
    for (unsigned i = 0; i < 300; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "[edge e%u]\nlisten = 10.9.%u.%u:80\ntarget = h:1\n", i, i / 200, 1 + i % 200);
    ck_assert_int_eq(parse(text), -1);
    ck_assert_str_eq(err, "f.ini:781: there are more than 260 sections; use fewer of them");
    *strstr(text, "[edge e260]") = '\0';
    ck_assert_msg(parse(text) == 0, "%s", err);
    ck_assert_uint_eq(conf.n_edges, 260);
    ck_assert_str_eq(conf.edges[259].name, "e259");
    conf_free(&conf);
}
END_TEST

/* ---- the documentation ----------------------------------------------------------------------------------
 */

/* True if text has key below the header of section, before the next header. */
static bool has_key(const char *text, const char *section_begins, const char *key_line_begins)
{
    const char *s = strstr(text, section_begins);
    if (!s)
        return false;
    for (s = strchr(s + 1, '\n'); s && s[1]; s = strchr(s + 1, '\n')) {
        const char *line = s + 1;
        if (*line == '[' || strncmp(line, ".Ss ", 4) == 0 || strncmp(line, ".Sh ", 4) == 0)
            return false;
        line += *line == ';' && key_line_begins[0] != '.';
        size_t n = strlen(key_line_begins);
        if (strncmp(line, key_line_begins, n) == 0 && strchr(" \n", line[n]))
            return true;
    }
    return false;
}

START_TEST(every_key_is_in_the_example_and_in_the_manual)
{
    char *ini = file_text("conf/braid.ini"), *man = file_text("docs/man/braid.ini.5");
    unsigned count = 0;
    for (const char *known; (known = conf_known_key(count)) != NULL; count++) {
        char name[64], section[80], item[80];
        snprintf(name, sizeof(name), "%s", known);
        char *key = strchr(name, '.');
        *key++ = '\0';
        snprintf(section, sizeof(section), "\n;[%s", name);
        bool shown = has_key(ini, section, key); /* as an example */
        snprintf(section, sizeof(section), "\n[%s", name);
        ck_assert_msg(shown || has_key(ini, section, key), "conf/braid.ini lacks %s", known);
        snprintf(section, sizeof(section), "\n.Ss [%s", name);
        snprintf(item, sizeof(item), ".It Cm %s", key);
        ck_assert_msg(has_key(man, section, item), "docs/man/braid.ini.5 lacks %s", known);
    }
    ck_assert_uint_ge(count, 58);
    ck_assert(!has_key(ini, "\n[tun", "listen"));
    ck_assert(!has_key(man, "\n.Ss [tun", ".It Cm listen"));
    free(ini);
    free(man);
}
END_TEST

START_TEST(the_example_as_it_is_serves_nobody)
{
    ck_assert_int_eq(conf_load("conf/braid.ini", &conf, err, sizeof(err)), -1);
    ck_assert_ptr_nonnull(strstr(err, "there is no [edge NAME] section"));
}
END_TEST

START_TEST(the_example_works_and_shows_the_defaults)
{
    struct conf defaults;
    parse_example();
    ck_assert_int_eq(conf_parse("f", EDGE, strlen(EDGE), &defaults, err, sizeof(err)), 0);
    ck_assert_uint_eq(conf.daemon.workers, defaults.daemon.workers);
    ck_assert_str_eq(conf.daemon.control, defaults.daemon.control);
    ck_assert_int_eq(conf.daemon.log_level, defaults.daemon.log_level);
    ck_assert_str_eq(conf.tun.name, defaults.tun.name);
    ck_assert_int_eq(conf.tun.mtu, defaults.tun.mtu);
    ck_assert_int_eq(conf.tun.routes_auto, defaults.tun.routes_auto);
    ck_assert(addr_equal(&conf.admin.listen, &defaults.admin.listen));
    ck_assert_ptr_eq(conf.edges->sched, defaults.edges->sched);
    ck_assert_ptr_eq(conf.edges->cc, defaults.edges->cc);
    ck_assert_int_eq(conf.edges->checksum, defaults.edges->checksum);
    conf_free(&conf);
    conf_free(&defaults);
}
END_TEST

START_TEST(the_distance_between_words_counts_changes)
{
    ck_assert_uint_eq(value_distance("listen", "listen"), 0);
    ck_assert_uint_eq(value_distance("lisen", "listen"), 1);
    ck_assert_uint_eq(value_distance("kitten", "sitting"), 3);
    ck_assert_uint_eq(value_distance("", "abc"), 3);
    ck_assert_uint_eq(value_distance("abc", ""), 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf");
    TCase *t = tcase_create("conf");
    tcase_add_test(t, the_example_of_the_issue_is_read_with_its_inline_comments);
    tcase_add_test(t, every_value_differs_from_its_default);
    tcase_add_test(t, transparent_edges_have_neither_listen_nor_target);
    tcase_add_test(t, what_is_left_out_has_the_documented_default);
    tcase_add_loop_test(t, every_error_is_one_line_that_names_file_line_key_and_what_is_right, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, hostile_files_are_refused_in_one_bounded_line);
    tcase_add_test(t, every_prefix_of_a_good_file_is_handled);
    tcase_add_test(t, a_file_that_cannot_be_read_is_named);
    tcase_add_test(t, many_edges_are_read_up_to_the_limit);
    tcase_add_test(t, every_key_is_in_the_example_and_in_the_manual);
    tcase_add_test(t, the_example_as_it_is_serves_nobody);
    tcase_add_test(t, the_example_works_and_shows_the_defaults);
    tcase_add_test(t, the_distance_between_words_counts_changes);
    suite_add_tcase(s, t);
    return run_suite(s);
}
