"""Callback URLs that Shiprocket's panel does not take.

It refuses whatever has its own names or their initials anywhere in host or path, even inside other words; an API's
host begins with ten random letters and digits.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

REFUSED = ("shiprocket", "kartrocket", "sr", "kr")


def refused_words(url: str) -> list[str]:
    """Which of the refused words the URL contains; none: it can be entered."""
    parts = urlsplit(url)
    text = f"{parts.hostname or ''}{unquote(parts.path)}".lower()
    return [word for word in REFUSED if word in text]


def advice(api_url: str, path: str) -> str:
    """What to enter at Shiprocket, or why that would be refused."""
    url = api_url + path
    words = refused_words(url)
    if not words:
        return f"Callback URL for Shiprocket: {url}"
    return "\n".join(
        [
            f"WARNING: Shiprocket will refuse {url}",
            f"         because it contains {' and '.join(map(repr, words))}. Give the API a custom domain with none of",
            f"         {', '.join(REFUSED)} in its name, and enter https://<that domain>{path} there.",
        ]
    )
