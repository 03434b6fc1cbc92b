#!/bin/bash
# Puts the packages of tests/package.json, exactly as its lock file has them, into the folder given: once, and again only
# when one of the two files has changed. Silent when all is there. Runs no package's own scripts. Where npm or its registry
# cannot be reached it says so and exits 0: the tests that need these packages skip, with that reason.
set -eu
folder=$1
here=$(dirname "$0")

same() { cmp -s "$here/package.json" "$folder/package.json" && cmp -s "$here/package-lock.json" "$folder/package-lock.json"; }
[ ! -e "$folder/complete" ] || ! same || exit 0

echo "installing npm packages for the tests"
rm -rf "$folder"
mkdir -p "$folder"
cp "$here/package.json" "$here/package-lock.json" "$folder"
if npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error \
    --fetch-retries=1 --fetch-timeout=30000 >"$folder/log" 2>&1; then
    touch "$folder/complete"
else
    head -n 4 "$folder/log"
    echo "npm packages could not be installed; the tests that need them will be skipped"
fi
