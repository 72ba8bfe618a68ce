"""A stand-in for the context that FunctionGraph hands to a handler."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any, Dict, Mapping, Optional

from sms_watch.settings.values import Credentials


class LocalContext:
    """The documented methods of the context that the watchdog uses.

    ``texts`` are the settings by name, ``agency`` the temporary keys of a function that has an
    agency (FunctionGraph developer guide, "context").
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        request_id: str = "",
        agency: Optional[Credentials] = None,
    ) -> None:
        self._texts = {**texts, "RUNTIME_USERDATA": json.dumps(dict(texts))}
        self._request_id = request_id or str(uuid.uuid4())
        self._agency = agency or Credentials("", "")

    def getRequestID(self) -> str:  # noqa: N802 - the platform's name
        """Return the id of the request."""
        return self._request_id

    def getUserData(self, name: str) -> Optional[str]:  # noqa: N802 - as above
        """Return an environment variable of the function."""
        return self._texts.get(name)

    def getSecurityAccessKey(self) -> str:  # noqa: N802 - as above
        """Return the agency's temporary access key, empty without an agency."""
        return self._agency.access_key

    def getSecuritySecretKey(self) -> str:  # noqa: N802 - as above
        """Return the agency's temporary secret key, empty without an agency."""
        return self._agency.secret_key

    def getSecurityToken(self) -> str:  # noqa: N802 - as above
        """Return the token of the agency's temporary keys, empty without an agency."""
        return self._agency.security_token


def timer_event(moment: datetime, user_event: str = "") -> Dict[str, Any]:
    """Return the event of a timer trigger (FunctionGraph developer guide, "timer trigger")."""
    return {
        "version": "v1.0",
        "time": moment.isoformat(),
        "trigger_type": "TIMER",
        "trigger_name": "tick",
        "user_event": user_event,
    }
