"""Judges HTML by html-validate's recommended rules, without those of taste."""
import json
import subprocess

from npm import FOLDER, NODE, packaged

TASTE = ["doctype-style", "no-implicit-button-type", "no-implicit-input-type"]  # HTML allows either, and has the defaults
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>A page</title></head>
<body><p>{}</p></body>
</html>
"""


def validate_html(text):
    """What is wrong with a page, or with a fragment as a part of a paragraph: readable lines, none when it is valid."""
    page = text if "<html" in text.lower() else PAGE.format(text.strip())
    program = [NODE, packaged("html-validate/bin/html-validate.mjs"), "--preset=recommended", "--formatter=json", "--stdin"]
    done = subprocess.run(program + [f"--rule={rule}:off" for rule in TASTE], input=page, capture_output=True, text=True,
                          cwd=FOLDER, timeout=60)
    assert done.stdout, done.stderr
    lines = page.splitlines()
    return [f'{message["ruleId"]}: {message["message"]} in: {lines[message["line"] - 1].strip()}'
            for report in json.loads(done.stdout) for message in report["messages"]]
