"""Small databases for tests, of rows {network: record}, and what records say in the shapes of two vendors."""
import json
import struct
import subprocess
import time

from harness import ROOT

# Distances from Mumbai: Thane 16 km, Lonavala 66, Pune 120, London 7,200.
MUMBAI, THANE, LONAVALA = ("Mumbai", "IN", 19.076, 72.8777), ("Thane", "IN", 19.2183, 72.9781), ("Lonavala", "IN", 18.7481, 73.4072)
PUNE, LONDON = ("Pune", "IN", 18.5204, 73.8567), ("London", "GB", 51.5074, -0.1278)


def flat(city, country, latitude, longitude, **more):
    """A record of DB-IP's in the shape of ip-location-db."""
    return {"city": city, "country_code": country, "latitude": latitude, "longitude": longitude, **more}


def nested(city, country, latitude, longitude, radius_km=None):
    """A record of GeoLite2's; `city` may be "", as in many of them."""
    location = {"latitude": latitude, "longitude": longitude}
    if radius_km is not None:
        location["accuracy_radius"] = radius_km
    return {**({"city": {"names": {"en": city}}} if city else {}), "country": {"iso_code": country}, "location": location}


def asn(number):
    """A record of GeoLite2 ASN's or DB-IP ASN Lite's."""
    return {"autonomous_system_number": number, "autonomous_system_organization": "A carrier"}


def write_database(path, rows, kind="DBIP-City-Lite"):
    """Writes a database of that type; returns its path."""
    subprocess.run(["perl", ROOT / "tests" / "service" / "mmdb_of_rows.pl", path], check=True, text=True,
                   input=json.dumps({"type": kind, "rows": rows}))
    return path


def write_endless(path, levels=40):
    """Writes a database whose one record is a list of two lists of two lists..., by pointers: decoded in full it has 2^levels
    values. It has a city without coordinates, so that it has no place."""
    def pointer(to):
        return b"\x38" + struct.pack(">I", to)

    def text(value):
        return bytes([0x40 | len(value)]) + value.encode()

    data, last = text("a"), 0
    for _ in range(levels):
        last, data = len(data), data + b"\x02\x04" + 2 * pointer(last)
    record, data = len(data), data + b"\xe2" + text("city") + text("Foo") + text("x") + pointer(last)
    metadata = {"binary_format_major_version": b"\xa1\x02", "binary_format_minor_version": b"\xa0", "database_type": text("Endless"),
                "build_epoch": b"\x04\x02" + struct.pack(">I", int(time.time())), "description": b"\xe0", "languages": b"\x00\x04",
                "ip_version": b"\xa1\x04", "node_count": b"\xc1\x01", "record_size": b"\xa1\x18"}
    tree = b"".join(struct.pack(">I", value)[1:] for value in (1 + 16 + record, 1))
    path.write_bytes(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + bytes([0xe0 | len(metadata)])
                     + b"".join(text(key) + value for key, value in metadata.items()))
    return path
