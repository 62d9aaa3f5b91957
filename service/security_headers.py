"""Headers that every answer carries, whoever gives it."""

_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

SHOWS_PICTURES = {"Content-Security-Policy": f"{_POLICY}; img-src 'self' blob: data:"}
"""Of a page whose scripts show pictures that they were answered with, and have icons in their styles."""

SECURITY_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
