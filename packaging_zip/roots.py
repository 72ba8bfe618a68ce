"""The certificate authorities of certifi as a folder in which OpenSSL finds each by its name.

From a bundle OpenSSL reads all of its certificates for every new connection; from such a folder,
the one that a chain ends in. A file is named after the hash of its certificate's subject, as
``openssl rehash`` does it, and holds the certificate in PEM.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Dict, Iterator, Tuple

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
SEQUENCE, SET, UTF8, VERSION = 0x30, 0x31, 0x0C, 0xA0
# The kinds of strings whose texts OpenSSL compares; all other values count as they are
# (crypto/x509/x_name.c, ASN1_MASK_CANON).
CODECS = {
    UTF8: "utf-8",
    0x13: "latin-1",  # PrintableString
    0x14: "latin-1",  # T61String
    0x16: "latin-1",  # IA5String
    0x1A: "latin-1",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
SPACE = " \t\n\v\f\r"


def hashed(bundle: str) -> Dict[str, bytes]:
    """Return the files of such a folder, by name, for a bundle of certificates in PEM."""
    files: Dict[str, bytes] = {}
    for body in re.findall(f"{BEGIN}(.*?){END}", bundle, re.DOTALL):
        beginning, number = f"{subject_hash(base64.b64decode(body)):08x}", 0
        # Those whose subjects have one hash are told apart by a number.
        while f"{beginning}.{number}" in files:
            number += 1
        files[f"{beginning}.{number}"] = f"{BEGIN}{body}{END}\n".encode()
    return files


def subject_hash(certificate: bytes) -> int:
    """Return OpenSSL's hash of the subject of a certificate in DER (X509_subject_name_hash)."""
    (_, whole), *_ = _values(certificate)
    (_, to_be_signed), *_ = _values(whole)
    fields = [body for tag, body in _values(to_be_signed) if tag != VERSION]
    subject = fields[4]  # after serial number, algorithm, issuer and validity (RFC 5280, 4.1)
    canonical = b"".join(_canonical_part(body) for _, body in _values(subject))
    # How files are named, which has nothing to do with trust.
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "little")


def _canonical_part(part: bytes) -> bytes:
    """Return a relative distinguished name as OpenSSL hashes it (x_name.c, x509_name_canon)."""
    attributes = []
    for _, attribute in _values(part):
        (kind, identifier), (tag, value) = _values(attribute)
        attributes.append(_der(SEQUENCE, _der(kind, identifier) + _canonical_value(tag, value)))
    return _der(SET, b"".join(sorted(attributes)))


def _canonical_value(tag: int, value: bytes) -> bytes:
    if tag not in CODECS:
        return _der(tag, value)
    text = re.sub(f"[{SPACE}]+", " ", value.decode(CODECS[tag]).strip(SPACE))
    # Only the letters of ASCII: str.lower() takes all.
    return _der(UTF8, re.sub("[A-Z]", lambda letter: letter[0].lower(), text).encode())


def _values(data: bytes) -> Iterator[Tuple[int, bytes]]:
    """Yield tag and contents of each value that stands in some DER."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            more = length & 0x7F
            length, at = int.from_bytes(data[at : at + more], "big"), at + more
        yield tag, data[at : at + length]
        at += length


def _der(tag: int, body: bytes) -> bytes:
    length = len(body)
    if length < 0x80:
        return bytes([tag, length]) + body
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body
