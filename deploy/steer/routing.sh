# shellcheck shell=sh
# Policy routing, and the settings of the kernel's that it needs. Sourced by braid-steer.

# has_rule FAMILY MARK TABLE
has_rule() { ip "-$1" -N rule show | grep -q "^$3:.* fwmark $2/$MASK lookup $3"; }

add_rule() {
    has_rule "$@" || run ip "-$1" rule add priority "$3" fwmark "$2/$MASK" lookup "$3"
}

delete_rule() {
    while has_rule "$@"; do run ip "-$1" rule del priority "$3" fwmark "$2/$MASK" lookup "$3" || return 1; done
}

has_routes() { [ -n "$(ip "-$1" route show table "$2" 2>/dev/null)" ]; }
flush_table() { if has_routes "$@"; then run ip "-$1" route flush table "$2"; fi; }

up_routing() {
    for family in $(families); do
        add_rule "$family" $STEER $STEER_TABLE || return 1
        if [ -e "/sys/class/net/$tun" ]; then
            has_routes "$family" $STEER_TABLE ||
                run ip "-$family" route replace default dev "$tun" table $STEER_TABLE || return 1
        fi
        if returns; then
            add_rule "$family" $RETURN $RETURN_TABLE &&
                run ip "-$family" route replace local "$(everything "$family")" dev lo table $RETURN_TABLE || return 1
        else
            delete_rule "$family" $RETURN $RETURN_TABLE && flush_table "$family" $RETURN_TABLE || return 1
        fi
        up_local "$family" || return 1
    done
}

down_routing() {
    for family in $(families); do
        delete_rule "$family" $STEER $STEER_TABLE && flush_table "$family" $STEER_TABLE &&
            delete_rule "$family" $RETURN $RETURN_TABLE && flush_table "$family" $RETURN_TABLE &&
            delete_local "$family" || return 1
    done
}

# --- connections of this machine itself: rules alone lead them into the TUN, so that the TUN's address becomes their source,
# and they outlive every address of an uplink's. Whoever has an address already is left alone: a socket that is bound to one,
# or that answers somebody.

# local_rules FAMILY: priority and the rest of each.
local_rules() {
    is_local && ! is_tproxy || return 0
    tcp="iif lo ipproto tcp"
    if [ "$ports" = 1-65535 ]; then wanted=; else wanted=" dport $ports"; fi
    echo "$LOCAL_FIRST iif lo fwmark $EXEMPT/$MASK goto $LOCAL_LAST"
    for each in $(spared "$1"); do echo "8671 $tcp to $each goto $LOCAL_LAST"; done
    for each in $excepted_ports; do echo "8672 $tcp dport $each goto $LOCAL_LAST"; done
    for each in $users; do echo "8673 $tcp uidrange $each-$each goto $LOCAL_LAST"; done
    echo "8674 $tcp from $(subnet "$1")$wanted lookup $STEER_TABLE"
    if [ "$1" = 4 ]; then
        echo "8675 $tcp from 0.0.0.0/32$wanted lookup $STEER_TABLE"
    else # a rule for ::/128 never holds, and one with a source does not hold as long as there is none
        for each in ::/1 8000::/1; do echo "8675 $tcp from $each goto $LOCAL_LAST"; done
        echo "8676 $tcp$wanted lookup $STEER_TABLE"
    fi
    echo "$LOCAL_LAST nop"
}

# What is there of them, as ip shows it.
shown_local() {
    ip "-$1" -N rule show | awk -F: -v first=$LOCAL_FIRST -v last=$LOCAL_LAST '$1 >= first && $1 <= last'
}

local_sum() { { local_rules "$1"; shown_local "$1"; } | cksum; }
is_local_whole() { [ "$(local_sum "$1")" = "$(remembered "local$1")" ]; }

delete_local() {
    shown_local "$1" | while IFS=: read -r priority _; do
        run ip "-$1" rule del priority "$priority" || return 1
    done
}

up_local() {
    if is_local_whole "$1"; then return 0; fi
    delete_local "$1" || return 1
    local_rules "$1" | while read -r priority rest; do
        # shellcheck disable=SC2086 # words
        run ip "-$1" rule add priority "$priority" $rest || return 1
    done || return 1
    forget "local$1"
    remember "local$1" "$(local_sum "$1")"
}

# --- settings.
#
# The reverse path filter of the TUN would drop what comes from there in the name of servers that are elsewhere. The kernel
# takes the greater of the values of "all" and of the device. Where uplinks are, the TUN has an address, and "loose" is
# enough. An edge's TUN has none, and then "loose" is as strict as "strict": the value of "all" becomes that of every other
# device, and of new ones, and then the filter is off for "all" and the TUN.

SYSCTL=/proc/sys/net

# wanted_settings: file and value of each that the TUN has to have, if it is there.
wanted_settings() {
    if is_edge; then echo ipv4/conf/all/rp_filter 0; fi
    [ -e "/sys/class/net/$tun" ] || return 0
    if is_edge; then echo "ipv4/conf/$tun/rp_filter 0"; else echo "ipv4/conf/$tun/rp_filter 2"; fi
    is_home || return 0
    # A TUN that outlives the daemon must not keep the packets.
    for family in ipv4 ipv6; do echo "$family/conf/$tun/ignore_routes_with_linkdown 1"; done
    # What Braid passes back of this machine's own connections comes from an address of this machine.
    if is_local; then echo "ipv4/conf/$tun/accept_local 1"; fi
}

# set_setting FILE VALUE: remembers what it was.
set_setting() {
    [ -e "$SYSCTL/$1" ] || return 0
    read -r was <"$SYSCTL/$1"
    [ "$was" != "$2" ] || return 0
    [ -n "$(remembered "setting $1")" ] || remember "setting $1" "$was $2"
    say "net.$(echo "$1" | tr / .) = $2 (was $was)"
    echo "$2" >"$SYSCTL/$1"
}

up_settings() {
    if is_edge; then
        read -r all <$SYSCTL/ipv4/conf/all/rp_filter
        for each in $SYSCTL/ipv4/conf/*/; do
            each=$(basename "$each")
            if [ "$each" = all ] || [ "$each" = "$tun" ]; then continue; fi
            read -r own <"$SYSCTL/ipv4/conf/$each/rp_filter"
            [ "$own" -ge "$all" ] || set_setting "ipv4/conf/$each/rp_filter" "$all" || return 1
        done
    fi
    wanted_settings | while read -r file value; do set_setting "$file" "$value" || return 1; done
}

# What somebody else has changed since is left alone.
down_settings() {
    [ -f "$state" ] || return 0
    grep '^setting ' "$state" | while read -r _ file was set; do
        if [ "$(cat "$SYSCTL/$file" 2>/dev/null)" = "$set" ]; then
            say "net.$(echo "$file" | tr / .) = $was"
            echo "$was" >"$SYSCTL/$file"
        fi
    done
}

are_settings_made() {
    wanted_settings | while read -r file value; do
        [ ! -e "$SYSCTL/$file" ] || [ "$(cat "$SYSCTL/$file")" = "$value" ] || return 1
    done
}

# --- whether Braid's socket for --tproxy is there, for which the kernel is asked what listens at the port.

is_answered() { ss "-${1}Hltn" "sport = :$tproxy" 2>/dev/null | grep -q .; }

# answered: the families in which somebody listens.
look_for_answer() {
    answered=
    is_tproxy || return 0
    for family in $(families); do
        if is_answered "$family"; then answered=$answered$family; fi
    done
}

answers() { case $answered in *"$1"*) ;; *) return 1 ;; esac; }
