#!/bin/bash
# Runs `make run`, `make check` and `make test` on a fresh Debian of that release: in a root made by debootstrap. Root only.
#
#   tests/debian.sh 12|13 [TEST]...
#   tests/debian.sh 12|13 --package OLD.deb NEW.deb
#
# Exit 0 when a reader was answered, Ctrl-C ended everything, and checks and tests passed; ends with the tests' last line.
# With --package the root is a minimal one: a package is installed there, serves, is upgraded to another with a changed
# configuration, and purged; exit 0 when nothing of it is left.
#
# The root stays in build/debian-RELEASE/ and is brought up to date the next time; remove that folder for a new one. What is
# committed is cloned into it. Mirror and proxies are those of this machine's apt. Nothing outside that folder is written,
# but for the package debootstrap where that is missing.
#
# What runs in the root has process ids and mounts of its own, so that the kernel ends all of it, and undoes the mounts, when
# its first process ends in whatever way.
set -eu
shopt -s inherit_errexit

readonly ALL_S=7200   # how long everything in the root may take
readonly START_S=1800 # ... `make run` until it serves, with packages to install and programs to build
readonly ANSWER_S=30  # ... a reader's city and temperature
readonly END_S=30     # ... `make run` to end after Ctrl-C
readonly CLONE=/root/masthead

fail() {
    printf 'debian: %s\n' "$1" >&2
    exit 1
}

say() { printf '\n%s\n' "$1"; }

# Waits for a condition of the outside world: until_true SECONDS COMMAND...
until_true() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.2
    done
}

# --- On this machine ---

# The first repository of this machine with this label.
repository() {
    # shellcheck disable=SC2016 # apt's own fields
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        awk -v label="$1" '$1 == label && !uri { uri = $2 } END { print uri }'
}

# How this machine reaches them.
apt_reach() { apt-config dump --format '%f "%v";%n' Acquire | grep -E '^Acquire::(https?|Check-|Retries|Force)' || :; }

apt_proxy() {
    local proxy
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [ "${proxy:-}" = DIRECT ] || printf '%s' "${proxy:-}"
}

# An unfinished root has another name. With netbase, by which every installed Debian knows localhost, and what else is named.
bootstrap() {
    local proxy
    say "Debian $release: making a root in $root"
    rm -rf "$root.new"
    mkdir -p "$root.new"
    proxy=$(apt_proxy)
    http_proxy=${http_proxy:-$proxy} debootstrap --variant=minbase --include="ca-certificates,netbase$include" "$codename" \
        "$root.new" "$mirror" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
    # Debian's daemons, as packages start them, are none of ours.
    printf '#!/bin/sh\nexit 101\n' >"$root.new/usr/sbin/policy-rc.d"
    chmod 755 "$root.new/usr/sbin/policy-rc.d"
    mv "$root.new" "$root"
}

configure_apt() {
    local security
    security=$(repository Debian-Security)
    {
        echo "deb $mirror $codename main"
        echo "deb $mirror $codename-updates main"
        if [ -n "$security" ]; then echo "deb $security $codename-security main"; fi
    } >"$root/etc/apt/sources.list"
    apt_reach >"$root/etc/apt/apt.conf.d/90machine"
}

clone() {
    if [ -n "$(git status --porcelain)" ]; then echo 'Some files here differ from what is committed; the root gets what is committed.'; fi
    rm -rf "${root:?}$CLONE"
    git clone --quiet --no-hardlinks . "$root$CLONE"
}

# The root trusts whom this machine trusts: a proxy may have an authority of its own.
trust() {
    local authorities=/etc/ssl/certs/ca-certificates.crt
    if [ -s $authorities ]; then cp $authorities "$root$authorities"; fi
}

