"""What may come over the wire: so many bytes of UTF-8, from the host that was asked, each key once, digits 0 to 9.

ccxt reads whatever an exchange sends, goes where it redirects to, and takes the last of two values and any digit that
Python knows.
"""

import json
import re
from importlib import import_module
from typing import Any

from src.base.errors import truncate
from src.base.json_keys import TwiceError, each_key_once

# Unpacked. Some lists of markets are of 15 million bytes; a day of bars has a thousandth of that.
LARGEST_ANSWER = 32_000_000
# Of other scripts, or parted by an underscore, as Python reads them.
ODD_DIGITS = re.compile(r"(?![0-9])\d|\d_\d")


class RefusedError(Exception):
    """What came is no answer, whatever else it says; no ValueError, which ccxt would pass over."""


async def open_session(client: Any) -> None:  # noqa: ANN401 - ccxt has no types
    """Give ccxt's client a session that keeps to the limits of this module, with its own connections and TLS."""
    aiohttp = import_module("aiohttp")

    class BoundedResponse(aiohttp.ClientResponse):  # type: ignore[misc, name-defined]
        """An answer that ends, in UTF-8 as all JSON is."""

        _body: bytes | None

        async def read(self) -> bytes:
            """Return the body, unpacked."""
            if self._body is None:
                content = bytearray()
                async for piece in self.content.iter_any():
                    content += piece
                    if len(content) > LARGEST_ANSWER:
                        self.close()
                        msg = f"expected an answer of at most {LARGEST_ANSWER:,} bytes, got more"
                        raise RefusedError(msg)
                self._body = bytes(content)
            return await super().read()

        def get_encoding(self) -> str:
            """Decode by no rule of the server's choice: a few of Python's, such as punycode, take hours."""
            return "utf-8"

    stays = aiohttp.TraceConfig()
    stays.on_request_redirect.append(_refuse_another_host)
    client.open()
    client.session.detach()
    client.session = aiohttp.ClientSession(
        connector=client.tcp_connector,
        trust_env=client.aiohttp_trust_env,
        response_class=BoundedResponse,
        trace_configs=[stays],
    )


def read_json(text: str) -> Any:  # noqa: ANN401 - whatever it holds
    """Read an answer; `RefusedError` if a key stands twice in an object, `ValueError` if it is no JSON."""
    try:
        return json.loads(text, object_pairs_hook=each_key_once, parse_constant=_refuse_constant)
    except TwiceError as error:
        msg = f"expected each key of an object once, got {error}"
        raise RefusedError(msg) from error


def refuse_odd_digits(row: object) -> None:
    """Refuse a row with digits that no exchange writes, and that Python reads."""
    if ODD_DIGITS.search(str(row)):
        msg = f"expected numbers in the digits 0 to 9, got {truncate(str(row), 80)}"
        raise RefusedError(msg)


async def _refuse_another_host(_session: object, _context: object, came: Any) -> None:  # noqa: ANN401 - aiohttp's
    """Follow a redirect on the same host only: another one was not asked, and may be one of this network."""
    location = came.response.headers.get("Location") or came.response.headers.get("URI")
    if location is None:
        return
    target = came.url.join(type(came.url)(location))
    if not target.is_absolute() or target.origin() != came.url.origin():
        came.response.close()
        msg = f"expected an answer of {came.url.origin()}, got a redirect to {truncate(str(target), 80)}"
        raise RefusedError(msg)


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which JSON does not have."""
    msg = f"{name} is no JSON"
    raise ValueError(msg)
