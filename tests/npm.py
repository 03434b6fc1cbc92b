"""What tests take from npm, where `make test` has put it. A test whose package is not there skips, and says why."""
import os
import pathlib
import shutil

import pytest

from harness import BUILD

FOLDER = pathlib.Path(os.environ.get("MASTHEAD_NPM", BUILD / "npm"))
NODE = shutil.which("node") or shutil.which("nodejs")


def packaged(name):
    """The path of a file in an installed package, such as "axe-core/axe.min.js"."""
    if not (FOLDER / "complete").exists():
        pytest.skip(f"the packages of tests/package.json are not in {FOLDER}: `make test` puts them there if it reaches npm")
    path = FOLDER / "node_modules" / name
    assert path.exists(), f"{name} is not in tests/package.json"
    return path

