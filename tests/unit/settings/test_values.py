"""The checked values of the settings."""

from __future__ import annotations

from tests.support.setting_texts import parsed


def test_keys_are_not_shown() -> None:
    """No representation of the settings, nor of the keys alone, holds a part of one."""
    settings = parsed(HUAWEICLOUD_SDK_SECURITY_TOKEN="TOKTOKTOK")
    for shown in (repr(settings), f"{settings.credentials} {[settings.credentials]!r}"):
        assert not any(part in shown for part in ("AKAK", "SKSK", "TOKTOK"))
