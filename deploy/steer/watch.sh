# shellcheck shell=sh
# The watcher: a process in a session of its own that puts back what was removed. Firewalls that are loaded anew may begin
# with removing everything, and until it is back, the packets of open connections go to servers that reset them. It also
# gives the TUN its settings when it appears, and takes away what would lead to Braid's listening socket when nobody listens.
# Sourced by braid-steer.

TICK=5   # seconds between two looks without a reason
LOOK=0.4 # between two looks for who listens, which takes little

# A line for each transaction on the packet filters (those of iptables are nft's, too, but for iptables-legacy), for each
# policy routing rule that is deleted, for what happens to the TUN, and for each tick.
changes() {
    if have nft; then
        while nft monitor 2>/dev/null | grep --line-buffered '^# new generation'; do sleep 1; done &
    fi
    while ip monitor rule 2>/dev/null | grep --line-buffered '^Deleted'; do sleep 1; done &
    while ip -o monitor link 2>/dev/null | grep --line-buffered -F ": $tun: "; do sleep 1; done &
    ! is_tproxy || while sleep $LOOK; do echo look; done &
    while sleep $TICK; do echo tick; done
}

lacks() {
    text=$1
    shift
    "$@" || lost="$lost${lost:+, }$text"
}

tell() { # nobody sees the watcher's standard error
    [ "$told" != "$*" ] || return 0
    told=$*
    if have logger; then logger -t braid-steer -p daemon.warning -- "$*"; fi
}

put_back() {
    lost=
    each_part lacks
    [ -n "$lost" ] || return 0
    # Whole is what up has left: if more is removed meanwhile, its news is on the way.
    if up_settings && up_routing && "up_$backend" && are_rules_whole; then
        told=
        tell "somebody has removed: $lost; it is there again"
        # Whoever fights with us for it does not get all of the machine.
        repairs=$((repairs + 1))
        [ $repairs -le 3 ] || sleep 1
    else
        tell "somebody has removed: $lost; it cannot be put back"
    fi
}

# Of --tproxy: whether somebody listens has changed.
follow_answer() {
    before=$answered
    look_for_answer
    [ "$before" != "$answered" ] || return 0
    "up_$backend" && remember_rules
    if [ -n "$answered" ]; then
        tell "somebody listens on port $tproxy: connections are handed over"
    else
        tell "nobody listens on port $tproxy: connections are left to the kernel"
    fi
}

recall() {
    tun=$(remembered tun) backend=$(remembered backend) inner4=$(remembered inner4) inner6=$(remembered inner6)
    forget_options
    # shellcheck disable=SC2046 # words
    parse "$command" $(remembered options)
    answered=$(remembered answered)
}

watch() {
    told=
    repairs=0 # since the last tick
    ticks=0
    recall
    changes | while read -r news; do
        case $(remembered watcher) in
        "$$") ;;
        '') [ -f "$state" ] || kill 0; continue ;; # it may not be noted yet
        *) kill 0 ;;
        esac
        ! is_tproxy || follow_answer >/dev/null 2>&1
        case $news in
        look) continue ;;
        tick) repairs=0; ! is_home || keep_names ;;
        *": $tun: "*) up_settings && up_routing ;;
        esac >/dev/null 2>&1
        put_back >/dev/null 2>&1
    done
}

is_watched() { grep -qa 'braid-steer.watch' "/proc/$(remembered watcher)/cmdline" 2>/dev/null; }

start_watcher() {
    if [ "$watched" = no ]; then return; fi
    have setsid || { complain "setsid is missing: nobody will put back what others remove"; return; }
    setsid "$0" watch --state "$state" </dev/null >/dev/null 2>&1 &
    remember watcher $!
}

# It leads a process group, and with it goes whatever it is just doing.
stop_watcher() {
    tries=50
    while is_watched && [ $tries -gt 0 ]; do
        kill -- "-$(remembered watcher)" 2>/dev/null
        tries=$((tries - 1))
        sleep 0.1
    done
}
