"""The same source makes the same bytes, wherever it is built and whenever: so that anyone can build what others run, and compare.
The tarball of a version is one file, too."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile

import pytest
from harness import ROOT

EPOCH = "1700000000"
PROGRAMS = ("masthead", "masthead-sim", "masthead-grib")


def make(folder, *words, **environment):
    done = subprocess.run(["make", "-s", *words], cwd=folder, capture_output=True, text=True, timeout=1200,
                          env={"PATH": os.environ["PATH"], **environment})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def tracked():
    return subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.rstrip("\0").split("\0")


def digests(folder):
    """What is built, but for lists of what it depends on."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".d"}


def test_two_builds_in_two_folders_are_one(tmp_path):
    """Little optimised, which takes half as long: what could tell them apart is the same."""
    near, far = tmp_path / "a", tmp_path / "somewhere else" / "with-a-longer-name"
    names = tracked()
    for folder, order in ((near, names), (far, reversed(names))):
        for name in order:  # so that the folders list their files in another order
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)  # with the time of now
    common = ["deb", "CFLAGS=-O1 -g"]
    make(near, *common, TZ="UTC", LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH=EPOCH)
    make(far, *common, f"BUILD={tmp_path}/out", TZ="Asia/Kolkata", LC_ALL="C", USER="other", SOURCE_DATE_EPOCH=EPOCH)
    ours, theirs = digests(near / "build"), digests(tmp_path / "out")
    assert ours == theirs and any(name.endswith(".deb") for name in ours)
    for program in PROGRAMS:
        if program in ours:
            assert str(tmp_path).encode() not in (near / "build" / program).read_bytes()


def test_the_tarball_is_the_same_from_every_clone(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("made from a clone only")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    sums = []
    for name in ("one", "two"):
        clone = tmp_path / name
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        subprocess.run(["git", "checkout", "--quiet", commit], cwd=clone, check=True)
        sums.append(make(clone, "dist").split())
    assert sums[0] == sums[1]
    digest, name = sums[0]
    packed = tmp_path / "one" / "build" / name
    assert hashlib.sha256(packed.read_bytes()).hexdigest() == digest
    assert (packed.parent / f"{name}.sha256").read_text().split() == [digest, name]
    with tarfile.open(packed) as tar:
        files = {pathlib.PurePath(member.name): member for member in tar if member.isfile()}
    assert {str(path.relative_to(path.parts[0])) for path in files} == set(tracked_in(commit))
    assert {path.parts[0] for path in files} == {name.removesuffix(".tar.gz")}


def tracked_in(commit):
    return subprocess.run(["git", "ls-tree", "-r", "--name-only", "-z", commit], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout.rstrip("\0").split("\0")


def test_pages_get_the_same_files_or_there_is_no_build(tmp_path):
    """Not other ones where the minifier is missing."""
    path = os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if folder)
    bare = tmp_path / "bin"
    bare.mkdir()
    for folder in path.split(os.pathsep):
        for tool in pathlib.Path(folder).glob("*") if os.path.isdir(folder) else ():
            if tool.name != "esbuild" and not (bare / tool.name).exists():
                (bare / tool.name).symlink_to(tool)
    done = subprocess.run(["make", "-s", f"{tmp_path}/out/web/masthead.js", f"BUILD={tmp_path}/out"], cwd=ROOT,
                          capture_output=True, text=True, env={"PATH": str(bare)}, timeout=60)
    assert done.returncode != 0 and "esbuild" in done.stderr
    assert not (tmp_path / "out" / "web" / "masthead.js").exists()
