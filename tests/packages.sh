#!/bin/bash
# Installs those of the named Debian packages that are missing, as root or through sudo. Silent when all are there.
set -eu
missing=()
for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "packages are missing, and neither root nor sudo is here to install them: ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo DEBIAN_FRONTEND=noninteractive)
fi
echo "installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install_missing() {
    "${as_root[@]}" apt-get install -y --no-install-recommends -qq "${missing[@]}" >>"$log" 2>&1
}
if ! install_missing; then
    "${as_root[@]}" apt-get update -qq >>"$log" 2>&1 || true
    install_missing || { cat "$log" >&2; exit 1; }
fi
