# shellcheck shell=sh
# What the parts of braid-steer share: numbers, words, and what the state file says. Sourced by braid-steer.

MASK=0xff0000
KEEP=0xff00ffff     # the bits of a mark that are not Braid's
STEER=0x1e0000      # into the TUN
PASSED=0x1d0000     # a connmark only: Braid passed the connection back
ASK=0x1c0000        # a connmark only: what answers it goes into the TUN, until it is known whose it is
RETURN=0x1f0000     # to a socket of Braid's that has a client's address, or to the one that --tproxy names
EXEMPT=0x1b0000     # neither: left to the kernel. Sockets of the daemon's own have it, too (src/io/steer.h)
STEER_TABLE=8684    # the number of a table is that of its rule's priority, too
RETURN_TABLE=8685
LOCAL_FIRST=8670    # priorities of the rules for connections of this machine itself
LOCAL_LAST=8682

# Destinations that no uplink leads to, or only one: of no use to connections that several share.
PRIVATE4="0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 224.0.0.0/3"
PRIVATE6="::/127 ::ffff:0:0/96 2001:10::/28 2001:20::/28 fc00::/7 fe80::/10 ff00::/8"

say() { printf '%s\n' "$*"; }
complain() { printf 'braid-steer: %s\n' "$*" >&2; }
wrong() { complain "$*; see braid-steer --help"; exit 2; }
have() { command -v "$1" >/dev/null 2>&1; }

# Shows a command, then runs it.
run() { say "$*"; "$@"; }

# The families that this kernel speaks.
families() { if [ -e /proc/net/if_inet6 ]; then echo "4 6"; else echo 4; fi; }
tables() { if [ "$1" = 4 ]; then echo iptables; else echo ip6tables; fi; }
icmp() { if [ "$1" = 4 ]; then echo icmp; else echo icmpv6; fi; }
everything() { if [ "$1" = 4 ]; then echo 0.0.0.0/0; else echo ::/0; fi; }
subnet() { if [ "$1" = 4 ]; then echo "$inner4"; else echo "$inner6"; fi; }

# What is steered: MPTCP of clients elsewhere, for a transparent edge; or plain TCP, of a LAN or of this machine.
is_edge() { [ "$edge" = yes ]; }
is_home() { [ -n "$lans" ] || [ "$locally" = yes ]; }
is_local() { [ "$locally" = yes ]; }
is_tproxy() { [ -n "$tproxy" ]; }
# Whether something has to be led to sockets of Braid's that have addresses of others.
returns() { [ "$source" = client ] || is_tproxy; }

of_family() {
    family=$1
    shift
    for each in "$@"; do
        case $each in
        *:*) [ "$family" = 4 ] || echo "$each" ;;
        *) [ "$family" = 6 ] || echo "$each" ;;
        esac
    done
}

# Which of the exceptions belong to family $1.
# shellcheck disable=SC2086 # words
excepted() { of_family "$1" $exceptions; }

# The same for a LAN and this machine, each once.
# shellcheck disable=SC2086 # words
spared() {
    if [ "$private" = yes ]; then
        excepted "$1"
    else
        of_family "$1" $PRIVATE4 $PRIVATE6 $exceptions
    fi | sort -u
}

# joined PREFIX SEPARATOR SUFFIX WORD...: the words, each between prefix and suffix, with the separator between them.
joined() {
    before=$1 between=$2 after=$3 list=
    shift 3
    for each in "$@"; do list="$list${list:+$between}$before$each$after"; done
    echo "$list"
}

# --- what down has to know: lines "key value"

remembered() { [ -f "$state" ] && sed -n "s|^$1 ||p" "$state"; }
remember() { say "$1 $2" >>"$state"; }

forget() { # the lines with these keys
    kept=$(grep -v -E "^($1) " "$state")
    printf '%s' "${kept:+$kept
}" >"$state"
}
