"""URL, headers and certificates for a completions server."""

from __future__ import annotations

import ipaddress
import ssl

import httpx2

from costeer.exceptions import UsageError


def api_base(url: str) -> str:
    """Return ``http(s)://host[:port][/prefix]/v1`` for a URL with or without ``/v1``.

    Raises:
        UsageError: another scheme, no host, or credentials, a query or a fragment in it.
    """
    base = check_url(url, "The cloud URL", "COSTEER_API_KEY").removesuffix("/completions")
    return base if base.endswith("/v1") else f"{base}/v1"


def check_url(url: str, title: str, key: str) -> str:
    """Validate a URL; return it without a slash at its end.

    Args:
        url: the URL of a server.
        title: what errors call the URL.
        key: the variable that holds the server's key, which does not belong in the URL.

    Raises:
        UsageError: another scheme, no host, or credentials, a query or a fragment in it.
    """
    hint = "Give something like http://127.0.0.1:8081/v1 or https://host/v1."
    try:
        parsed = httpx2.URL(url.strip())
    except (httpx2.InvalidURL, TypeError):
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
    """Return the headers of every request.

    Raises:
        UsageError: the key has characters that a header cannot have.
    """
    # identity: a proxy that compresses would hold tokens back
    fields = {"accept-encoding": "identity", "user-agent": "costeer"}
    if api_key:
        if not api_key.isascii() or not api_key.isprintable():
            raise UsageError("The API key has characters that no key has.", "Copy it again.")
        fields["authorization"] = f"Bearer {api_key}"
    return fields


def on_loopback(url: str) -> bool:
    """Return whether the URL names this machine."""
    host = httpx2.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def certificates() -> ssl.SSLContext:
    """Return the trusted certificates: SSL_CERT_FILE, SSL_CERT_DIR, or the system's.

    Raises:
        UsageError: they cannot be read.
    """
    try:
        return httpx2.create_ssl_context()
    except OSError as error:  # also raised for invalid certificates
        reason = error.strerror or "no certificates in it"
        raise UsageError(
            f"The certificates for https cannot be loaded ({reason}).",
            "Check SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from None
