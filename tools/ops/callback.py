"""Callback URLs that Shiprocket's panel rejects.

It rejects its own names and their initials anywhere in host or path, even inside other words. The
host of an API Gateway API starts with ten random letters and digits.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

REJECTED = ("shiprocket", "kartrocket", "sr", "kr")


def rejected_words(url: str) -> list[str]:
    """The rejected words in the URL; empty for a usable URL."""
    parts = urlsplit(url)
    text = f"{parts.hostname or ''}{unquote(parts.path)}".lower()
    return [word for word in REJECTED if word in text]


def advice(api_url: str, path: str) -> str:
    """The URL for Shiprocket's panel, or a warning that the panel will reject it."""
    url = api_url + path
    words = rejected_words(url)
    if not words:
        return f"Callback URL for Shiprocket: {url}"
    return "\n".join(
        [
            f"WARNING: Shiprocket will reject {url}",
            f"         because it contains {' and '.join(map(repr, words))}. Give the API a",
            f"         custom domain without {', '.join(REJECTED)} in its name, and enter",
            f"         https://<that domain>{path} there.",
        ]
    )
