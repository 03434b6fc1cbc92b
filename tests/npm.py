"""What tests take from npm: `make test` puts it into build/npm. A test whose package is not there skips, and says why."""
import shutil

import pytest

from harness import ROOT

FOLDER = ROOT / "build" / "npm"
NODE = shutil.which("node") or shutil.which("nodejs")


def packaged(name):
    """The path of a file in an installed package, such as "axe-core/axe.min.js"."""
    if not (FOLDER / "complete").exists():
        pytest.skip("the packages of tests/package.json are not in build/npm: `make test` puts them there if it reaches npm")
    path = FOLDER / "node_modules" / name
    assert path.exists(), f"{name} is not in tests/package.json"
    return path

