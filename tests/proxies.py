"""What a site has in front of its pages and of the service: real nginx, Varnish, HAProxy, Apache and Caddy with the recipes of
data/embed, or with a cache of the test's own; and behind them pages, or a service that misbehaves."""
import contextlib
import gzip
import http.client
import os
import re
import shutil
import socket
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness import ROOT, Answer, Process, wait_until

RECIPES = ROOT / "data" / "embed"
SERVICE, SITE = "127.0.0.1:8080", "127.0.0.1:8000"  # as the recipes name them
LONGEST_S = 60
MUMBAI, LONDON = "192.0.2.1", "198.51.100.17"
COOKIES = {"Cookie": "a=" + "b" * 8100}  # as long as nginx and Varnish allow, and longer than the service does

# What can become of the service behind a page that is assembled, and whether an edge has to wait to find out.
FAULTS = {"hanging": True, "late": True, "hanging, queue full": True, "down": False}
ERRORS = [400, 404, 429, 431, 500, 503]
LATE_S = 4     # later than any recipe waits
SLACK_S = 0.5  # on a busy machine everything takes longer
HALF = "half an answer"
WAIT_S = 0.4   # a recipe gives up no sooner than this
FRAGMENT = '<span class="masthead-weather" data-state="fresh">Mumbai 31 °C</span>'

# How a cache keeps what it must not.
CARELESS = "proxy_ignore_headers Cache-Control; proxy_cache_valid 200 10m;"
CACHE_CONF = """
    server {{
        listen 80;
        location / {{
            proxy_pass {}; proxy_cache cache; proxy_cache_revalidate on; proxy_set_header X-Test-Reader $remote_addr;
            add_header X-Cache $upstream_cache_status always; {}
        }}
    }}"""
CACHE_VCL = """
    vcl 4.1;
    backend inner {{ .host = "127.0.0.1"; .port = "{}"; {} }}
    sub vcl_recv {{ set req.http.X-Test-Reader = client.ip; }}"""


def recipe(name, service=None, site=None):
    """A recipe as it is in its file, but for the ports of the service and the site."""
    text = (RECIPES / name).read_text(encoding="utf-8")
    for written, real in ((SERVICE, service), (SITE, site)):
        if real:
            old, new = written.rsplit(":", 1)[1], str(urllib.parse.urlsplit(real).port)
            assert old in text, f"{name} names no port {old}"
            text = text.replace(old, new)
    return text


def cities_in(text):
    """The cities that the fragments in a page name."""
    return re.findall(r'class="masthead-place">([^<]*)<', text)


