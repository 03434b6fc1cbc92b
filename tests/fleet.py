#!/usr/bin/env python3
"""What `make fleet` runs: three instances that share a Redis, nginx in front of them as data/ops has it, and the simulator as
their weather API. Prints what to look at; Ctrl-C ends all. The tests of restarts stand on the same."""
import pathlib
import signal
import sys
import tempfile

from harness import ROOT, Masthead, Simulator
from proxies import Nginx, free_port
from redis_server import Redis

SERVER = "server 127.0.0.1:8080 max_fails=3 fail_timeout=5s;\n"
LOOK = """
readers       {edge}/widget.txt?ip=192.0.2.1   (nginx; any address of data/visitors.tsv)
status        {status}
Redis         redis-cli -p {redis} monitor
what is asked {sim}/sim/count   (the weather API: a cell is bought once for all three)

Kill one of them and read on: Redis is process {redis_pid}, the instances are {pids}. What was bought and shared:

    curl -s {ops}/metrics | grep -e fleet_requests -e budget_remaining

Ctrl-C ends all."""


class Fleet:
    def __init__(self, folder, count=3, **settings):
        self.folder = folder
        self.settings = {"fleet.instances": count, "fleet.timeout": "100ms", **settings}
        self.simulator = Simulator()
        self.redis = Redis(folder)
        self.services = [None] * count
        self.ports = [free_port() for _ in range(count)]
        for i in range(count):
            self.start(i)
        servers = "    ".join(SERVER.replace("8080", str(port)) for port in self.ports)
        conf = (ROOT / "data" / "ops" / "nginx.conf").read_text(encoding="utf-8")
        assert SERVER.strip() in conf
        (folder / "nginx").mkdir()
        self.edge = Nginx(folder / "nginx", conf.replace(SERVER.strip(), servers.strip()))

    def start(self, i):
        """Starts an instance, or starts it again where it was."""
        self.services[i] = Masthead(self.folder / f"instance{i}", self.simulator, settings={
            "server.listen": f"127.0.0.1:{self.ports[i]}", "fleet.url": self.redis.url, **self.settings})

    def restart(self, i):
        assert self.services[i].stop() == 0, self.services[i].log()
        self.start(i)

    def stop(self):
        for part in (self.edge, *self.services, self.redis, self.simulator):
            part.stop()

    def look(self):
        return LOOK.format(edge=self.edge.url, status="\n              ".join(f"{service.ops}/status" for service in self.services),
                           redis=self.redis.port, sim=self.simulator.url, redis_pid=self.redis.child.pid,
                           pids=", ".join(str(service.child.pid) for service in self.services), ops=self.services[0].ops)


def main():
    with tempfile.TemporaryDirectory(prefix="masthead-fleet-") as folder:
        fleet = Fleet(pathlib.Path(folder))
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            print(fleet.look(), flush=True)
            signal.pause()
        except KeyboardInterrupt:
            print("\nStopping.", flush=True)
        finally:
            fleet.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
