"""The signature of OBS: what it covers, beside the comparison with the official signer."""

from __future__ import annotations

from sms_watch.adapters.obs_signature import quoted, sign
from sms_watch.settings.values import Credentials
from tests.support.builders import NOW

KEYS = Credentials("AK0123456789ABCDEF00", "sk" * 20)


def test_what_is_sent_is_what_is_signed() -> None:
    """The date, the token and the position count; another one of them is another signature."""
    plain = sign("POST", "bucket", "key", {"append": "", "position": "0"}, {}, KEYS, NOW)
    assert plain["x-obs-date"] == "Tue, 24 Nov 2026 00:03:00 GMT"
    assert plain["Authorization"].startswith(f"OBS {KEYS.access_key}:")
    further = sign("POST", "bucket", "key", {"append": "", "position": "1"}, {}, KEYS, NOW)
    temporary = Credentials(KEYS.access_key, KEYS.secret_key, "token")
    with_token = sign("POST", "bucket", "key", {"append": "", "position": "0"}, {}, temporary, NOW)
    assert with_token["x-obs-security-token"] == "token"
    signatures = {each["Authorization"] for each in (plain, further, with_token)}
    assert len(signatures) == 3


def test_other_parameters_are_not_signed() -> None:
    """A listing's prefix, for one, is none of the parameters that OBS signs."""
    bare, listed = (
        sign("GET", "bucket", "", parameters, {}, KEYS, NOW)
        for parameters in ({}, {"prefix": "watch"})
    )
    assert bare == listed


def test_a_key_keeps_its_slashes() -> None:
    """Everything else that an address cannot hold is quoted."""
    assert quoted("a b/ü~") == "a%20b/%C3%BC~"
