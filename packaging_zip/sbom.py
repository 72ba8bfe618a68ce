"""The software bill of materials beside the zip: CycloneDX, written by its own library."""

from __future__ import annotations

import hashlib
import uuid
from typing import Sequence

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from packaging_zip.collect import Part
from sms_watch import __version__


def bill(content: bytes, parts: Sequence[Part]) -> str:
    """Return the bill of a zip as JSON, the same for the same zip."""
    digest = hashlib.sha512(content).hexdigest()
    product = Component(
        name="sms-watch",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="sms-watch",
        hashes=[HashType(alg=HashAlgorithm.SHA_512, content=digest)],
    )
    libraries = [_component(part) for part in parts]
    bom = Bom(
        components=libraries,
        metadata=BomMetaData(component=product),
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest),
    )
    # The moment of the build would make every bill another one; the library's own type denies
    # that a bill may do without it, its format does not.
    bom.metadata.timestamp = None  # type: ignore[assignment] # as above
    bom.register_dependency(product, libraries)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(part: Part) -> Component:
    address = PackageURL("pypi", name=part.name, version=part.version)
    licences = [LicenseFactory().make_from_string(part.licence)] if part.licence else []
    return Component(
        name=part.name,
        version=part.version,
        purl=address,
        bom_ref=str(address),
        licenses=licences,
    )
