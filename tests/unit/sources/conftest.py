"""A stand-in for an exchange, on this machine."""

import pytest

from tests.exchange_server import serve


@pytest.fixture(scope="module")
def server():
    """One server for all tests."""
    with serve() as started:
        yield started


@pytest.fixture
def bitbank(server):
    """The server, honest and with nothing asked yet."""
    server.reset()
    return server
