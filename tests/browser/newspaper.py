"""A newspaper's web server: its own pages, and the widget's paths handed on to the service as a site's proxy does.
It can lose the service in every way that a site can."""

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEPT_HEADERS = {"content-type", "content-language", "cache-control", "cache-status", "x-content-type-options"}


class Newspaper(ThreadingHTTPServer):
    """Pages are put with `page`; /widget* and /masthead* come from the service. `visitor` is the address that the
    proxy reports to it. `asked` lists the widget requests that arrived. `fault`, when set, is called with the request's
    handler instead of the proxy, for the widget's paths only: a reader mostly has the script itself in the cache; `faults`
    has others by their path. `near` is the same for questions by a position, which `sought` lists with their headers."""

    daemon_threads = True

    def __init__(self, service, visitor):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.service = service
        self.visitor = visitor
        self.pages = {"/favicon.ico": (b"", {"Content-Type": "image/x-icon"})}
        self.halves = {}
        self.asked = []
        self.fault = None
        self.faults = {}
        self.near = None
        self.sought = []
        self.released = threading.Event()
        self.rest = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def page(self, path, body, content_type="text/html; charset=utf-8", headers=()):
        """Puts a page; returns its URL."""
        self.pages[path] = (body.encode(), {"Content-Type": content_type, **dict(headers)})
        return self.url + path

    def page_in_two(self, path, begin, rest):
        """Puts a page whose second part leaves when the page has asked for /rest; returns its URL."""
        self.halves[path] = (begin.encode(), rest.encode())
        return self.url + path

    def fetch(self, path):
        """What the service answers this paper's visitor: the text, past the fault."""
        with urllib.request.urlopen(self.request(path), timeout=10) as reply:
            return reply.read().decode()

    def request(self, path):
        return urllib.request.Request(self.service + path, headers={"X-Forwarded-For": self.visitor})

    def handle_error(self, request, client_address):
        """A browser that leaves, or a fault that was asked for, is nothing to report."""

    def close(self):
        self.released.set()
        self.rest.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Silent: what matters is in Newspaper.asked."""

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/places.json" and "near=" in self.path:
            self.server.sought.append((self.path, dict(self.headers)))
            if self.server.near:
                return self.server.near(self)
        if path in self.server.faults:
            return self.server.faults[path](self)
        if path in self.server.pages:
            return self.answer(200, *self.server.pages[path])
        if path in self.server.halves:
            return self.answer_in_two(*self.server.halves[path])
        if path == "/rest":
            self.server.rest.set()
            return self.answer(200, b"", {"Content-Type": "text/plain"})
        if path.startswith("/widget"):
            self.server.asked.append(self.path)
            if self.server.fault:
                return self.server.fault(self)
        if path.startswith(("/dev/", "/widget", "/where", "/weather", "/places", "/masthead")):
            return self.proxy()
        return self.answer(404, b"no such page", {"Content-Type": "text/plain"})

    def proxy(self):
        try:
            with urllib.request.urlopen(self.server.request(self.path), timeout=10) as reply:
                kept = {name: value for name, value in reply.headers.items() if name.lower() in KEPT_HEADERS}
                self.answer(reply.status, reply.read(), kept)
        except OSError as error:
            self.answer(getattr(error, "code", 502), b"no answer", {"Content-Type": "text/plain"})

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def answer_in_two(self, begin, rest):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(begin)
        self.server.rest.wait(60)
        self.wfile.write(rest)


# Faults: what to do with a question for the widget instead of handing it on.


def drop(handler):
    """The connection ends without an answer."""
    handler.close_connection = True


def hang(handler):
    """Nothing is said for longer than any reader waits."""
    handler.server.released.wait(60)
    handler.close_connection = True


def hold(handler):
    """Nothing is said until the test sets `released`; then the service's own answer."""
    handler.server.released.wait(60)
    handler.proxy()


def say(body, status=200, content_type="application/json", headers=()):
    """Answers `body`: text as it is, anything else as JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return lambda handler: handler.answer(status, text.encode(), {"Content-Type": content_type, **dict(headers)})
