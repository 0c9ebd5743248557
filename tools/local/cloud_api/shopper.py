"""What a shopper sends: the content of `POST /_reply`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .reading import InvalidControl, read_dataclass, require, require_delay, require_text

Json = dict[str, Any]

SENDERS = ("both", "phone", "user_id")


@dataclass(frozen=True)
class Reply:
    """A message of a shopper, with one content."""

    # The message that it answers, by its id or its `biz_opaque_callback_data`.
    message: str | None = None
    callback_data: str | None = None
    # Without such a message: to this number, by this user.
    number: str | None = None
    phone: str | None = None
    user_id: str | None = None
    # Which of the user's ids the webhook names.
    sender: str = "both"
    name: str | None = "Test Shopper"
    after_ms: int = 0
    # The time of the message in seconds; `None`: when it is due.
    timestamp: int | None = None
    text: str | None = None
    # {"text", "payload"}: a quick-reply button of a template
    button: Json | None = None
    # {"id", "title"}
    button_reply: Json | None = None
    # {"id", "title", "description"?}
    list_reply: Json | None = None
    # The answers to a form.
    form: Json | None = None
    # An emoji; an empty text takes the reaction back.
    reaction: str | None = None

    def content(self, answers: str | None) -> Json:
        """`type` and content of the message."""
        if self.text is not None:
            return {"type": "text", "text": {"body": self.text}}
        if self.button is not None:
            return {"type": "button", "button": self.button}
        if self.reaction is not None:
            emoji = {"emoji": self.reaction} if self.reaction else {}
            return {"type": "reaction", "reaction": {"message_id": answers} | emoji}
        return {"type": "interactive", "interactive": self._interactive()}

    def _interactive(self) -> Json:
        if self.form is not None:
            answers = json.dumps(self.form, separators=(",", ":"))
            form = {"name": "flow", "body": "Sent", "response_json": answers}
            return {"type": "nfm_reply", "nfm_reply": form}
        kind = "button_reply" if self.button_reply is not None else "list_reply"
        return {"type": kind, kind: getattr(self, kind)}


CONTENTS = ("text", "button", "button_reply", "list_reply", "form", "reaction")


def read(value: Any) -> Reply:
    reply = read_dataclass(Reply, value, "reply")
    given = [name for name in CONTENTS if getattr(reply, name) is not None]
    require(len(given) == 1, f"a reply has one of {', '.join(CONTENTS)}")
    for name in ("message", "callback_data", "number", "phone", "user_id", "name"):
        require_text(getattr(reply, name), f"reply.{name}")
    for name in ("text", "reaction"):
        require_text(getattr(reply, name), f"reply.{name}")
    for name in ("button", "button_reply", "list_reply", "form"):
        content = getattr(reply, name)
        require(content is None or isinstance(content, dict), f"reply.{name}: an object")
    require(reply.sender in SENDERS, f"reply.sender: one of {', '.join(SENDERS)}")
    require_delay(reply.after_ms, "reply.after_ms")
    timestamp = reply.timestamp
    require(timestamp is None or type(timestamp) is int, "reply.timestamp: seconds")
    answers = reply.message is not None or reply.callback_data is not None
    if not answers and not (reply.number and (reply.phone or reply.user_id)):
        raise InvalidControl("a reply names a message, or a number and a phone or user_id")
    if reply.reaction is not None:
        require(answers, "a reaction names a message")
    return reply
