# shellcheck shell=sh
# nftables: one table of our own, replaced in one transaction, and one with the sets for what names stand for, whose
# elements are others' and stay. Sourced by braid-steer.

# shellcheck disable=SC2086 # words
nft_devices() { [ -z "$1" ] || echo "iifname { $(joined '"' ', ' '"' $1) }"; }

# nft_addresses COMMAND: "return" for what the command lists for each family.
nft_addresses() {
    for family in 4 6; do
        # shellcheck disable=SC2046 # words
        list=$(joined '' ', ' '' $("$1" $family))
        [ -z "$list" ] || echo "ip${family#4} daddr { $list } return"
    done
}

# nft's path of a cgroup begins at /sys/fs/cgroup, below which the tree of version 2 may be mounted; its levels are counted
# from the root of that tree.
nft_cgroup() {
    path=$(echo "$1" | sed 's|^/*||; s|/*$||')
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    mount=${mount#/sys/fs/cgroup}
    mount=${mount#/}
    echo "socket cgroupv2 level $(echo "$path" | awk -F/ '{ print NF }') \"${mount:+$mount/}$path\""
}

# Whom nobody is to look at among the connections of this machine.
nft_spared_owners() {
    for each in $users; do echo "meta skuid $each return"; done
    for each in $cgroups; do echo "$(nft_cgroup "$each") return"; done
}

# What this machine itself has to say about the packets of a socket that has a client's address.
nft_return_output() {
    echo "$syn fib saddr type != local ct mark set ct mark & $KEEP | $RETURN"
    echo "ct state related ct mark & $MASK == $RETURN $return"
}

# What of a LAN is Braid's: SYNs, and what connection tracking does not know. A LAN's MPTCP is its own.
nft_home() {
    home="$(nft_devices "$lans") tcp dport $ports fib daddr type != local"
    echo "ct state new $syn $home goto home"
    is_tproxy || echo "ct state { new, invalid } $middle $home goto home"
}

nft_home_chain() {
    cat <<END
    chain home {
        meta mark & $MASK == $EXEMPT return
        tcp option 30 exists return
        $([ -z "$macs" ] || echo "ether saddr { $(joined '' ', ' '' $macs) } return")
        $([ -z "$excepted_ports" ] || echo "tcp dport { $(joined '' ', ' '' $excepted_ports) } return")
        $(nft_addresses spared)
        $(if is_tproxy; then echo "goto handed"; else echo "$steer"; fi)
    }
END
}

# What Braid had of a LAN's when it ended: for the kernel, addresses of these connections are not to be translated, so that no
# server would ever answer.
nft_orphans() {
    echo "$(nft_devices "$lans") oifname != \"$tun\" $middle $mine reject with tcp reset"
}

# Only new connections are handed over; what follows finds its socket, but for the third segment of a handshake with a SYN
# cookie, which finds the listening one, by the connmark.
nft_tproxy_prerouting() {
    echo "iifname \"$tun\" return"
    echo "meta l4proto tcp socket transparent 1 socket wildcard 0 $return accept"
    echo "meta l4proto tcp ct direction original ct mark & $MASK == $RETURN goto handed"
    echo "iifname \"lo\" meta l4proto tcp meta mark & $MASK == $RETURN goto handed"
}

nft_tproxy_chain() {
    echo "chain handed {"
    to="ct mark set ct mark & $KEEP | $RETURN $return accept"
    ! answers 4 || echo "meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:$tproxy $to"
    ! answers 6 || echo "meta nfproto ipv6 meta l4proto tcp tproxy ip6 to [::1]:$tproxy $to"
    echo "}"
}

# Connections of this machine. Into the TUN they are routed by rules; here is who comes away from there again, whose source
# then is not this machine's for the outside. To the listening socket they are led by the mark alone.
nft_local_output() {
    if is_tproxy; then
        for family in 4 6; do answers "$family" || echo "meta nfproto ipv$family return"; done
        echo "meta l4proto tcp fib saddr type != local ct mark & $MASK == 0 ct mark set ct mark & $KEEP | $RETURN"
        echo "meta l4proto tcp oifname != \"lo\" fib saddr type local ct mark & $MASK == $RETURN $return"
        echo "oifname != { \"lo\", \"$tun\" } ct state new $syn tcp dport $ports goto own"
    else
        into="meta l4proto tcp oifname \"$tun\""
        echo "$into ct state new ct mark & $MASK == 0 ct mark set ct mark & $KEEP | $STEER"
        echo "$into ct mark & $MASK == $ASK ct status & (snat | dnat) != 0 $passed"
        echo "$into ct mark & $MASK == $PASSED meta mark set meta mark & $KEEP | $EXEMPT"
        for each in $cgroups; do
            echo "$into $(nft_cgroup "$each") meta mark set meta mark & $KEEP | $EXEMPT"
        done
    fi
}

nft_local_chains() {
    if is_tproxy; then
        cat <<END
    chain own {
        meta mark & $MASK != 0 return
        $(nft_spared_owners)
        $([ -z "$excepted_ports" ] || echo "tcp dport { $(joined '' ', ' '' $excepted_ports) } return")
        $(nft_addresses spared)
        ct mark set ct mark & $KEEP | $RETURN
        $return
    }
END
    else
        cat <<END
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname != "$tun" meta l4proto tcp ip saddr $inner4 masquerade
        oifname != "$tun" meta l4proto tcp ip6 saddr $inner6 masquerade
    }
END
    fi
}

# Browsers that are told so take TCP at once.
nft_quic_chains() {
    echo "chain quic { type filter hook forward priority filter - 1; policy accept;"
    [ -z "$macs" ] || echo "ether saddr { $(joined '' ', ' '' $macs) } return"
    [ -z "$lans" ] || echo "$(nft_devices "$lans") udp dport 443 goto refuse"
    echo "}"
    if is_local; then
        echo "chain quic_local { type filter hook output priority filter - 1; policy accept;"
        echo "oifname != \"lo\" udp dport 443 goto refuse_local"
        echo "}"
        echo "chain refuse_local {"
        nft_spared_owners
        echo "goto refuse"
        echo "}"
    fi
    cat <<END
    chain refuse {
        meta mark & $MASK == $EXEMPT return
        $(nft_addresses spared)
        reject
    }
END
}

nft_edge() {
    enters="$(nft_devices "$devices") tcp dport $ports fib daddr type != local"
    echo "ct state new $syn tcp option 30 exists $enters goto steer"
    echo "ct state { new, invalid } $middle $enters goto steer"
}

nft_rules() {
    syn="tcp flags & (fin | syn | rst | ack) == syn"
    middle="tcp flags & syn == 0"
    mine="ct direction original ct mark & $MASK == $STEER"
    ask="ct direction reply ct mark & $MASK == $ASK"
    passed="ct mark set ct mark & $KEEP | $PASSED"
    steer="meta mark set meta mark & $KEEP | $STEER"
    from="iifname \"$tun\" oifname != \"$tun\""
    return="meta mark set meta mark & $KEEP | $RETURN"
    cat <<END
table inet braid
delete table inet braid
table inet braid {
    chain prerouting {
        type filter hook prerouting priority mangle; policy accept;
        $(! is_tproxy || nft_tproxy_prerouting)
        iifname { "$tun", "lo" } return
        $([ "$source" = proxy ] || echo "meta l4proto { tcp, icmp, icmpv6 } socket transparent 1 socket wildcard 0" \
            "$return return")
        $mine $steer return
        meta l4proto tcp ct mark & $MASK == $ASK ct status & (snat | dnat) != 0 $passed return
        $ask $steer return
        ct mark & $MASK == $PASSED return
        meta l4proto tcp ct mark & $MASK == $ASK $passed return
        $(! is_edge || nft_edge)
        $([ -z "$lans" ] || nft_home)
    }
    chain steer {
        $(nft_addresses excepted)
        $steer
    }
    $(! is_tproxy || nft_tproxy_chain)
    $([ -z "$lans" ] || nft_home_chain)
    chain forward {
        type filter hook forward priority mangle; policy accept;
        meta l4proto != tcp return
        ct state new oifname "$tun" meta mark & $MASK == $STEER ct mark set ct mark & $KEEP | $STEER
        $from $syn $passed
        $from $mine $passed
        $from $ask $passed
        $from ct state new ct mark & $MASK == 0 ct mark set ct mark & $KEEP | $ASK
        $syn iifname != "$tun" oifname != "$tun" ct mark & $MASK == $STEER ct mark set ct mark & $KEEP
        $([ -z "$lans" ] || nft_orphans)
    }
    chain output {
        type route hook output priority mangle; policy accept;
        $([ "$source" = proxy ] || nft_return_output)
        ct state related $mine $steer
        ct state related $ask $steer
        $(! is_local || nft_local_output)
    }
    $(! is_local || nft_local_chains)
    $([ "$quic" = leave ] || nft_quic_chains)
}
END
}

up_nft() {
    say "nft: table inet braid"
    nft_rules | nft -f - && up_names
}

is_up_nft() { nft list table inet braid >/dev/null 2>&1; }
rules_nft() { nft -s list table inet braid 2>/dev/null; rules_names; }

down_nft() {
    if have nft && is_up_nft; then run nft delete table inet braid; fi
}

# --- names: whoever looks them up (dnsmasq, by "nftset=") puts their addresses into these sets. Beside iptables, too, if nft
# is there.

NAMES="inet braid_names"

names_rules() {
    of_names="meta l4proto { tcp, udp }"
    exempt="meta mark set meta mark & $KEEP | $EXEMPT"
    echo "add table $NAMES"
    for family in 4 6; do
        echo "add set $NAMES names$family { type ipv${family}_addr; size 65536; }"
    done
    echo "add chain $NAMES prerouting { type filter hook prerouting priority mangle - 1; policy accept; }"
    echo "add chain $NAMES output { type route hook output priority mangle - 1; policy accept; }"
    echo "flush table $NAMES"
    for family in 4 6; do
        [ -z "$lans" ] ||
            echo "add rule $NAMES prerouting $(nft_devices "$lans") $of_names ip${family#4} daddr @names$family $exempt"
        ! is_local || echo "add rule $NAMES output $of_names ip${family#4} daddr @names$family $exempt"
    done
}

up_names() {
    have nft && is_home || return 0
    say "nft: table $NAMES"
    is_up_names || lost_names=yes
    names_rules | nft -f - || return 1
    if [ "${lost_names:-no}" = yes ] && [ -s "$state.names" ]; then nft -f "$state.names" 2>/dev/null; fi
    lost_names=no
}

is_up_names() { nft list table $NAMES >/dev/null 2>&1; }
rules_names() { ! have nft || ! is_home || nft -s -t list table $NAMES 2>/dev/null; }

# What is in the sets may be lost with the table, and names are looked up again only when they are too old.
keep_names() {
    have nft && is_up_names || return 0
    {
        echo "table $NAMES {"
        for family in 4 6; do nft list set $NAMES names$family | sed '1d;$d'; done
        echo "}"
    } >"$state.names.new" && mv "$state.names.new" "$state.names"
}

down_names() {
    rm -f "$state.names" "$state.names.new"
    if have nft && is_up_names; then run nft delete table $NAMES; fi
}
