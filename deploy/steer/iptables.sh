# shellcheck shell=sh
# iptables: chains of our own, called once each by the chains of the kernel's. Sourced by braid-steer.

# What there may be, as TABLE:CHAIN or TABLE:CALLER:CHAIN; down looks for all of it.
CHAINS="mangle:PRE mangle:SYN mangle:MARK mangle:FWD mangle:OUT mangle:HOME mangle:HAND mangle:OWN nat:POST
filter:FILTER filter:QUICOUT filter:REFUSE"
CALLS="mangle:PREROUTING:PRE mangle:FORWARD:FWD mangle:OUTPUT:OUT nat:POSTROUTING:POST filter:FORWARD:FILTER
filter:OUTPUT:QUICOUT"

# Which of the tables these options need.
iptables_tables() {
    echo mangle
    if is_local && ! is_tproxy; then echo nat; fi
    if [ -n "$lans" ] || [ "$quic" = reject ]; then echo filter; fi
}

chains_of() { for each in $CHAINS; do [ "${each%%:*}" != "$1" ] || echo "BRAID_${each#*:}"; done; }
calls_of() { for each in $CALLS; do [ "${each%%:*}" != "$1" ] || echo "${each#*:}"; done; }

# iptables_rules FAMILY TABLE: input of iptables-restore.
iptables_rules() {
    mine="-m conntrack --ctdir ORIGINAL -m connmark --mark $STEER/$MASK"
    ask="-m conntrack --ctdir REPLY -m connmark --mark $ASK/$MASK"
    passed="-j CONNMARK --set-xmark $PASSED/$MASK"
    steer="-j MARK --set-xmark $STEER/$MASK"
    return="-j MARK --set-xmark $RETURN/$MASK"
    echo "*$2"
    for chain in $(chains_of "$2"); do echo ":$chain - [0:0]"; done
    "iptables_$2" "$1"
    echo COMMIT
}

iptables_mangle() {
    iptables_pre "$1"
    iptables_home "$1"
    iptables_forward
    [ "$source" = proxy ] || iptables_return_output
    echo "-A BRAID_OUT $mine -m conntrack --ctstate RELATED $steer"
    echo "-A BRAID_OUT $ask -m conntrack --ctstate RELATED $steer"
    ! is_local || iptables_local_output "$1"
}

# As nft_return_output.
iptables_return_output() {
    echo "-A BRAID_OUT -p tcp --syn -m addrtype ! --src-type LOCAL -j CONNMARK --set-xmark $RETURN/$MASK"
    echo "-A BRAID_OUT -m conntrack --ctstate RELATED -m connmark --mark $RETURN/$MASK $return"
}

iptables_pre() {
    ! is_tproxy || iptables_tproxy "$1"
    echo "-A BRAID_PRE -i $tun -j RETURN"
    echo "-A BRAID_PRE -i lo -j RETURN"
    if [ "$source" = client ]; then
        for protocol in tcp "$(icmp "$1")"; do
            echo "-A BRAID_PRE -p $protocol -m socket --transparent $return"
        done
        echo "-A BRAID_PRE -m mark --mark $RETURN/$MASK -j RETURN"
    fi
    echo "-A BRAID_PRE $mine -g BRAID_MARK"
    for nat in SNAT DNAT; do
        echo "-A BRAID_PRE -p tcp -m connmark --mark $ASK/$MASK -m conntrack --ctstate $nat $passed"
    done
    echo "-A BRAID_PRE $ask -g BRAID_MARK"
    echo "-A BRAID_PRE -m connmark --mark $PASSED/$MASK -j RETURN"
    echo "-A BRAID_PRE -p tcp -m connmark --mark $ASK/$MASK $passed"
    echo "-A BRAID_PRE -m connmark --mark $PASSED/$MASK -j RETURN"
    ! is_edge || iptables_edge "$1"
    for device in $lans; do
        enters="-i $device -p tcp --dport ${ports%-*}:${ports#*-} -m addrtype ! --dst-type LOCAL"
        echo "-A BRAID_PRE $enters --syn -m conntrack --ctstate NEW -g BRAID_HOME"
        is_tproxy || echo "-A BRAID_PRE $enters --tcp-flags SYN NONE -m conntrack --ctstate NEW,INVALID -g BRAID_HOME"
    done
    echo "-A BRAID_MARK $steer"
}

iptables_edge() {
    for device in ${devices:-+}; do
        enters="-i $device -p tcp --dport ${ports%-*}:${ports#*-} -m addrtype ! --dst-type LOCAL"
        echo "-A BRAID_PRE $enters --syn --tcp-option 30 -m conntrack --ctstate NEW -g BRAID_SYN"
        echo "-A BRAID_PRE $enters --tcp-flags SYN NONE -m conntrack --ctstate NEW,INVALID -g BRAID_SYN"
    done
    for each in $(excepted "$1"); do echo "-A BRAID_SYN -d $each -j RETURN"; done
    echo "-A BRAID_SYN -j BRAID_MARK"
}

