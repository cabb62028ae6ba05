from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.errors import TryLater
from connector.http import Http


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "cert.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


async def test_calls_go_over_tls_and_the_certificate_counts(loopback, certificate, says):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(loopback.serve, "127.0.0.1", 0, ssl=context)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    loopback.says(says(200, b'"' + b"x" * 500_000 + b'"'))

    trusting = Http(url, verify=ssl.create_default_context(cafile=str(certificate)))
    for _ in range(2):
        assert len((await trusting.call("POST", "/a", content=b"y" * 300_000)).json()) == 500_000
    assert loopback.connections == 1
    await trusting.aclose()

    careful = Http(url)
    with pytest.raises(TryLater) as failed:
        await careful.call("POST", "/a", json={})
    assert failed.value.code == "vendor-unreachable"
    assert "certificate" in failed.value.said.lower()
    await careful.aclose()
    server.close()


async def test_large_bodies_arrive_whole(http, loopback, says):
    body = bytes(range(256)) * 8192
    loopback.says(says(200, b"{}"))
    await http.call("POST", "/a", content=body)
    assert loopback.came[0].body == body
    loopback.says(says(200, body, Content_Type="application/octet-stream"))
    assert (await http.call("GET", "/a")).body == body


async def test_a_connection_that_the_server_closed_is_not_used_again(http, loopback):
    writers = []

    async def keep(came, writer):
        writers.append(writer)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    loopback.script = keep
    await http.call("POST", "/a", json={})
    writers[0].close()
    await asyncio.sleep(0.1)
    await http.call("POST", "/a", json={})
    assert loopback.connections == 2
