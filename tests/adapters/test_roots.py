"""The folder of certificate authorities: OpenSSL finds each, and trusts nothing else by it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

import certifi
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from packaging_zip.roots import hashed
from sms_watch.adapters import roots
from sms_watch.errors import CloudError, JournalError
from tests.support.loopback import Server, answer
from tests.support.services import Call, both_services

HERE, ELSEWHERE = "127.0.0.1", "elsewhere.example"
UNTRUSTED = "has a certificate that is not trusted"
GRANTED = '{"id": "a", "name": "web-01", "state": "RUNNING"}'


class TlsServer(Server):
    """Answers over TLS what each of the two services would."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)
        super().__init__(answer(200, GRANTED, "x-obs-request-id: 1"))
        self.url = self.url.replace("http:", "https:")

    def _handle(self, connection: Any) -> None:
        try:
            secured = self._context.wrap_socket(connection, server_side=True)
        except OSError:  # the client has broken off
            connection.close()
            return
        super()._handle(secured)


@contextmanager
def _serving(certificate: trustme.LeafCert) -> Iterator[Server]:
    server = TlsServer(certificate)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what lays authorities out in the folder, as the build does."""
    folder = tmp_path / "roots"
    folder.mkdir()
    monkeypatch.setattr(roots, "FOLDER", folder)
    for name in roots.CHOSEN:
        monkeypatch.delenv(name, raising=False)

    def lay_out(*authorities: trustme.CA) -> None:
        bundle = "".join(each.cert_pem.bytes().decode() for each in authorities)
        for name, content in hashed(bundle).items():
            (folder / name).write_bytes(content)

    return lay_out


def _namesake() -> trustme.CA:
    return trustme.CA(organization_name="A Root", organization_unit_name="of that name")


@both_services
def test_a_server_of_a_root_in_the_folder_is_trusted(
    trust: Callable[..., None], call: Call
) -> None:
    """A chain that ends in one of the authorities is accepted, whichever else lie there."""
    known = trustme.CA()
    trust(trustme.CA(), known, trustme.CA())
    with _serving(known.issue_cert(HERE)) as server:
        call(server.url)
        assert len(server.requests) == 1


def _of_another_host(known: trustme.CA) -> trustme.LeafCert:
    return known.issue_cert(ELSEWHERE)


def _expired(known: trustme.CA) -> trustme.LeafCert:
    return known.issue_cert(HERE, not_after=datetime.now(timezone.utc) - timedelta(hours=1))


def _of_an_unknown_root(known: trustme.CA) -> trustme.LeafCert:
    return trustme.CA().issue_cert(HERE)


def _of_a_namesake(known: trustme.CA) -> trustme.LeafCert:
    return _namesake().issue_cert(HERE)


@both_services
@pytest.mark.parametrize("issue", [_of_another_host, _expired, _of_an_unknown_root, _of_a_namesake])
def test_verification_is_as_strict_with_the_folder(
    trust: Callable[..., None], call: Call, issue: Callable[[trustme.CA], trustme.LeafCert]
) -> None:
    """Another host, a time that is over, an unknown root and one of the same name are refused."""
    known = _namesake()
    trust(known)
    with _serving(issue(known)) as server:
        with pytest.raises((CloudError, JournalError), match=UNTRUSTED):
            call(server.url)
        assert server.requests == []


@both_services
def test_roots_with_one_hash_are_all_found(trust: Callable[..., None], call: Call) -> None:
    """Authorities whose subjects are the same lie side by side, and each is tried."""
    first, second = _namesake(), _namesake()
    trust(first, second)
    names = sorted(each.name for each in roots.FOLDER.iterdir())
    assert [each.partition(".")[2] for each in names] == ["0", "1"]
    for known in (first, second):
        with _serving(known.issue_cert(HERE)) as server:
            call(server.url)


@both_services
@pytest.mark.parametrize("name", roots.CHOSEN)
def test_a_bundle_of_the_environment_goes_before_the_folder(
    trust: Callable[..., None],
    call: Call,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where somebody names authorities of their own, these count and those of the zip do not."""
    ours, theirs = trustme.CA(), trustme.CA()
    trust(ours)
    theirs.cert_pem.write_to_path(str(tmp_path / "theirs.pem"))
    monkeypatch.setenv(name, str(tmp_path / "theirs.pem"))
    with _serving(theirs.issue_cert(HERE)) as server:
        call(server.url)
    with _serving(ours.issue_cert(HERE)) as server, pytest.raises((CloudError, JournalError)):
        call(server.url)


