"""Small databases for tests, of rows {network: record}, and what records say in the shapes of two vendors."""
import json
import subprocess

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
