"""What operators see: one look says what readers see, what is wrong if anything, and what the service does next."""
import xml.etree.ElementTree as ElementTree


def test_the_world_map_is_small_and_whole(masthead, start):
    """Pages draw on top of a map of dots that needs no tiles: one path of under 64 KB, in developer mode only on the public listener."""
    answer = masthead.get("/dev/map.svg")
    assert answer.status == 200 and answer.headers["Content-Type"] == "image/svg+xml"
    assert len(answer.body) < 64_000
    svg = ElementTree.fromstring(answer.text)
    (path,) = svg
    assert svg.get("viewBox") == "0 0 480 180"
    assert 5000 < path.get("d").count("z") < 10000
    assert start(settings={"dev.enabled": "no"}).get("/dev/map.svg").status == 404