def test_outside_the_zip_certifi_is_left_in_charge(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the folder nothing is said to the SDK and to requests."""
    monkeypatch.setattr(roots, "FOLDER", tmp_path / "none")
    assert roots.authorities() is None


# Names

UTF8, PRINTABLE, BMP = _ASN1Type.UTF8String, _ASN1Type.PrintableString, _ASN1Type.BMPString
ORGANIZATION, UNIT = NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME
Attribute = Tuple[x509.ObjectIdentifier, str, _ASN1Type]
SUBJECTS: List[List[List[Attribute]]] = [
    [[(NameOID.COUNTRY_NAME, "ES", PRINTABLE)], [(ORGANIZATION, "Root CA", PRINTABLE)]],
    [[(ORGANIZATION, "  Főtanúsítvány \t ÁRVÍZ  x ", UTF8)]],
    [[(ORGANIZATION, "Türk  Root", BMP)]],
    [[(UNIT, "B", UTF8), (ORGANIZATION, "A much Longer One", UTF8)], [(UNIT, "x", UTF8)]],
    [[(ORGANIZATION, "x" * 64, UTF8)], *([[(UNIT, "y" * 64, UTF8)]] * 3)],
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_openssl_finds_a_root_by_the_name_of_its_file(
    subject: List[List[Attribute]], tmp_path: Path
) -> None:
    """Case, spaces, kinds of strings and order count as little, or as much, as they do to it."""
    parts = [
        x509.RelativeDistinguishedName(
            [x509.NameAttribute(kind, text, asn1) for kind, text, asn1 in part]
        )
        for part in subject
    ]
    pem, certificate = _self_signed(x509.Name(parts), tmp_path)
    ((name, content),) = hashed(pem).items()
    (tmp_path / name).write_bytes(content)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(capath=str(tmp_path))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    _shake_hands(client, server)
    assert len(client.get_ca_certs()) == 1


def _self_signed(name: x509.Name, place: Path) -> Tuple[str, Path]:
    """Return a certificate for this host in PEM, and the file that also holds its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(ELSEWHERE)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = place / "with_key"
    file.write_bytes(secret + pem)
    return pem.decode(), file


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Carry what both sides say through memory. Raise SSLCertVerificationError without trust."""
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(theirs, ours, server_hostname=ELSEWHERE),
        server.wrap_bio(ours, theirs, server_side=True),
    ]
    waiting = list(sides)
    for side in sides * 3:
        if side in waiting:
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue
    assert waiting == []


def test_every_authority_of_certifi_has_a_file() -> None:
    """None is lost in the folder, and none of its files holds another."""
    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    context = ssl.create_default_context(cadata=bundle)
    files = hashed(bundle).values()
    laid_out = {ssl.PEM_cert_to_DER_cert(content.decode()) for content in files}
    assert len(files) == bundle.count("BEGIN CERTIFICATE")
    assert laid_out == set(context.get_ca_certs(binary_form=True))


@pytest.mark.slow
@pytest.mark.parametrize("openssl", [each for each in [shutil.which("openssl")] if each])
def test_openssl_would_name_the_authorities_of_certifi_alike(openssl: str) -> None:
    """Where its program is installed, it gives each the hash that its file is named after."""
    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    for name, content in hashed(bundle).items():
        done = subprocess.run(
            [openssl, "x509", "-noout", "-subject_hash"],
            input=content,
            capture_output=True,
            check=True,
        )
        assert done.stdout.decode().strip() == name.partition(".")[0]