# As nft_home_chain.
iptables_home() {
    echo "-A BRAID_HOME -m mark --mark $EXEMPT/$MASK -j RETURN"
    echo "-A BRAID_HOME -p tcp --tcp-option 30 -j RETURN"
    for each in $macs; do echo "-A BRAID_HOME -m mac --mac-source $each -j RETURN"; done
    iptables_spared BRAID_HOME "$1"
    if is_tproxy; then echo "-A BRAID_HOME -g BRAID_HAND"; else echo "-A BRAID_HOME -g BRAID_MARK"; fi
}

# iptables_spared CHAIN FAMILY: addresses and ports.
iptables_spared() {
    for each in $excepted_ports; do echo "-A $1 -p tcp --dport ${each%-*}:${each#*-} -j RETURN"; done
    for each in $(spared "$2"); do echo "-A $1 -d $each -j RETURN"; done
}

iptables_spared_owners() { # CHAIN
    for each in $users; do echo "-A $1 -m owner --uid-owner $each -j RETURN"; done
    for each in $cgroups; do echo "-A $1 -m cgroup --path ${each#/} -j RETURN"; done
}

# As nft_tproxy_prerouting. TPROXY drops what finds no socket, so there must be none of it unless somebody listens.
iptables_tproxy() {
    echo "-A BRAID_PRE -i $tun -j RETURN"
    echo "-A BRAID_PRE -p tcp -m socket --transparent $return"
    echo "-A BRAID_PRE -p tcp -m socket --transparent -j ACCEPT"
    answers "$1" || return
    echo "-A BRAID_PRE -p tcp -m conntrack --ctdir ORIGINAL -m connmark --mark $RETURN/$MASK -g BRAID_HAND"
    echo "-A BRAID_PRE -p tcp -i lo -m mark --mark $RETURN/$MASK -g BRAID_HAND"
    echo "-A BRAID_HAND -j CONNMARK --set-xmark $RETURN/$MASK"
    if [ "$1" = 4 ]; then on=127.0.0.1; else on=::1; fi
    echo "-A BRAID_HAND -p tcp -j TPROXY --on-ip $on --on-port $tproxy --tproxy-mark $RETURN/$MASK"
}

# As nft_local_output.
iptables_local_output() {
    if ! is_tproxy; then
        into="-A BRAID_OUT -p tcp -o $tun" exempt="-j MARK --set-xmark $EXEMPT/$MASK"
        echo "$into -m conntrack --ctstate NEW -m connmark --mark 0/$MASK -j CONNMARK --set-xmark $STEER/$MASK"
        echo "$into -m connmark --mark $ASK/$MASK -m conntrack --ctstate SNAT $passed"
        echo "$into -m connmark --mark $PASSED/$MASK $exempt"
        for each in $cgroups; do echo "$into -m cgroup --path ${each#/} $exempt"; done
        return
    fi
    iptables_spared_owners BRAID_OWN
    iptables_spared BRAID_OWN "$1"
    echo "-A BRAID_OWN -j CONNMARK --set-xmark $RETURN/$MASK"
    echo "-A BRAID_OWN $return"
    answers "$1" || return
    echo "-A BRAID_OUT -p tcp -m addrtype ! --src-type LOCAL -m connmark --mark 0/$MASK -j CONNMARK --set-xmark $RETURN/$MASK"
    echo "-A BRAID_OUT -p tcp ! -o lo -m addrtype --src-type LOCAL -m connmark --mark $RETURN/$MASK $return"
    echo "-A BRAID_OUT -p tcp -o $tun -j RETURN"
    echo "-A BRAID_OUT -p tcp ! -o lo --syn --dport ${ports%-*}:${ports#*-} -m conntrack --ctstate NEW" \
        "-m mark --mark 0/$MASK -g BRAID_OWN"
}

iptables_forward() {
    from="-A BRAID_FWD -i $tun ! -o $tun"
    echo "-A BRAID_FWD ! -p tcp -j RETURN"
    echo "-A BRAID_FWD -o $tun -m conntrack --ctstate NEW -m mark --mark $STEER/$MASK -j CONNMARK --set-xmark $STEER/$MASK"
    echo "$from -p tcp --syn $passed"
    echo "$from $mine $passed"
    echo "$from $ask $passed"
    echo "$from -m conntrack --ctstate NEW -m connmark --mark 0/$MASK -j CONNMARK --set-xmark $ASK/$MASK"
    echo "-A BRAID_FWD ! -i $tun ! -o $tun -p tcp --syn -m connmark --mark $STEER/$MASK -j CONNMARK --set-xmark 0/$MASK"
}

