# What /etc/config/braid says, as a braid.ini and by itself. Sourced by the scripts of the package, after OpenWrt's
# functions.sh; braid_ini needs network.sh as well.

# In a file of UCI, sections and options come one after the other, and call these back.
braid_end_option() {
    [ -z "$braid_key" ] || printf '%s = %s\n' "$braid_key" "$braid_value"
    braid_key=
}

braid_section() { # TYPE NAME; neither at the end
    braid_end_option
    braid_type=$1
    case $1 in
    '' | braid) ;;
    daemon | tun | admin | limits) printf '\n[%s]\n' "$1" ;;
    *) printf '\n[%s %s]\n' "$1" "$2" ;;
    esac
}

# The device that leads to a network is known once that is up; its name stands for it until then, and nothing has it.
braid_option() { # NAME VALUE
    braid_end_option
    [ -n "$braid_type" ] && [ "$braid_type" != braid ] || return 0
    braid_key=$1 braid_value=$2
    if [ "$braid_type.$1" = uplink.network ]; then
        braid_key=interface
        network_get_device braid_value "$2" || braid_value=$2
    fi
}

braid_list() { # NAME VALUE
    if [ "$1" = "$braid_key" ]; then braid_value="$braid_value, $2"; else braid_option "$1" "$2"; fi
}

# braid_ini: prints it. In a shell of its own, so that nobody else is called back.
braid_ini() {
    (
        braid_key='' braid_type=''
        config_cb() { braid_section "$@"; }
        option_cb() { braid_option "$@"; }
        list_cb() { braid_list "$@"; }
        echo "; Made of /etc/config/braid by /etc/init.d/braid."
        config_load braid || exit
        braid_end_option
    )
}

# braid_write FILE BRAIDD: puts it there if the daemon would take it. What is wrong is on standard error.
braid_write() {
    mkdir -p "${1%/*}" || return
    braid_ini >"$1.new" || return
    chmod 600 "$1.new" # it may have secrets
    if "$2" -t -c "$1.new" >/dev/null; then
        mv "$1.new" "$1"
    else
        rm -f "$1.new"
        return 1
    fi
}

braid_is_network() { # SECTION, of an uplink
    local network
    config_get network "$1" network
    [ "$network" != "$braid_network" ] || braid_found=yes
}

braid_is_lan() { [ "$1" != "$braid_network" ] || braid_found=yes; } # NETWORK

# braid_uses NETWORK: whether it is one of the uplinks, or one whose connections are carried.
braid_uses() {
    braid_network=$1 braid_found=
    config_load braid
    config_foreach braid_is_network uplink
    config_list_foreach main lan braid_is_lan
    [ -n "$braid_found" ]
}
