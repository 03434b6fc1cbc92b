"""The Debian package holds what it promises and nothing else, and lintian finds no error in it. The long form installs, upgrades
and purges it in a minimal Debian of its own."""
import os
import shutil
import subprocess
import tarfile

import pytest
from harness import BUILD, LONG, ROOT, SANITIZED

MOST_BYTES = 4 * 1024 * 1024

pytestmark = [pytest.mark.skipif(not shutil.which("dpkg-shlibdeps"), reason="dpkg-dev is not installed"),
              pytest.mark.skipif(SANITIZED, reason="a package is made of the usual build")]


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **{"timeout": 300, "cwd": ROOT, **options})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    made = run("make", "-s", "deb", f"BUILD={BUILD.relative_to(ROOT)}", env={**os.environ, "MAKEFLAGS": "", "SOURCE_DATE_EPOCH": "1700000000"})
    copy = tmp_path_factory.mktemp("package") / "masthead.deb"
    return shutil.copy(ROOT / made.splitlines()[-1], copy)


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    run("dpkg-deb", "-R", package, folder)
    return folder


def test_it_holds_what_it_promises(package, unpacked):
    assert package.stat().st_size <= MOST_BYTES
    for name in ("usr/bin/masthead", "usr/bin/masthead-sim", "usr/share/man/man8/masthead.8.gz", "usr/lib/sysusers.d/masthead.conf",
                 "usr/lib/systemd/system/masthead-geoip.timer", "usr/share/masthead/nginx.conf", "usr/share/masthead/alerts.yml",
                 "usr/share/doc/masthead/copyright", "usr/share/doc/masthead/data/embed/README.md"):
        assert (unpacked / name).is_file(), name
    assert [path.name for path in unpacked.rglob("*.mmdb")] == ["visitors.mmdb"]
    conffiles = (unpacked / "DEBIAN/conffiles").read_text().split()
    assert conffiles == ["/etc/masthead/data/visitors.mmdb", "/etc/masthead/widget.conf"]
    run(unpacked / "usr/bin/masthead", "--check-config", "--config", unpacked / "etc/masthead/widget.conf",
        "--set", f"server.state={unpacked}/state", cwd=unpacked)
    run("md5sum", "--check", "--quiet", "DEBIAN/md5sums", cwd=unpacked)


def test_everything_is_roots_and_of_the_stated_time(package):
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as process, \
            tarfile.open(fileobj=process.stdout, mode="r|") as tar:
        for member in tar:
            assert (member.uid, member.gid, member.mtime) == (0, 0, 1700000000), member.name
            assert member.mode & 0o7022 == 0, member.name


def test_its_units_run_as_its_account(unpacked):
    account = (unpacked / "usr/lib/sysusers.d/masthead.conf").read_text().splitlines()[-1].split()[1]
    for name in ("masthead.service", "masthead@.service"):
        lines = (unpacked / "usr/lib/systemd/system" / name).read_text().splitlines()
        assert f"User={account}" in lines and "DynamicUser=yes" not in lines
        assert any(line.startswith("ExecStart=/usr/bin/masthead ") for line in lines)
    if shutil.which("systemd-analyze"):
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", unpacked / "usr/lib/systemd/system/masthead.service")
        assert "exposure" in done


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is not installed")
def test_lintian_finds_no_error(package):
    done = subprocess.run(["lintian", "--fail-on", "error", package], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not LONG, reason="MASTHEAD_LONG is not set")
@pytest.mark.skipif(os.geteuid() != 0, reason="changes its root")
def test_it_is_installed_upgraded_and_purged(package, unpacked, tmp_path):
    newer, config = tmp_path / "newer", "etc/masthead/widget.conf"
    shutil.copytree(unpacked, newer, symlinks=True)
    control = (newer / "DEBIAN/control").read_text().replace("\nVersion: ", "\nVersion: 1:")
    (newer / "DEBIAN/control").write_text(control)
    with open(newer / config, "a", encoding="utf-8") as file:
        file.write("# of the newer version\n")
    run("dpkg-deb", "--root-owner-group", "--build", newer, tmp_path / "newer.deb")
    with open("/etc/debian_version", encoding="ascii") as file:
        release = file.read().split(".")[0]
    assert "nothing is left" in run("tests/debian.sh", release, "--package", package, tmp_path / "newer.deb", timeout=1800)