outside() {
    local codename mirror include=,make,git
    case $1 in
    12) codename=bookworm ;;
    13) codename=trixie ;;
    *) fail "Debian $1: not one of 12, 13" ;;
    esac
    release=$1 root=$PWD/build/debian-$1/root
    shift
    if [ "${1:-}" = --package ]; then root=${root%/*}/minimal include=; fi
    [ "$(id -u)" = 0 ] || fail 'root only: it mounts, and changes its root'
    tests/packages.sh debootstrap git util-linux
    mirror=$(repository Debian)
    [ -n "$mirror" ] || fail "apt here knows no mirror of Debian ('apt-get update' first)"
    mkdir -p "${root%/*}"
    exec 9>"${root%/*}/lock"
    flock --nonblock 9 || fail "$root is in use"
    [ -d "$root" ] || bootstrap
    configure_apt
    if [ -n "$include" ]; then
        clone
    else
        install -D tests/debian.sh "$root$CLONE/tests/debian.sh"
        cp "$2" "$root$CLONE/old.deb" && cp "$3" "$root$CLONE/new.deb"
    fi
    say "Debian $release: $(git log -1 --format='%h %s'), in $root"
    # In the foreground, for Ctrl-C; the kernel ends all when unshare's child, their first process, ends.
    exec timeout --foreground --kill-after=1 $ALL_S unshare --mount --propagation private --pid --fork --kill-child \
        "$BASH" "$0" --enter "$root" "$release" "$@"
}

# --- The first process of the root ---

enter() {
    local root=$1 name kept=()
    shift
    mount --bind "$root" "$root" # a mount of its own, so that tests can make it private to theirs
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    for name in TERM http_proxy https_proxy no_proxy; do
        if [ -n "${!name:-}" ]; then kept+=("$name=${!name}"); fi
    done
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    in_root() {
        env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            DEBIAN_FRONTEND=noninteractive "${kept[@]}" chroot "$root" "$@"
    }
    in_root sh -c 'apt-get update -qq && apt-get upgrade -y -qq' >"${root%/*}/upgrade.log" 2>&1 ||
        { cat "${root%/*}/upgrade.log" >&2; exit 1; }
    trust
    in_root "$CLONE/tests/debian.sh" --inside "$@"
}

# --- In the root ---

# Where `make run` says that it serves.
served() { url=$(sed -n 's/^  Masthead runs in developer mode. Open \(.*\)\/$/\1/p' "$run_log") && [ -n "$url" ]; }

served_or_ended() { served || ! kill -0 "$run" 2>/dev/null; }

# The reader's city, and a temperature.
answered() {
    answer=$(curl --silent --max-time 5 -H "X-Forwarded-For: $reader" "$url/widget.txt") &&
        [[ $answer = "$city "*[0-9]*°C ]]
}

run_ended() { ! kill -0 "$run" 2>/dev/null; }

# Whether nothing runs in this root but its first process and this one.
alone() {
    local processes=(/proc/[0-9]*)
    [ ${#processes[@]} -eq 2 ]
}

run_failed() {
    cat "$run_log" >&2
    fail "make run: $1"
}

# `make run`, a reader, Ctrl-C.
try_run() {
    run_log=$(mktemp)
    IFS=$'\t' read -r reader _ _ _ city _ < <(grep '^[0-9]' data/visitors.tsv)
    set -m # a process group of its own, to which Ctrl-C goes
    OFFLINE=1 make run LISTEN=127.0.0.1:0 >"$run_log" 2>&1 &
    run=$!
    set +m
    until_true $START_S served_or_ended || :
    served || run_failed 'it does not serve'
    until_true $ANSWER_S answered || run_failed "$reader was answered '$answer'"
    kill -INT -- "-$run"
    until_true $END_S run_ended || run_failed 'it does not end by Ctrl-C'
    grep -qx 'Stopping.' "$run_log" || run_failed 'it did not notice Ctrl-C'
    until_true $END_S alone || run_failed "it left processes: $(tr '\0' ' ' < <(cat /proc/[0-9]*/cmdline 2>/dev/null))"
    echo "$reader was answered '$answer'; Ctrl-C ended it, and no process is left"
}

# --- A package, in a minimal root ---

