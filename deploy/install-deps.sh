#!/bin/sh
# Installs the Debian packages that building, demonstrating or testing Braid needs, if they are missing:
#     deploy/install-deps.sh build|demo|check|long|bench|study|home|deb|musl|ci ...
# Says what it installs; does nothing, quickly, if there is nothing to do. Services that come with the packages
# (nginx, haproxy, prometheus) are not started: only their programs are wanted here.
set -eu

build="gcc libc6-dev make libevent-dev libssl-dev libinih-dev libmnl-dev libnftables-dev libc-ares-dev libcap-ng-dev libseccomp-dev libjs-dygraphs"
demo="$build python3 iproute2 iptables nftables curl mptcpize nginx"
check="$demo haproxy git binutils check libsubunit-dev pkgconf zsh busybox clang util-linux prometheus dnsmasq-base iperf3 wget openssl systemd chromium chromium-driver bird2 keepalived"
long="$check openssh-client openssh-server nodejs postgresql libpython3.11-testsuite"
bench="$build python3 iproute2 iptables nftables mptcpize haproxy shadowsocks-libev iperf3 valgrind linux-perf"
study="$build python3 gnuplot-nox"
home="$demo shadowsocks-libev iperf3"
deb="$build git python3 iproute2 util-linux dpkg-dev debhelper lintian debootstrap"
musl="$build musl-tools"
ci="$long $deb $musl $study clang-format libclang-rt-dev llvm haproxy valgrind linux-perf"

wanted=
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    demo) wanted="$wanted $demo" ;;
    check) wanted="$wanted $check" ;;
    long) wanted="$wanted $long" ;;
    bench) wanted="$wanted $bench" ;;
    study) wanted="$wanted $study" ;;
    home) wanted="$wanted $home" ;;
    deb) wanted="$wanted $deb" ;;
    musl) wanted="$wanted $musl" ;;
    ci) wanted="$wanted $ci" ;;
    *) echo "usage: $0 build|demo|check|long|bench|study|home|deb|musl|ci ..." >&2; exit 2 ;;
    esac
done

missing=
for package in $(printf '%s\n' $wanted | sort -u); do
    status=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null || true)
    case $status in
    *installed*) [ "${status#*not-installed}" = "$status" ] || missing="$missing $package" ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "These packages are missing; install them, or run this as root:$missing" >&2
    exit 1
fi
echo "Installing with apt-get:$missing"

# invoke-rc.d asks policy-rc.d before it starts a service; 101 means "not allowed". An existing policy is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' > $policy
    chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y --no-install-recommends install $missing
