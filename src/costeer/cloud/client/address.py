"""Where a completions server is, and with which headers it is asked."""

from __future__ import annotations

import ipaddress
import ssl

import httpx

from costeer.exceptions import UsageError


def api_base(url: str) -> str:
    """``http(s)://host[:port][/prefix]/v1`` for a URL given with or without ``/v1``.

    Raises:
        UsageError: another scheme, no host, or credentials, a query or a fragment in it.
    """
    base = checked(url, "The cloud URL", "COSTEER_API_KEY").removesuffix("/completions")
    return base if base.endswith("/v1") else f"{base}/v1"


def checked(url: str, title: str, key: str) -> str:
    """The URL without a slash at its end.

    Args:
        url: of a server.
        title: what the URL is called in errors.
        key: where its key belongs, which is not in the URL.

    Raises:
        UsageError: another scheme, no host, or credentials, a query or a fragment in it.
    """
    hint = "Give something like http://127.0.0.1:8081/v1 or https://host/v1."
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, TypeError):
        raise UsageError(f"{title} cannot be understood.", hint) from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UsageError(f"{title} must begin with http:// or https://.", hint)
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise UsageError(
            f"{title} must not hold credentials, a query or a fragment.",
            f"Give the key with {key}.",
        )
    return str(parsed).rstrip("/")


def headers(api_key: str | None) -> dict[str, str]:
    """For every request.

    Raises:
        UsageError: the key cannot stand in a header.
    """
    # identity: a proxy that compresses would hold tokens back
    fields = {"accept-encoding": "identity", "user-agent": "costeer"}
    if api_key:
        if not api_key.isascii() or not api_key.isprintable():
            raise UsageError("The API key holds characters that no key has.", "Copy it again.")
        fields["authorization"] = f"Bearer {api_key}"
    return fields


def on_loopback(url: str) -> bool:
    """Whether the URL names this machine, so that no request to it leaves it."""
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def certificates() -> ssl.SSLContext:
    """Whom to trust: the certificates of SSL_CERT_FILE or SSL_CERT_DIR, or else the usual ones.

    Raises:
        UsageError: they cannot be read.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # also what ssl finds wrong in them
        reason = error.strerror or "no certificates in it"
        raise UsageError(
            f"The certificates for https cannot be loaded ({reason}).",
            "Check SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from None