def cities_in_turn(edge):
    """What two readers, from Mumbai and London, see on the page / who come in turn, twice each."""
    readers = [edge.connect(MUMBAI), edge.connect(LONDON)] * 2
    return [city for reader in readers for city in cities_in(reader.get("/").text)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Edge(Process):
    """A web server that answers at `url` once it is made."""

    def __init__(self, command, port, env=None):
        super().__init__(command, env)
        self.url = f"http://127.0.0.1:{port}"
        wait_until(lambda: self.listens(port), what=command[0])

    def listens(self, port):
        assert self.child.poll() is None, self.log()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0


class Nginx(Edge):
    """nginx with one server, in `site`, which listens on port 80 there. Who the reader is, a test says in X-Test-Reader,
    as some CDNs do in a header of theirs, unless `readers` says otherwise."""

    vcl_backend = ""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")

    def __init__(self, folder, site, readers="set_real_ip_from 127.0.0.1; real_ip_header X-Test-Reader;"):
        port = free_port()
        assert site.count("listen 80;") == 1
        temporary = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(f"""
            {"user root;" if os.geteuid() == 0 else ""} daemon off; worker_processes 1; pid {folder}/pid;
            error_log stderr; events {{ worker_connections 1024; }}
            http {{
                access_log off; default_type text/html; {temporary}
                include /etc/nginx/mime.types;
                proxy_cache_path {folder}/cache keys_zone=cache:1m; keepalive_requests 1000000;
                {readers}
                {site.replace("listen 80;", f"listen 127.0.0.1:{port};")}
            }}""", encoding="utf-8")
        super().__init__([self.program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"], port)

    def connect(self, address):
        return Connection(self.url, headers={"X-Test-Reader": address})


class Varnish(Edge):
    """Varnish; who the reader is, the PROXY line says with which a connection begins, as a TLS proxy writes it."""

    vcl_backend = ".proxy_header = 1;"  # for a Varnish in front of this one
    program = shutil.which("varnishd", path="/usr/sbin:/usr/bin")

    def __init__(self, folder, vcl):
        port = free_port()
        (folder / "edge.vcl").write_text(vcl, encoding="utf-8")
        # Holddown: a refused connection must not hide from a test what comes after it.
        super().__init__([self.program, "-n", str(folder / "varnish"), "-F", "-j", "none", "-T", "none", "-s", "default,32m",
                          "-p", "timeout_idle=60", "-p", "backend_remote_error_holddown=0",
                          "-a", f"127.0.0.1:{port},PROXY", "-f", str(folder / "edge.vcl")], port)

    def connect(self, address):
        family = "TCP6" if ":" in address else "TCP4"
        return Connection(self.url, f"PROXY {family} {address} {address} 40000 80\r\n")


class HAProxy(Edge):
    """HAProxy with the frontends and backends of `site`, one of which listens on port 80 there. Who the reader is, the PROXY line
    says, as for Varnish, unless the reader is the test: `proxied` is false."""

    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin")

    def __init__(self, folder, site, proxied=True):
        port = free_port()
        self.proxied = proxied
        assert site.count("bind :80\n") == 1
        site = site.replace("bind :80", f"bind 127.0.0.1:{port}" + " accept-proxy" * proxied)
        (folder / "haproxy.cfg").write_text(f"""
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
    timeout http-request 2s
{site}
""", encoding="utf-8")
        super().__init__([self.program, "-db", "-f", str(folder / "haproxy.cfg")], port)

    def connect(self, address):
        return Varnish.connect(self, address) if self.proxied else Connection(self.url)


class Apache(Edge):
    """Apache with one virtual host, whose configuration is `site`. Who the reader is, the test says in X-Test-Reader."""

    program = shutil.which("apache2", path="/usr/sbin:/usr/bin")

    def __init__(self, folder, site):
        port = free_port()
        modules = ("mpm_event", "authz_core", "headers", "remoteip", "proxy", "proxy_http", "proxy_fcgi")
        (folder / "apache.conf").write_text("\n".join([
            *(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in modules),
            "User nobody", "Group nogroup", "ServerName 127.0.0.1", f"PidFile {folder}/pid", "ErrorLog /dev/stderr", f"Listen 127.0.0.1:{port}",
            "RemoteIPHeader X-Test-Reader", f"DefaultRuntimeDir {folder}", f"DocumentRoot {folder}",
            f"<VirtualHost *:{port}>\n{site}\n</VirtualHost>"]), encoding="utf-8")
        super().__init__([self.program, "-d", str(folder), "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"], port)

    connect = Nginx.connect


class Caddy(Edge):
    """Caddy with one site. The reader is the test, whatever it says in X-Forwarded-For."""

    program = shutil.which("caddy", path="/usr/sbin:/usr/bin")

    def __init__(self, folder, site):
        port = free_port()
        (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tstorage file_system {folder}\n}}\nhttp://127.0.0.1:{port} {{\n{site}\n}}\n",
                                          encoding="utf-8")
        super().__init__([self.program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"], port,
                         {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)})

    def connect(self, address):
        return Connection(self.url, headers={"X-Forwarded-For": address})


class Connection:
    """A reader's connection to an edge, which is kept from one request to the next."""

    def __init__(self, url, greeting="", headers=None):
        parts = urllib.parse.urlsplit(url)
        self.headers = headers or {}
        self.greeting = greeting
        self.http = http.client.HTTPConnection(parts.hostname, parts.port, timeout=LONGEST_S)
        self.http.connect()
        self.http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.http.sock.sendall(greeting.encode())

    def get(self, path, headers=None, method="GET", body=None):
        self.http.request(method, path, body, {**self.headers, **(headers or {})})
        return Answer(self.http.getresponse())

    def close(self):
        self.http.close()


class Pages(ThreadingHTTPServer):
    """A web server with the pages that are put into it: a site, or what stands in for the service. It has validators on
    each page and answers 304 to them, as static files do, and compresses for who can read it."""

    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), PagesHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.pages = {}
        self.asked = []
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def put(self, path, body, status=200, delay_s=0, begins=False, **headers):
        """Puts a page; an underscore in a header's name is a dash. A slow answer is the fault itself: it comes after
        `delay_s`, or begins at once and then halts for that long."""
        named = {"Content-Type": "text/html; charset=utf-8"}
        named.update((name.replace("_", "-"), value) for name, value in headers.items())
        self.pages[path] = (status, named, body.encode(), delay_s, begins)
        return self

    def handle_error(self, request, client_address):
        """Who does not wait for a slow answer is nothing to report."""

    def stop(self):
        self.closing.set()
        self.shutdown()
        self.server_close()


class PagesHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    validators = {"ETag": '"one"', "Last-Modified": "Sat, 31 Jan 2026 09:00:00 GMT"}

    def log_message(self, *args):
        """Silent: what matters is in Pages.asked."""

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.path, dict(self.headers)))
        missing = (404, {}, b"no such page", 0, False)
        status, headers, body, delay_s, begins = self.server.pages.get(self.path.split("?")[0], missing)
        self.server.closing.wait(0 if begins else delay_s)
        if status == 200 and ("If-None-Match" in self.headers or "If-Modified-Since" in self.headers):
            status, body = 304, b""
        if body and "gzip" in self.headers.get("Accept-Encoding", ""):
            body, headers = gzip.compress(body), {**headers, "Content-Encoding": "gzip"}
        self.send_response(status)
        for name, value in {**self.validators, **headers}.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        half = len(body) // 2 if begins else 0
        self.wfile.write(body[:half])
        self.wfile.flush()
        self.server.closing.wait(delay_s if begins else 0)
        self.wfile.write(body[half:])

    do_POST = do_GET


class Deaf:
    """A service that hangs: the kernel takes connections for it until the queue is full, it takes none."""

    def __init__(self, port, full):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.socket.listen(0)
        self.waiting = [socket.socket() for _ in range(8 if full else 0)]
        for connection in self.waiting:
            connection.setblocking(False)
            connection.connect_ex(self.socket.getsockname())

    def stop(self):
        for connection in [*self.waiting, self.socket]:
            connection.close()


@contextlib.contextmanager
def faulty(fault, port):
    """What is at `port` in the place of the service, with one of FAULTS."""
    if fault == "down":
        yield
        return
    if "hanging" in fault:
        ill = Deaf(port, full="full" in fault)
    else:
        ill = Pages(port).put("/widget", FRAGMENT, delay_s=LATE_S, begins=fault == HALF)
    yield
    ill.stop()


class Edges:
    """Makes edges, pages and faults, each in a folder of its own, and ends them all."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def nginx(self, site, **options):
        return self._start(Nginx, site, **options)

    def varnish(self, vcl):
        return self._start(Varnish, vcl)

    def haproxy(self, site, **options):
        return self._start(HAProxy, site, **options)

    def apache(self, site):
        return self._start(Apache, site)

    def caddy(self, site):
        return self._start(Caddy, site)

    def pages(self):
        return self._keep(Pages())

    # Caches in front of an edge: two that do as Cache-Control says, one that does not.

    def nginx_cache(self, inner):
        return self.nginx(CACHE_CONF.format(inner.url, ""))

    def careless_cache(self, inner):
        return self.nginx(CACHE_CONF.format(inner.url, CARELESS))

    def varnish_cache(self, inner):
        return self.varnish(CACHE_VCL.format(urllib.parse.urlsplit(inner.url).port, inner.vcl_backend))

    def _start(self, kind, *arguments, **options):
        if not kind.program:
            pytest.skip(f"{kind.__name__.lower()} is not installed")
        folder = self.folder / f"edge{len(self.running)}"
        folder.mkdir()
        return self._keep(kind(folder, *arguments, **options))

    def _keep(self, started):
        self.running.append(started)
        return started

    def stop(self):
        for started in reversed(self.running):
            started.stop()
