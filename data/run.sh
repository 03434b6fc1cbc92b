#!/usr/bin/env bash
# What `make run` does once build/ is there: the service in developer mode with all that it needs, until Ctrl-C.
#
#   [LISTEN=addr:port] [OPS_LISTEN=addr:port] [OFFLINE=1] [BUILD=folder] data/run.sh [--set SECTION.KEY=VALUE]...
#
# Readers come from data/visitors.mmdb at once. Where a city database named in widget.conf is missing, data/geoip.sh
# fetches it meanwhile, and the service swaps it in. Weather comes from the configured sources if the API answers, else
# from the simulator, point forecasts and whole earth alike. OFFLINE=1 makes no attempt to reach out: simulated weather, and the databases that are there.
#
# Ends everything that it started, in the order download, service, simulator. Exit 0 after Ctrl-C (or SIGTERM,
# SIGHUP); with the service's own status where that ends by itself.
set -eu
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

readonly DEFAULT_LISTEN='127.0.0.1:8080' DEFAULT_OPS='127.0.0.1:8081'
readonly VISITORS=data/visitors.mmdb
readonly ASK_S=3       # how long the weather API may take to say that it is there
readonly SIMULATOR_S=5 # ... and the simulator to start
readonly END_S=10      # how long a process may take to end before it is killed

build=${BUILD:-build}
listen=${LISTEN:-$DEFAULT_LISTEN}
offline=no
case ${OFFLINE:-no} in 0 | n | no) ;; *) offline=yes ;; esac

folder=''  # of this run, temporary
config=''  # the whole configuration, as the service prints it
weather='' # where it comes from, for people
missing='' # not empty: a configured city database is to be fetched
extra=("$@")

# Process ids, empty while not running. The log is who repeats the service's.
probe='' service='' simulator='' download='' log=''

fail() {
    printf 'run: %s\n' "$1" >&2
    exit "${2:-1}"
}

pause() { sleep 0.05; }

running() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

# Ends a process and waits for it.
end() {
    local tries=$((END_S * 20))
    [ -n "$1" ] || return 0
    kill "$1" 2>/dev/null || :
    while running "$1" && [ $((tries -= 1)) -gt 0 ]; do pause; done
    kill -KILL "$1" 2>/dev/null || :
    wait "$1" 2>/dev/null || :
}

stop() {
    local pid
    trap '' INT TERM HUP PIPE
    end "$probe"
    end "$download"
    end "$service"
    end "$simulator"
    for pid in $(jobs -p); do # a signal may have come before an id was noted
        if [ "$pid" != "$log" ]; then end "$pid"; fi
    done
    if [ -n "$log" ]; then wait "$log" || :; fi # its last lines
    if [ -n "$folder" ]; then rm -rf "$folder"; fi
}

interrupted() {
    trap '' INT TERM HUP PIPE
    printf '\nStopping.\n' 2>/dev/null || : # nobody may be reading any more
    exit 0
}

# The value of a key in the configuration: setting SECTION KEY.
setting() {
    awk -v section="[$1]" -v key="$2" '
        /^\[/ { here = $0 == section }
        here && $1 == key && $2 == "=" { sub(/^[^=]*= ?/, ""); print; exit }' <<<"$config"
}

# Whether the weather API says anything of use. Asked without a key, the host for customers answers with an error, in
# JSON too, which is as good a sign of life. Asked directly, as the service will; a proxy set there is secret, and
# believed.
weather_answers() {
    local url wanted='"hourly"' status=0
    if grep -q '^# proxy is set' <<<"$config"; then return 0; fi
    url=$(setting weather open_meteo_url)
    if [ -n "$(setting weather open_meteo_key_file)" ]; then wanted='{'; fi
    echo "Asking $url for weather (at most $ASK_S s)."
    curl --silent --max-time $ASK_S --noproxy '*' --output "$folder/forecast" \
        "$url/v1/forecast?latitude=19.1&longitude=72.9&hourly=temperature_2m&forecast_hours=1&timeformat=unixtime" &
    probe=$!
    wait $probe || status=$?
    probe=''
    [ $status -eq 0 ] && grep -q "$wanted" "$folder/forecast"
}

start_simulator() {
    local tries=$((SIMULATOR_S * 20)) url
    "$build/masthead-sim" --listen 127.0.0.1:0 >"$folder/simulator" &
    simulator=$!
    until url=$(sed -n 's/^masthead-sim ready //p' "$folder/simulator") && [ -n "$url" ]; do
        if ! running "$simulator" || [ $((tries -= 1)) -le 0 ]; then fail 'the weather simulator does not start'; fi
        pause
    done
    # Nobody else is asked: a provider further down the list would be reached for over the network.
    extra+=(--set weather.providers=open-meteo --set "weather.open_meteo_url=$url" --set weather.proxy=
        --set "earth.gfs_urls=$url" --set "earth.metar_url=$url/data/cache/metars.cache.csv.gz" --set dev.simulated=yes)
}

choose_weather() {
    if [ $offline = yes ]; then
        weather="simulated (OFFLINE=1)"
        start_simulator
    elif weather_answers; then
        weather="live, from $(setting weather open_meteo_url)"
    else
        weather="simulated: $(setting weather open_meteo_url) does not answer"
        start_simulator
    fi
}

# The configured databases, and the fake readers where they are not among them. A city database that is neither there
# nor to be fetched is left out: the service would not call itself ready without it.
choose_databases() {
    local list=$VISITORS file files
    IFS=',' read -ra files <<<"$(setting geoip databases)"
    for file in "${files[@]}"; do
        file=$(sed 's/^ *//; s/ *$//' <<<"$file")
        case $file in
        '' | "$VISITORS") continue ;;
        data/geoip/dbip-city-ipv[46].mmdb)
            if [ ! -f "$file" ] && [ $offline = yes ]; then continue; fi
            if [ ! -f "$file" ]; then missing=yes; fi
            ;;
        esac
        list+=", $file"
    done
    extra+=(--set "geoip.databases=$list")
}

