"""TLS on loopback: one certificate for `hooks.example`, which only `tls_authority` trusts."""

import ssl
from pathlib import Path

import pytest

CERTIFICATE = Path(__file__).parent / "tls" / "hooks.example.pem"


@pytest.fixture
def tls_server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.fixture
def tls_authority() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))
