#!/bin/bash
# Packs what is built, for `make deb`: BUILD and VERSION say what. Without databases, whatever is in data/geoip; the same bytes
# whenever and wherever, by SOURCE_DATE_EPOCH (the time of the last commit, or that of the sources that were unpacked).
set -eu
cd "$(dirname "$0")/../.."
here=data/debian
root=$BUILD/deb/root meta=$BUILD/deb/debian
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Makefile)}
export LC_ALL=C
umask 022
rm -rf "$BUILD/deb"

DESTDIR=$root PREFIX=/usr CITIES='' data/ops/install.sh >/dev/null
strip --strip-unneeded --remove-section=.comment "$root"/usr/bin/*
sed -i 's/^DynamicUser=yes$/User=masthead/' "$root"/usr/lib/systemd/system/masthead{,@}.service
install -D -m 644 $here/masthead.sysusers "$root/usr/lib/sysusers.d/masthead.conf"
gzip -9 -n "$root"/usr/share/man/man8/*

doc=$root/usr/share/doc/masthead
for file in README.md data/README.md data/ops/README.md data/embed/README.md; do install -D -m 644 "$file" "$doc/$file"; done
install -m 644 $here/copyright "$doc/copyright"
gzip -9 -n <data/CHANGES.md >"$doc/CHANGES.md.gz"
maintainer=$(sed -n 's/^Maintainer: //p' $here/control)
printf 'masthead (%s) unstable; urgency=medium\n\n  * What is new stands in CHANGES.md.\n\n -- %s  %s\n' \
    "$VERSION" "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9 -n >"$doc/changelog.gz"

mkdir -p "$root/DEBIAN" "$meta"
install -m 755 $here/postinst $here/prerm $here/postrm "$root/DEBIAN"
(cd "$root" && find etc -type f -printf '/%p\n' | sort) >"$root/DEBIAN/conffiles"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

# The libraries' packages, with the versions that have what the programs use.
cp $here/control "$meta/control"
libraries=$(cd "$BUILD/deb" && dpkg-shlibdeps -O root/usr/bin/* 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
arch=$(dpkg --print-architecture)
kib=$(find "$root" -path "$root/DEBIAN" -prune -o -type f -printf '%s\n' | awk '{ kib += int(($1 + 1023) / 1024) } END { print kib }')
{
    sed -n '/^Package:/,/^Architecture:/p' $here/control | sed "s/^Architecture: any/Architecture: $arch/"
    printf 'Version: %s\nInstalled-Size: %s\n' "$VERSION" "$kib"
    grep -E '^(Section|Priority|Maintainer):' $here/control
    sed -n '/^Depends:/,$p' $here/control | sed "s/\${shlibs:Depends}/$libraries/"
} >"$root/DEBIAN/control"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
package=$BUILD/masthead_${VERSION}_$arch.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
echo "$package"
