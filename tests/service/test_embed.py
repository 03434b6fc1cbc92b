"""Goal of these tests: the README's nginx recipes work as they stand there, on a real nginx."""
import os
import re
import shutil
import socket
import subprocess

import pytest

from harness import ROOT, request, wait_until

MUMBAI = "192.0.2.1"
PAGE = '<header><!--#include virtual="/widget" --></header>'
FALLBACK = "Fetching location... -- °C"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")


def recipe(mark):
    """The README's nginx block that holds `mark`."""
    blocks = re.findall(r"```nginx\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    return next(block for block in blocks if mark in block)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def nginx(tmp_path):
    """nginx with the given server block; run(recipe, service) -> base URL."""
    children = []

    def run(block, upstream):
        port = free_port()
        pages = tmp_path / "pages"
        pages.mkdir()
        (pages / "index.html").write_text(PAGE, encoding="utf-8")
        (pages / "masthead-fallback.html").write_text(FALLBACK, encoding="utf-8")
        (tmp_path / "nginx.conf").write_text(f"""
            {"user root;" if os.geteuid() == 0 else ""} daemon off; worker_processes 1; pid {tmp_path}/pid; error_log {tmp_path}/error.log;
            events {{ }}
            http {{
                access_log off; default_type text/html;
                client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy;
                fastcgi_temp_path {tmp_path}/fastcgi; uwsgi_temp_path {tmp_path}/uwsgi;
                scgi_temp_path {tmp_path}/scgi;
                server {{ listen 127.0.0.1:{port}; root {pages}; index index.html;
                          set_real_ip_from 127.0.0.1; real_ip_header X-Test-Reader;
                          {block.replace("http://127.0.0.1:8080", upstream)} }}
            }}""", encoding="utf-8")
        child = subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e",
                                  str(tmp_path / "error.log")])
        children.append(child)
        base = f"http://127.0.0.1:{port}"

        def answers():
            assert child.poll() is None, (tmp_path / "error.log").read_text()
            try:
                return request(base, "/masthead-fallback.html").status == 200
            except OSError:
                return False
        wait_until(answers, what="nginx")
        return base

    yield run
    for child in children:
        child.terminate()
        child.wait(10)


pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed")


def test_the_script_recipe_passes_readers_on(masthead, nginx):
    base = nginx(recipe("masthead\\."), masthead.public)
    masthead.settled(MUMBAI)
    reader = {"X-Test-Reader": MUMBAI}
    assert request(base, "/widget.json", headers=reader).json["place"]["name"] == "Mumbai"
    assert request(base, "/masthead.js", headers=reader).headers["Cache-Control"] == "public, max-age=3600"
    forged = request(base, "/widget.json", headers={**reader, "X-Forwarded-For": "198.51.100.17"})
    assert forged.json["place"]["name"] == "Mumbai", "what the reader claims is overwritten"
    assert request(base, "/metrics", headers=reader).status == 404


def test_the_include_recipe_assembles_private_pages(masthead, nginx):
    base = nginx(recipe("ssi on"), masthead.public)
    masthead.settled(MUMBAI)
    page = request(base, "/", headers={"X-Test-Reader": MUMBAI})
    assert page.headers["Cache-Control"] == "private, no-cache"
    assert page.text.startswith('<header><span class="masthead-weather" data-state="fresh"') and "Mumbai" in page.text


def test_the_include_recipe_keeps_the_placeholder_when_the_service_is_down(masthead, nginx):
    base = nginx(recipe("ssi on"), masthead.public)
    assert masthead.stop() == 0
    page = request(base, "/")
    assert page.status == 200 and page.text == f"<header>{FALLBACK}</header>"
