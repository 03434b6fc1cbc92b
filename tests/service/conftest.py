"""Fixtures of tests that share what they start: one for all tests of a file."""
import http.server
import subprocess
import threading

import pytest

from proxies import Edges
from harness import KEY, ROOT, Masthead


@pytest.fixture(scope="module")
def service(tmp_path_factory, simulator):
    """A service with the harness's settings."""
    simulator.reset()
    process = Masthead(tmp_path_factory.mktemp("state"), simulator)
    yield process
    assert process.stop() == 0, process.log()


@pytest.fixture(scope="module")
def shared_edges(tmp_path_factory):
    """Makes web servers in front of the service, as `edges` does for one test."""
    made = Edges(tmp_path_factory.mktemp("edges"))
    yield made
    made.stop()


@pytest.fixture
def server():
    """Starts a server of the test's own: server(answer) -> its base; answer(path, headers) -> status, headers, body."""
    servers = []

    def start_one(answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, headers, body = answer(self.path, self.headers)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start_one
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.fixture
def key_file(tmp_path):
    """A file that holds KEY."""
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    return path


@pytest.fixture(scope="session")
def shapes(tmp_path_factory):
    """A folder of small databases in every vendor's shape."""
    folder = tmp_path_factory.mktemp("shapes")
    subprocess.run(["perl", ROOT / "tests" / "service" / "mmdb_fixtures.pl", folder], check=True)
    return folder
