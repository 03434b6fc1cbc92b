"""Goal of these tests: every parser of bytes from outside stands its fuzzer for a moment: the corpus, in which each input that
ever broke something stays, and some thousand inputs more, the same at every run. `make fuzz` goes on for longer."""
import os
import pathlib
import subprocess

import pytest

from harness import BUILD, SANITIZED
from fuzzing import CORPUS, command

FUZZ = pathlib.Path(os.environ.get("MASTHEAD_FUZZ", BUILD / "fuzz"))
TARGETS = sorted(path.stem for path in CORPUS.parent.glob("*.c"))
RUNS = 20000

pytestmark = pytest.mark.skipif(SANITIZED or BUILD.name == "coverage", reason="a build of its own that is the same in every build")


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_stands_its_corpus_and_more(name, tmp_path):
    (tmp_path / "new").mkdir()  # what is found goes into the first folder
    done = subprocess.run([*command(FUZZ, name, f"-runs={RUNS}", "-seed=1", f"-artifact_prefix={tmp_path}/"), tmp_path / "new",
                           CORPUS / name],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]


def test_each_target_has_a_corpus():
    assert TARGETS == sorted(path.name for path in CORPUS.iterdir())
    assert all(path.stat().st_size < 2048 for path in CORPUS.glob("*/*")), "an input is a few bytes"
