#!/bin/sh
# All sources compile with musl, without a warning, and what needs no library but the C library's is linked statically and runs.
# musl-gcc has musl's headers only; those of the kernel and of other libraries are this machine's.
# Usage: tests/checks/musl.sh FOLDER, which is built into
set -eu
if ! command -v musl-gcc >/dev/null; then
    echo "musl: skipped: there is no musl-gcc, which is in the package musl-tools"
    exit 0
fi
build=$1
headers=$(mktemp -d)
trap 'rm -rf "$headers"' EXIT
machine=/usr/include/$(gcc -print-multiarch)
ln -s /usr/include/linux /usr/include/asm-generic "$machine/asm" /usr/include/event2 /usr/include/libmnl /usr/include/nftables \
    /usr/include/ini.h /usr/include/ares*.h /usr/include/cap-ng.h \
    /usr/include/seccomp*.h "$headers"
mkdir "$headers/openssl"
ln -s /usr/include/openssl/* "$machine"/openssl/* "$headers/openssl"

musl-gcc -fsyntax-only -std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE -Iinclude -Isrc -idirafter "$headers" src/*.c src/*/*.c
CPPFLAGS="-idirafter $headers" make -s CC=musl-gcc B="$build" LTO= LDFLAGS=-static "$build/braid-connect"
"$build/braid-connect" -h >/dev/null
echo "musl: every source compiles, and braid-connect is static"
