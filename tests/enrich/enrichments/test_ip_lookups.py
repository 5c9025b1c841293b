"""ip_lookups: records to columns, the many ways to write an address, files that are no database."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from fixtures.mmdb import write_database
from snowetl.enrich.enrichments import registered
from snowetl.enrich.enrichments.base import Step
from snowetl.enrich.enrichments.ip_lookups import open_database
from snowetl.errors import AssetError, ConfigError
from snowetl.jvm.host_name import host_address
from snowetl.model.schema import SchemaKey
from tests.enrich.enrichments.support import FIXTURES, after, conf, draft, opened, step

GEO = ("geo_country", "geo_region", "geo_region_name", "geo_city", "geo_zipcode", "geo_timezone")
POINT = ("geo_latitude", "geo_longitude")
IP = ("ip_isp", "ip_organization", "ip_domain", "ip_netspeed")
FILES = {
    "geo": "GeoIP2-City.mmdb",
    "isp": "GeoIP2-ISP.mmdb",
    "domain": "GeoIP2-Domain.mmdb",
    "connectionType": "GeoIP2-Connection-Type.mmdb",
}


def in_folder(folder: Path, *kinds: str) -> dict[str, dict[str, str]]:
    return {kind: {"uri": str(folder), "database": FILES[kind]} for kind in kinds or FILES}


@pytest.fixture(scope="module")
def lookups() -> Step:
    return step("ip_lookups", **in_folder(FIXTURES / "maxmind"))


def single(tmp_path: Path, kind: str, record: dict[str, Any]) -> Step:
    """Lookups in one database that knows only 198.18.0.0/16."""
    type_ = FILES[kind].removesuffix(".mmdb")
    (tmp_path / FILES[kind]).write_bytes(write_database(type_, [("198.18.0.0/16", record)], 1_767_225_600))
    return step("ip_lookups", **in_folder(tmp_path, kind))


def test_all_databases(lookups: Step) -> None:
    geo = after(lookups, *GEO, user_ipaddress="198.18.0.7")
    assert geo == ("GB", "ENG", "England", "London", "EC1A", "Europe/London")
    assert after(lookups, *POINT, user_ipaddress="198.18.0.7") == ("51.5074", "-0.1278")
    assert None not in after(lookups, *IP, user_ipaddress="198.18.0.7")


@pytest.mark.parametrize("ip", ["10.0.0.1", "localhost", "", "198.18.0.7/32", "198.18.0.*", "*", "198.18.0.7, 1.2.3.4"])
def test_no_address_no_columns(lookups: Step, ip: str) -> None:
    assert set(after(lookups, *GEO, *POINT, *IP, user_ipaddress=ip)) == {None}


def test_record_without_anything(tmp_path: Path) -> None:
    one = single(tmp_path, "geo", {"continent": {"code": "EU"}})
    assert after(one, *GEO, user_ipaddress="198.18.1.1") == (None,) * 6
    assert after(one, *POINT, user_ipaddress="198.18.1.1") == ("0.0", "0.0")
    assert after(one, *POINT, user_ipaddress="198.19.1.1") == (None, None)


def test_only_english_names_and_the_last_subdivision_count(tmp_path: Path) -> None:
    record = {
        "city": {"names": {"de": "Neustadt"}},
        "registered_country": {"iso_code": "US"},
        "subdivisions": [{"iso_code": "A"}, {"iso_code": "B", "names": {"en": "Bee\tland"}}],
        "location": {"latitude": 139.75309, "longitude": 179.99999},
    }
    one = single(tmp_path, "geo", record)
    assert after(one, *GEO, user_ipaddress="198.18.1.1") == (None, "B", "Bee    land", None, None, None)
    assert after(one, *POINT, user_ipaddress="198.18.1.1") == ("139.7531", "179.99998")


def test_records_of_odd_shape(tmp_path: Path) -> None:
    record = {"city": "x", "country": {"iso_code": 7}, "subdivisions": {}, "location": {"latitude": "9"}}
    one = single(tmp_path, "geo", record)
    assert after(one, *GEO, *POINT, user_ipaddress="198.18.1.1") == (None,) * 6 + ("0.0", "0.0")


@pytest.mark.parametrize(
    ("speed", "expected"),
    [("Cellular", "Cellular"), ("Cable/DSL", "Cable/DSL"), ("Satellite", None), ("", None)],
)
def test_netspeed(tmp_path: Path, speed: str, expected: str | None) -> None:
    one = single(tmp_path, "connectionType", {"connection_type": speed})
    assert after(one, "ip_netspeed", user_ipaddress="198.18.1.1") == (expected,)


LONDON = "198.18.0.7"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (LONDON, LONDON),
        (f" {LONDON}\t", LONDON),
        (f"{LONDON}:8080", LONDON),
        (f"{LONDON}:https", LONDON),
        (f"{LONDON}:", None),
        (f"{LONDON}:0", None),
        (f"{LONDON}:65536", None),
        (f"{LONDON}:80:80", None),
        (f"[{LONDON}]", LONDON),
        (f"[{LONDON}]:80", LONDON),
        (f"[{LONDON}", None),
        (f"[{LONDON}]x", None),
        ("0306.18.0.7", LONDON),
        ("198.18.0.010", "198.18.0.8"),
        ("198.18.0.08", "198.18.0.8"),
        ("0198.18.0.7", LONDON),
        ("198.18.7", LONDON),
        ("198.1179655", LONDON),
        ("3323068423", LONDON),
        ("3323068423:80", LONDON),
        ("0x12.0x34.0x56.0x78", "18.52.86.120"),
        ("0x12345678", "18.52.86.120"),
        ("0xc6.18.0.7", None),
        ("4294967296", None),
        ("198.18.0.256", None),
        ("198.18.0.7.1", None),
        ("198.18.0.", None),
        ("198.18..7", None),
        ("2001:DB8::1", "2001:db8:0:0:0:0:0:1"),
        ("2001:0db8::0001", "2001:db8:0:0:0:0:0:1"),
        ("[2001:db8::1]", "2001:db8:0:0:0:0:0:1"),
        ("[2001:db8::1]:443", "2001:db8:0:0:0:0:0:1"),
        ("[IPv6:2001:db8::1]", "2001:db8:0:0:0:0:0:1"),
        ("1:2:3:4:5:6:7:8:8080", "1:2:3:4:5:6:7:8"),
        ("2001:db8::1:8080", "2001:db8:0:0:0:0:1:8080"),
        ("2001:db8::1%3", "2001:db8:0:0:0:0:0:1"),
        ("2001:db8::1%eth0", None),
        ("20010db8000000000000000000000001", "2001:db8:0:0:0:0:0:1"),
        (f"::ffff:{LONDON}", LONDON),
        ("::ffff:c612:7", LONDON),
        (f"::{LONDON}", "0:0:0:0:0:0:c612:7"),
        ("2001:db8::/32", None),
        ("2001:db8::*", None),
        ("face", None),
        ("beef:80", None),
        ("", None),
        ("[]", None),
        ("１.2.3.4", None),
    ],
)
def test_addresses(text: str, address: str | None) -> None:
    assert host_address(text) == address


def test_ipv4_in_ipv6(lookups: Step) -> None:
    for ip in (f"::ffff:{LONDON}", f"::{LONDON}", f"[::ffff:{LONDON}]:80"):
        assert after(lookups, "geo_city", user_ipaddress=ip) == ("London",)


def test_files_that_are_no_database(tmp_path: Path) -> None:
    good = (FIXTURES / "maxmind" / "GeoIP2-City.mmdb").read_bytes()
    path = tmp_path / "GeoIP2-City.mmdb"
    for content in (b"", b"no database" * 99, good[: len(good) // 2]):
        path.write_bytes(content)
        with pytest.raises(AssetError) as error:
            open_database("geo", path)
        assert str(path) in str(error.value)
    with pytest.raises(AssetError, match="cannot be read"):
        open_database("geo", tmp_path / "none.mmdb")


def test_a_database_of_another_kind(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "maxmind" / "GeoIP2-ISP.mmdb", tmp_path / "GeoIP2-City.mmdb")
    with pytest.raises(AssetError, match="of type GeoIP2-ISP, but 'geo' needs City or Enterprise"):
        step("ip_lookups", **in_folder(tmp_path, "geo"))


def test_a_damaged_database_is_not_the_events_fault(tmp_path: Path) -> None:
    content = bytearray((FIXTURES / "maxmind" / "GeoIP2-City.mmdb").read_bytes())
    content[: len(content) // 3] = b"\xff" * (len(content) // 3)
    (tmp_path / "GeoIP2-City.mmdb").write_bytes(content)
    one = step("ip_lookups", **in_folder(tmp_path, "geo"))
    for last in range(50):
        one(draft(user_ipaddress=f"198.18.{last}.7"))


def test_assets_and_bad_parameters() -> None:
    made = conf("ip_lookups", geo={"uri": "s3://bucket/maxmind/", "database": "GeoLite2-City.mmdb"})
    assert list(made.needs().files) == [("s3://bucket/maxmind/GeoLite2-City.mmdb", "ip_geo")]
    assert list(conf("ip_lookups").needs().files) == []
    with pytest.raises(ConfigError, match="parameters.geo.database.*parameters.isp.uri.*parameters.isp.database"):
        conf("ip_lookups", geo={"uri": "x"}, isp=None)


@pytest.mark.parametrize(("version", "found"), [("2-0-0", 0), ("2-0-1", 1)])
def test_the_autonomous_system_is_an_entity_with_a_configuration_of_2_0_1(
    tmp_path: Path, version: str, found: int
) -> None:
    records = {
        "asn": ("GeoLite2-ASN", {"autonomous_system_number": 64500, "autonomous_system_organization": "Tea Net"}),
        "isp": ("GeoIP2-ISP", {"isp": "Tea", "autonomous_system_number": 64501}),
    }
    parameters = {}
    for kind, (type_, record) in records.items():
        (tmp_path / f"{type_}.mmdb").write_bytes(write_database(type_, [("192.0.2.0/24", record)], 1_767_225_600))
        parameters[kind] = {"uri": str(tmp_path), "database": f"{type_}.mmdb"}
    key = SchemaKey.parse(f"iglu:com.snowplowanalytics.snowplow/ip_lookups/jsonschema/{version}")
    made = draft(user_ipaddress="192.0.2.9")
    with opened(registered()["ip_lookups"].parse(key, {"parameters": parameters})) as look_up:
        look_up(made)
    assert made.event["ip_isp"] == "Tea"
    assert [json.loads(entity.json)["data"] for entity in made.entities] == [
        {"number": 64500, "organization": "Tea Net"}
    ] * found
