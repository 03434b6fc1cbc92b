"""Holds answers against data/openapi.json: what Masthead.get (harness.py) was answered, at the end of each test (conftest.py), where
Debian's python3-jsonschema is installed."""
import functools
import json
import pathlib
import re
import urllib.parse

try:
    import jsonschema
except ImportError:
    jsonschema = None

DOCUMENT = json.loads((pathlib.Path(__file__).parents[1] / "data" / "openapi.json").read_text(encoding="utf-8"))
OURS = re.compile(r"^(Cache-.*|X-Masthead-.*|Allow)$")  # the headers that the document describes


class Undescribed(Exception):
    """An answer, or a part of it, of which the document does not speak."""


def resolve(node):
    """What a reference leads to."""
    while "$ref" in node:
        target = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


@functools.lru_cache(maxsize=None)
def validator(text):
    """Of a schema of the document, whose references count from the document's root."""
    return jsonschema.Draft202012Validator({**json.loads(text), "components": DOCUMENT["components"]})


def check(schema, value):
    fault = jsonschema.exceptions.best_match(validator(json.dumps(schema)).iter_errors(value))
    if fault:
        raise Undescribed(f"{fault.json_path}: {fault.message}")


def described(path, status, media, method="get"):
    """The response of the document for such an answer, and the schema of its body."""
    responses = DOCUMENT["paths"][urllib.parse.urlsplit(path).path][method]["responses"]
    for response in (resolve(responses[key]) for key in (str(status), "default") if key in responses):
        content = response.get("content", {})
        if media in content or not content:
            return response, content.get(media, {}).get("schema")
    raise Undescribed(f"{method} {path}: {status} {media}")


def hold(path, answer, method="get"):
    """Fails unless the answer is as the document says. Returns its body."""
    media = answer.headers.get("Content-Type")
    response, schema = described(path, answer.status, media, method)
    for name, value in answer.headers.items():
        if OURS.match(name):
            if name not in response.get("headers", {}):
                raise Undescribed(f"{path}: {name}: {value}")
            check(resolve(response["headers"][name])["schema"], value)
    if "Content-Encoding" in answer.headers:
        return answer.body
    body = answer.json if media == "application/json" else answer.text
    if schema:
        check(schema, body)
    return body


def hold_described(path, answer, method):
    """The same for whatever a test asks: its business may be a path that is none, or a method that has no body."""
    if jsonschema and method == "GET" and urllib.parse.urlsplit(path).path in DOCUMENT["paths"]:
        hold(path, answer)