# What is there, beside what apt, dpkg and the kernel keep for themselves.
listing() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /run -o -path "$CLONE" -o -path /var/log \
        -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path '/etc/*-' \) -prune -o -print | sort
    cat /etc/passwd /etc/group
}

# As the unit starts it, by the account that the unit names, with weather from the simulator of the package.
try_package_serves() {
    local unit=/usr/lib/systemd/system/masthead.service sim_log serve_log user command sim serve url='' body=''
    sim_log=$(mktemp) serve_log=$(mktemp)
    user=$(sed -n 's/^User=//p' $unit) command=$(sed -n 's/^ExecStart=//p' $unit)
    masthead-sim --listen 127.0.0.1:0 >"$sim_log" 2>&1 &
    sim=$!
    until_true $ANSWER_S grep -q 'ready http' "$sim_log" || fail "masthead-sim does not serve: $(cat "$sim_log")"
    install -d -o "$user" -m 700 /var/lib/masthead
    # shellcheck disable=SC2086 # words
    STATE_DIRECTORY=/var/lib/masthead setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs $command \
        --set server.listen=127.0.0.1:0 --set server.ops_listen=127.0.0.1:0 --set earth.grid=no --set weather.providers=open-meteo \
        --set "weather.open_meteo_url=$(grep -o 'http://[0-9.:]*' "$sim_log")" >"$serve_log" 2>&1 &
    serve=$!
    until_true $ANSWER_S grep -q 'msg=ready' "$serve_log" || fail "it does not serve: $(cat "$serve_log")"
    url=http://$(grep 'msg=ready' "$serve_log" | grep -o '127.0.0.1:[0-9]*' | head -n 1)
    body=$(curl --silent --max-time 5 -H 'X-Forwarded-For: 192.0.2.1' "$url/widget.txt")
    kill "$serve"
    wait "$serve" || fail "it does not end: $(cat "$serve_log")"
    kill "$sim"
    [[ $body = 'Mumbai '*[0-9]*°C ]] || fail "it answered '$body'"
    echo "192.0.2.1 was answered '$body'"
}

apt_get() { apt-get "$@" -y -qq >apt.log 2>&1 || { cat apt.log >&2; exit 1; }; }

inside_package() {
    local config=/etc/masthead/widget.conf before after
    cd "$CLONE"
    say 'installed and purged once, for what it depends on'
    apt_get install ./old.deb
    apt_get purge masthead
    before=$(listing)

    say 'installed'
    apt_get install ./old.deb
    ! find /etc/systemd -name 'masthead*' | grep . || fail 'a unit is enabled'
    masthead --check-config --config $config
    try_package_serves

    say 'upgraded, with a changed configuration'
    sed -i 's/^max_age = .*/max_age = 4m/' $config
    apt_get install -o Dpkg::Options::=--force-confold ./new.deb
    grep -qx 'max_age = 4m' $config || fail 'the changed configuration is lost'
    [ -e $config.dpkg-dist ] || fail 'the new configuration is not beside it'
    [ -d /var/lib/masthead ] || fail 'the state is lost'
    try_package_serves

    say 'removed'
    apt_get remove masthead
    grep -qx 'max_age = 4m' $config || fail 'the configuration is lost'
    say 'purged'
    apt_get purge masthead
    after=$(listing)
    diff <(echo "$before") <(echo "$after") || fail 'a purge leaves something'
    echo 'nothing is left'
}

inside() {
    local release=$1 status=0
    shift
    if [ "${1:-}" = --package ]; then
        inside_package
        exit
    fi
    cd "$CLONE"
    say "Debian $release ($(cat /etc/debian_version)): make run"
    try_run
    say "Debian $release: make check"
    make check || status=1
    say "Debian $release: make test"
    make test TESTS="$*" || status=1
    exit $status
}

case ${1:-} in
--enter) shift && enter "$@" ;;
--inside) shift && inside "$@" ;;
'') fail 'which release? 12 or 13' ;;
*)
    cd "$(dirname "$0")/.."
    outside "$@"
    ;;
esac
