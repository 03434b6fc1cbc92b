"""Goal of these tests: whatever goes wrong, one thing after another, readers are answered. `make soak` goes on for half an hour, with
a fault each 20 seconds; this is its short form."""
import subprocess
import sys

from harness import ROOT


def test_readers_are_answered_while_things_go_wrong():
    done = subprocess.run([sys.executable, ROOT / "tests" / "soak.py", "--seconds", "20", "--every", "0.5", "--seed", "14"],
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "availability 100.000 %" in done.stdout and done.stdout.count(" s  ") > 20
