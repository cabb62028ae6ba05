"""Whether a receiver can take a document: a real name server, a publisher that answers over HTTP, real signatures."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dns.resolver
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

sys.path.append(str(Path(__file__).parent))
from network import (
    NOW,
    Authorities,
    Publisher,
    certify,
    entry,
    name_server,
    redirect,
    revoke,
    signed,
)

from connector.errors import Misconfigured, TryLater
from connector.peppol import sml, smp
from connector.peppol.discovery import Answer, Discovery
from connector.peppol.fetching import LARGEST, Fetcher, is_public
from connector.peppol.identifiers import CREDIT_NOTE, INVOICE, Participant, Service
from connector.peppol.trust import Trust

HIM = Participant("0192", "923609016")
ZONE = "participant.sml.example"
AUTHORITIES = Authorities()
TRUST = Trust((AUTHORITIES.root.certificate, AUTHORITIES.smp.certificate))


@dataclass
class Kept:
    """Answers in memory."""

    answers: dict[tuple[Participant, Service], Answer] = field(default_factory=dict)

    async def get(self, participant: Participant, service: Service) -> Answer | None:
        found = self.answers.get((participant, service))
        return found if found is not None and found.until > NOW else None

    async def put(self, answer: Answer) -> None:
        self.answers[answer.participant, answer.service] = answer


@dataclass
class Network:
    zone: dict[str, Any]
    publisher: Publisher
    discovery: Discovery
    names: list[str]

    def shows(self, page: Any, service: Service = INVOICE) -> None:
        """Have the publisher show an entry, or answer so."""
        path = f"/{HIM.whole}/services/{service.document}"
        self.publisher.pages[path] = page if isinstance(page, tuple) or callable(page) else (200, page)

    async def asked(self, service: Service = INVOICE, **more: Any) -> Answer:
        return await self.discovery.can_take(HIM, service, **more)


def naptr(url: str, *, order: int = 100, flags: str = "U", service: str = "Meta:SMP", regexp: str | None = None) -> str:
    return f'{order} 10 "{flags}" "{service}" "{regexp or f"!^.*$!{url}!"}" .'


@asynccontextmanager
async def network(**settings: Any) -> AsyncIterator[Network]:
    zone: dict[str, Any] = {}
    async with name_server(zone) as (server, names), Publisher() as publisher:
        zone[sml.name(HIM, ZONE).lower()] = [("", "NAPTR", naptr(publisher.url))]
        given = {"trust": TRUST, "fetcher": Fetcher(loopback=True, timeout=2), "timeout": 4, **settings}
        discovery = Discovery(zone=ZONE, name_servers=[server], now=lambda: NOW, **given)
        yield Network(zone, publisher, discovery, names)


def good(**said: Any) -> bytes:
    return signed(entry(HIM, INVOICE, **said), AUTHORITIES.publisher)


@pytest.mark.parametrize(
    ("participant", "label"),
    [
        ("0192:923609016", "XQK4T3FMTEZDUY5BOVJMTNAQ45N7E4TIBYHWFPGOT75BSP7UYG2A"),
        ("9915:test", "EH5BOAVAKTMBGZYH2A63DZ4QOV33FVP5NSDVQKLUCFRAAYOODW6A"),
        ("0088:123ABC", "Y7DZFXAF3D4CJZ4KCGRXTEC6TWVCGA4KY7ZWA5BOIF6MSWD4TDRQ"),
    ],
)
def test_the_name_is_the_hash_of_the_value_alone(participant: str, label: str) -> None:
    expected = f"{label}.iso6523-actorid-upis.participant.sml.prod.tech.peppol.org"
    assert sml.name(Participant.read(participant)) == expected


async def test_a_receiver_that_takes_it_is_found_with_its_endpoint() -> None:
    async with network() as net:
        net.shows(good(address="https://ap.example/as4", certificate="QUJD"))
        answer = await net.asked()
        assert (answer.can, answer.code, answer.publisher) == ("yes", "takes", net.publisher.url)
        assert answer.endpoint is not None
        assert (answer.endpoint.address, answer.endpoint.certificate) == ("https://ap.example/as4", "QUJD")
        assert answer.until > answer.asked
        (asked,) = net.publisher.asked
        assert asked == (
            "/iso6523-actorid-upis%3A%3A0192%3A923609016/services/busdox-docid-qns%3A%3Aurn%3Aoasis%3Anames%3Aspecificatio"
            "n%3Aubl%3Aschema%3Axsd%3AInvoice-2%3A%3AInvoice%23%23urn%3Acen.eu%3Aen16931%3A2017%23compliant%23urn%3Afdc%3A"
            "peppol.eu%3A2017%3Apoacc%3Abilling%3A3.0%3A%3A2.1"
        )
        assert answer.as_json()["endpoint"] == {
            "transport": "peppol-transport-as4-v2_0",
            "address": "https://ap.example/as4",
        }


@pytest.mark.parametrize("prefix", ["", "ds"])
@pytest.mark.parametrize("exclusive", [False, True])
def test_a_signature_is_read_however_it_is_written(prefix: str, exclusive: bool) -> None:
    data = signed(entry(HIM, INVOICE), AUTHORITIES.publisher, prefix=prefix, exclusive=exclusive)
    assert isinstance(smp.read(data, TRUST, NOW), smp.Entry)


async def test_what_is_a_fact_about_the_receiver_is_a_no() -> None:
    async with network() as net:
        assert (await net.asked(CREDIT_NOTE)).code == "document-type-not-taken"
        for said, code in (
            ({"process": "urn:other"}, "process-not-taken"),
            ({"transport": "busdox-transport-as2-ver1p0"}, "endpoint-missing"),
            ({"until": "2027-03-01T11:59:00Z"}, "endpoint-closed"),
            ({"since": "2027-03-01T14:00:00+01:00"}, "endpoint-closed"),
        ):
            net.shows(good(**said))
            answer = await net.asked()
            assert (answer.can, answer.code) == ("no", code)
            assert answer.do
            assert answer.until > NOW
        del net.zone[sml.name(HIM, ZONE).lower()]
        answer = await net.asked()
        assert (answer.can, answer.code) == ("no", "not-registered")
        net.zone[sml.name(HIM, ZONE).lower()] = [("", "TXT", '"no NAPTR here"')]
        assert (await net.asked()).code == "not-registered"
        net.zone[sml.name(HIM, ZONE).lower()] = [
            ("", "NAPTR", naptr(net.publisher.url, service="Meta:CAT"), naptr(net.publisher.url, flags="S"))
        ]
        assert (await net.asked()).code == "not-registered"


async def test_the_first_fitting_record_counts_and_aliases_are_followed() -> None:
    async with network() as net:
        net.shows(good())
        asked = sml.name(HIM, ZONE).lower()
        moved = "moved.elsewhere.example."
        net.zone[asked] = [
            ("", "CNAME", moved),
            (
                moved,
                "NAPTR",
                naptr("http://127.0.0.1:1", order=200),
                naptr(f"{net.publisher.url}/", service="META:smp"),
            ),
        ]
        assert (await net.asked()).can == "yes"
        net.zone[asked] = [("", "NAPTR", naptr(net.publisher.url, regexp=f"#.*#{net.publisher.url}/with/path#"))]
        net.publisher.pages[f"/with/path/{HIM.whole}/services/{INVOICE.document}"] = (200, good())
        assert (await net.asked()).publisher == f"{net.publisher.url}/with/path"


async def test_what_is_a_fact_about_the_moment_is_not_known_and_not_kept() -> None:
    kept = Kept()
    async with network(known=kept) as net:
        name = sml.name(HIM, ZONE).lower()
        was = net.zone[name]
        for record, code in (
            (2, "sml-unreachable"),  # SERVFAIL
            ([("", "NAPTR", naptr("", regexp="!^.*$!ftp://host!"))], "sml-answer"),
            ([("", "NAPTR", naptr("", regexp="!^0192.*$!https://smp.example!"))], "sml-answer"),
            ([("", "NAPTR", naptr("", regexp="https://smp.example"))], "sml-answer"),
        ):
            net.zone[name] = record
            answer = await net.asked()
            assert (answer.can, answer.code) == ("unknown", code)
            assert answer.until == answer.asked
        net.zone[name] = was
        for page, code in (
            ((500, b""), "smp-unreachable"),
            ((200, b"<html>"), "xml-not-well-formed"),
            ((200, b"<html/>"), "smp-answer"),
            ((200, b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>"), "xml-dtd"),
            ((200, b"<" + b"x" * LARGEST), "smp-answer-too-large"),
            ((302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}), "smp-redirect"),
            ((302, b"", {"Location": "/a"}), "smp-redirect"),
            ((302, b"", {"Location": "http://[::1"}), "smp-address-unfit"),
        ):
            net.publisher.pages["/a"] = (302, b"", {"Location": "/a"})
            net.shows(page)
            answer = await net.asked()
            assert (answer.can, answer.code) == ("unknown", code)
        assert kept.answers == {}


async def test_a_publisher_must_be_who_its_address_says(tmp_path: Path) -> None:
    """By TLS: of an authority that is believed, and for this host."""
    since, until = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
    for host, believed, code in (("localhost", True, 200), ("localhost", False, None), ("other.example", True, None)):
        key = certify("web", ca=True, since=since, until=until, host=host)
        private = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "web.pem").write_bytes(private + key.pem)
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.load_cert_chain(tmp_path / "web.pem")
        client = ssl.create_default_context(cadata=key.pem.decode()) if believed else None
        async with Publisher({"/a": (200, b"here")}, tls=server) as publisher:
            fetcher = Fetcher(loopback=True, timeout=3, tls=client)
            if code is not None:
                assert await fetcher.get(f"{publisher.url}/a") == (code, b"here")
            else:
                with pytest.raises(TryLater) as caught:
                    await fetcher.get(f"{publisher.url}/a")
                assert caught.value.code == "smp-unreachable"
                assert publisher.asked == []


@pytest.mark.parametrize("said", ["192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:53"])
def test_name_servers_are_named_by_address(said: str) -> None:
    resolver = Discovery(TRUST, name_servers=[said])._resolver()
    (host,) = resolver.nameservers
    assert host in ("192.0.2.1", "2001:db8::1")
    assert resolver.nameserver_ports == {host: 53}


@pytest.mark.parametrize("said", ["ns.example.no", "", ":", "192.0.2.1:x", "[::1"])
async def test_what_is_no_name_server_is_said(said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        await Discovery(TRUST, name_servers=[said]).can_take(HIM, INVOICE)
    assert caught.value.code == "name-server-wrong"


async def test_a_machine_without_name_servers_does_not_know(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def none(self: Any, *_: Any) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", none)
    answer = await Discovery(TRUST).can_take(HIM, INVOICE)
    assert (answer.can, answer.code) == ("unknown", "sml-unreachable")


async def test_an_answer_without_end_ends() -> None:
    async def never() -> Any:
        await asyncio.sleep(30)

    async with network(timeout=0.6, fetcher=Fetcher(loopback=True, timeout=0.3)) as net:
        net.shows(never)
        answer = await net.asked()
        assert (answer.can, answer.code) == ("unknown", "smp-unreachable")
        net.zone[sml.name(HIM, ZONE).lower()] = "silent"
        answer = await net.asked()
        assert (answer.can, answer.code) in (("unknown", "sml-unreachable"), ("unknown", "lookup-timeout"))


def _wrong(change: str) -> bytes:
    """A good entry that somebody has tampered with."""
    text = good().decode()
    match change:
        case "address":
            return text.replace("https://ap.example/as4", "https://ap.evil.example/as4").encode()
        case "unsigned":
            return entry(HIM, INVOICE).encode()
        case "wrapped":
            # The signed entry is kept as it was, within one that says something else.
            inner = text.partition("?>")[2].strip()
            return inner.replace(
                "<smp:ServiceMetadata>",
                "<smp:ServiceMetadata><smp:ServiceInformation/></smp:ServiceMetadata><smp:ServiceMetadata>", 1
            ).encode()  # fmt: skip
        case "part":
            other = entry(HIM, INVOICE).replace("<smp:ServiceMetadata>", '<smp:ServiceMetadata Id="x">')
            return signed(other, AUTHORITIES.publisher, uri="#x")
        case "weak":
            return signed(entry(HIM, INVOICE), AUTHORITIES.publisher, weak=True)
        case "stranger":
            return signed(entry(HIM, INVOICE), Authorities().publisher)
        case "self-made":
            return signed(entry(HIM, INVOICE), certify("Peppol SMP CA (made up)"))
        case "expired":
            return signed(entry(HIM, INVOICE), certify("old", AUTHORITIES.smp, until=NOW.replace(month=2)))
        case "not-yet":
            return signed(entry(HIM, INVOICE), certify("new", AUTHORITIES.smp, since=NOW.replace(month=4)))
        case "no-authority":
            return signed(entry(HIM, INVOICE), certify("below a publisher", AUTHORITIES.publisher))
        case _:
            return text.replace(AUTHORITIES.publisher.base64, "AAAA").encode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("address", "signature-wrong"),
        ("unsigned", "signature-missing"),
        ("wrapped", "signature-wrong"),
        ("part", "signature-wrong"),
        ("weak", "signature-wrong"),
        ("stranger", "certificate-untrusted"),
        ("self-made", "certificate-untrusted"),
        ("expired", "certificate-expired"),
        ("not-yet", "certificate-expired"),
        ("no-authority", "certificate-untrusted"),
        ("no certificate", "signature-wrong"),
    ],
)
async def test_what_is_not_signed_as_it_must_be_is_not_believed(change: str, code: str) -> None:
    async with network() as net:
        net.shows(_wrong(change))
        answer = await net.asked()
        assert (answer.can, answer.code, answer.endpoint) == ("unknown", code, None)


async def test_an_answer_about_somebody_else_is_not_believed() -> None:
    async with network() as net:
        net.shows(signed(entry(Participant("0192", "974760673"), INVOICE), AUTHORITIES.publisher))
        assert (await net.asked()).code == "smp-answer-differs"
        net.shows(good(document=CREDIT_NOTE.document.value))
        assert (await net.asked()).code == "smp-answer-differs"
        net.shows(
            signed(entry(HIM, INVOICE).replace("0192:923609016", "0192:923609016".upper()), AUTHORITIES.publisher)
        )
        assert (await net.asked()).can == "yes"


async def test_one_redirect_is_followed_to_the_publisher_it_names() -> None:
    other = certify("PNO000002 SMP", AUTHORITIES.smp, uid="PNO000002")
    async with network() as net:
        there = f"{net.publisher.url}/other"
        net.shows(signed(redirect(there, "PNO000002"), AUTHORITIES.publisher))
        net.publisher.pages["/other"] = (200, signed(entry(HIM, INVOICE), other))
        assert (await net.asked()).can == "yes"
        net.publisher.pages["/other"] = (200, good())  # another publisher than the one named
        assert (await net.asked()).code == "signer-differs"
        net.publisher.pages["/other"] = (200, signed(redirect(f"{there}/x", "PNO000002"), other))
        assert (await net.asked()).code == "smp-redirect"
        itself = smp.address(net.publisher.url, HIM, INVOICE.document)
        net.shows(signed(redirect(itself, "PNO000001"), AUTHORITIES.publisher))
        before = len(net.publisher.asked)
        assert (await net.asked()).code == "smp-redirect"
        assert len(net.publisher.asked) == before + 1


async def test_answers_are_kept_as_long_as_they_are_believed() -> None:
    kept = Kept()
    async with network(known=kept) as net:
        net.shows(good(until="2027-03-01T13:00:00Z"))
        first = await net.asked()
        assert first.until == NOW.replace(hour=13)  # the endpoint closes then
        net.shows((404, b""))
        assert await net.asked() == first
        assert len(net.publisher.asked) == len(net.names) == 1
        assert (await net.asked(fresh=True)).code == "document-type-not-taken"
        assert (await net.asked()).can == "no"
        assert len(net.publisher.asked) == 2


def test_a_revoked_publisher_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(AUTHORITIES.root.pem + AUTHORITIES.smp.pem)
    trust = Trust.load(tmp_path)
    trust.check(AUTHORITIES.publisher.certificate, NOW)
    forged = revoke(Authorities().smp, AUTHORITIES.publisher)
    (tmp_path / "forged.crl").write_bytes(forged)
    Trust.load(tmp_path).check(AUTHORITIES.publisher.certificate, NOW)
    (tmp_path / "smp.crl").write_bytes(revoke(AUTHORITIES.smp, AUTHORITIES.publisher))
    with pytest.raises(Exception, match="revoked") as caught:
        Trust.load(tmp_path).check(AUTHORITIES.publisher.certificate, NOW)
    assert caught.value.code == "certificate-revoked"  # type: ignore[attr-defined]


def test_an_authority_that_may_not_sign_certificates_proves_nothing() -> None:
    weak = certify("CA by name", AUTHORITIES.root, ca=True, sign_certificates=False)
    leaf = certify("below it", weak)
    trust = Trust((AUTHORITIES.root.certificate, weak.certificate))
    with pytest.raises(Exception, match="not trusted"):
        trust.check(leaf.certificate, NOW)
    Trust((AUTHORITIES.smp.certificate,)).check(AUTHORITIES.publisher.certificate, NOW)  # the root is not needed
    with pytest.raises(Exception, match="not trusted"):
        Trust((AUTHORITIES.root.certificate,)).check(AUTHORITIES.publisher.certificate, NOW)


def test_a_trust_store_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        Trust.load(tmp_path / "nowhere")
    assert caught.value.code == "trust-store-missing"
    (tmp_path / "x.pem").write_text("-----BEGIN nothing")
    with pytest.raises(Misconfigured) as caught:
        Trust.load(tmp_path)
    assert caught.value.code == "trust-store-wrong"


@pytest.mark.parametrize(
    ("address", "public"),
    [("8.8.8.8", True), ("127.0.0.1", False), ("10.1.2.3", False), ("169.254.169.254", False), ("::1", False),
     ("::ffff:127.0.0.1", False), ("2002:7f00:1::", False), ("fe80::1%eth0", False), ("224.0.0.1", False),
     ("100.64.0.1", False), ("2606:4700::1111", True)],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_only_https_and_public_addresses_are_fetched() -> None:
    async with network(fetcher=Fetcher(timeout=2)) as net:
        net.shows(good())
        assert (await net.asked()).code == "smp-address-unfit"  # it is http
        net.zone[sml.name(HIM, ZONE).lower()] = [("", "NAPTR", naptr("https://localhost:1"))]
        assert (await net.asked()).code == "smp-address-unfit"
        net.zone[sml.name(HIM, ZONE).lower()] = [("", "NAPTR", naptr("https://user:word@smp.example"))]
        assert (await net.asked()).code == "smp-address-unfit"
        assert net.publisher.asked == []
