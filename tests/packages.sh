#!/bin/sh
# Installs those of the named Debian packages that are missing, as root or through sudo. Silent when all are there.
set -eu
missing=
for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "missing packages, and neither root nor sudo to install them:" $missing >&2; exit 1; }
    as_root=sudo
fi
echo "installing Debian packages:" $missing
export DEBIAN_FRONTEND=noninteractive
install() { $as_root apt-get install -y --no-install-recommends -qq $missing >"$log" 2>&1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install || { $as_root apt-get update -qq >>"$log" 2>&1 && install; } || { cat "$log" >&2; exit 1; }