iptables_nat() {
    if is_local && ! is_tproxy; then
        echo "-A BRAID_POST -p tcp -s $(subnet "$1") ! -o $tun -j MASQUERADE"
    fi
}

# As nft_orphans, and nft_quic_chains.
iptables_filter() {
    for device in $lans; do
        echo "-A BRAID_FILTER -i $device ! -o $tun -p tcp --tcp-flags SYN NONE $mine -j REJECT --reject-with tcp-reset"
    done
    [ "$quic" = reject ] || return 0
    for each in $macs; do echo "-A BRAID_FILTER -m mac --mac-source $each -j RETURN"; done
    for device in $lans; do echo "-A BRAID_FILTER -i $device -p udp --dport 443 -g BRAID_REFUSE"; done
    if is_local; then
        iptables_spared_owners BRAID_QUICOUT
        echo "-A BRAID_QUICOUT ! -o lo -p udp --dport 443 -g BRAID_REFUSE"
    fi
    echo "-A BRAID_REFUSE -m mark --mark $EXEMPT/$MASK -j RETURN"
    for each in $(spared "$1"); do echo "-A BRAID_REFUSE -d $each -j RETURN"; done
    echo "-A BRAID_REFUSE -j REJECT"
}

# iptables on top of nftables makes its tables and its own chains when they are first used, and leaves them. down removes
# those that were not there before, if they are still empty.
nft_family() { if [ "$1" = 4 ]; then echo ip; else echo ip6; fi; }

remember_absent() { # FAMILY TABLE
    have nft || return 0
    kind=$(nft_family "$1")
    for call in $(calls_of "$2"); do
        nft list chain "$kind" "$2" "${call%:*}" >/dev/null 2>&1 || remember "absent$1$2" "${call%:*}"
    done
    nft list table "$kind" "$2" >/dev/null 2>&1 || remember "absent$1$2" table
}

remove_absent() { # FAMILY TABLE
    kind=$(nft_family "$1")
    for each in $(remembered "absent$1$2"); do
        if [ "$each" != table ]; then
            "$(tables "$1")" -w -t "$2" -X "$each" 2>/dev/null
        elif ! nft list table "$kind" "$2" 2>/dev/null | grep -q chain; then
            nft delete table "$kind" "$2" 2>/dev/null
        fi
    done
}

up_iptables() {
    for family in $(families); do
        for table in mangle nat filter; do
            case " $(iptables_tables | tr '\n' ' ')" in
            *" $table "*) up_table "$family" "$table" || return 1 ;;
            *) down_table "$family" "$table" || return 1 ;;
            esac
        done
    done
    up_names
}

up_table() { # FAMILY TABLE
    ipt=$(tables "$1")
    remember_absent "$1" "$2"
    say "$ipt: chains BRAID_* in table $2"
    iptables_rules "$1" "$2" | "$ipt-restore" -w --noflush || return 1
    for call in $(calls_of "$2"); do
        "$ipt" -w -t "$2" -C "${call%:*}" -j "BRAID_${call#*:}" 2>/dev/null ||
            run "$ipt" -w -t "$2" -A "${call%:*}" -j "BRAID_${call#*:}" || return 1
    done
}

rules_iptables() {
    for family in $(families); do
        for table in $(iptables_tables); do
            "$(tables "$family")-save" -t "$table" 2>/dev/null | grep BRAID_
        done
    done
    rules_names
}

is_up_table() { "$(tables "$1")-save" -t "$2" 2>/dev/null | grep -q '^:BRAID_'; }

# To name a chain is to empty it, so that none is called by another when it goes.
iptables_removal() {
    echo "*$1"
    for chain in $(chains_of "$1"); do echo ":$chain - [0:0]"; done
    for chain in $(chains_of "$1"); do echo "-X $chain"; done
    echo COMMIT
}

# To ask iptables for a table may be to make it.
has_table() {
    if ! "$(tables "$1")" -V | grep -q nf_tables; then
        grep -qx "$2" "/proc/net/$(nft_family "$1")_tables_names" 2>/dev/null
    elif have nft; then
        nft list table "$(nft_family "$1")" "$2" >/dev/null 2>&1
    fi
}

down_table() { # FAMILY TABLE
    ipt=$(tables "$1")
    has_table "$@" && is_up_table "$@" || return 0
    for call in $(calls_of "$2"); do
        while "$ipt" -w -t "$2" -D "${call%:*}" -j "BRAID_${call#*:}" 2>/dev/null; do
            say "$ipt -w -t $2 -D ${call%:*} -j BRAID_${call#*:}"
        done
    done
    say "$ipt: removing the chains BRAID_* from table $2"
    iptables_removal "$2" | "$ipt-restore" -w --noflush || return 1
    remove_absent "$@"
}

down_iptables() {
    for family in $(families); do
        have "$(tables "$family")" || continue
        for table in mangle nat filter; do down_table "$family" "$table" || return 1; done
    done
}