# Repeats the service's log, and keeps the addresses of its "ready" line, logfmt or JSON.
follow_log() {
    local line
    trap '' INT TERM HUP PIPE
    while IFS= read -r line; do
        printf '%s\n' "$line" >&2
        if [[ $line =~ msg\"?[=:]\"?ready.*public\"?[=:]\"?([0-9.:]+).*ops\"?[=:]\"?([0-9.:]+) ]]; then
            printf '%s\n' "${BASH_REMATCH[@]:1}" >"$folder/addresses.new"
            mv "$folder/addresses.new" "$folder/addresses"
            break
        fi
    done
    exec cat >&2
}

# Port 0 for operators where the readers' port is not the usual one: a second service may be running.
start_service() {
    local ops=127.0.0.1:0
    if [ "$listen" = $DEFAULT_LISTEN ]; then ops=$DEFAULT_OPS; fi
    mkfifo "$folder/log"
    follow_log <"$folder/log" &
    log=$!
    "$build/masthead" --config widget.conf --set dev.enabled=yes --set "server.listen=$listen" \
        --set "server.ops_listen=${OPS_LISTEN:-$ops}" "${extra[@]}" 2>"$folder/log" &
    service=$!
    until [ -e "$folder/addresses" ]; do
        if ! running "$service"; then
            wait "$service" || service_ended $?
            service_ended 0
        fi
        pause
    done
}

# The service ended by itself: so does everything, with its status.
service_ended() {
    service=''
    end "$download" # it writes into the log, too
    download=''
    wait "$log" || : # its own words come first
    log=''
    fail "masthead ended with status $1" "$1"
}

# Its lines join the service's log.
start_download() {
    data/geoip.sh >"$folder/log" &
    download=$!
}

say_what_to_open() {
    local public ops readers='bundled ones, see data/visitors.tsv'
    { read -r public && read -r ops; } <"$folder/addresses"
    public=http://${public/#0.0.0.0:/127.0.0.1:}
    ops=http://${ops/#0.0.0.0:/127.0.0.1:}
    if [ -n "$missing" ]; then
        readers+="; real addresses when the city database has come"
    elif [ -s data/geoip/VERSION ]; then
        readers+="; real addresses by $(cat data/geoip/VERSION)"
    fi
    cat <<END

  Masthead runs in developer mode. Open $public/

    weather   $weather
    readers   $readers
    try       curl '$public/widget.txt?ip=192.0.2.1'
    watch     $ops/status
    stop      Ctrl-C

END
}

download_ended() {
    download=''
    if [ "$1" -eq 0 ]; then
        kill -HUP "$service"
    else
        echo "run: only the bundled readers have a place; 'make geoip' tries again, and the service notices" >&2
    fi
}

# Until the service or the simulator ends, or a signal does. Looks instead of waiting: bash's "wait -n" overlooks a child
# that ended before it was called.
attend() {
    local status
    while :; do
        status=0
        if ! running "$service"; then
            wait "$service" || status=$?
            service_ended $status
        elif [ -n "$simulator" ] && ! running "$simulator"; then
            wait "$simulator" || status=$?
            fail "the weather simulator ended with status $status"
        elif [ -n "$download" ] && ! running "$download"; then
            wait "$download" || status=$?
            download_ended $status
        fi
        sleep 0.2
    done
}

trap stop EXIT
trap interrupted INT TERM HUP PIPE
for program in masthead masthead-sim; do
    if [ ! -x "$build/$program" ]; then fail "$build/$program is not there: run 'make' first"; fi
done
folder=$(mktemp -d)
config=$("$build/masthead" --config widget.conf "${extra[@]}" --print-config) || exit
choose_weather
choose_databases
start_service
say_what_to_open
if [ -n "$missing" ]; then start_download; fi
attend
