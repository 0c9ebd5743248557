"""The double's state: what it knows, the calls so far, and the messages that it accepted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from delivery import timestamp

from . import bodies, control, notices, requests, rules, shopper
from .bodies import Number, User, message_id, user_id_of
from .errors import InvalidToken, Refused, UnknownObject
from .limits import Limits
from .reading import read_object, require
from .records import Call, Message, Outgoing, Response
from .requests import Send
from .rules import Rule, Rules, Step
from .templates import DEFAULTS, Templates

Json = dict[str, Any]


class CloudApi:
    """Not thread-safe. Times are seconds since 1970."""

    def __init__(self, access_token: str, numbers: list[str]) -> None:
        self.access_tokens = {access_token}
        self.numbers = {number: Number(number) for number in numbers}
        self.templates: Templates = {name: dict(known) for name, known in DEFAULTS.items()}
        # User ids by phone number; those of others are made up.
        self.users: dict[str, str | None] = {}
        self.rules = Rules()
        self.limits = Limits()
        self.calls: list[Call] = []
        self.messages: dict[str, Message] = {}
        self._count = 0

    def send(
        self, number: str, token: str, body: bytes, now: float
    ) -> tuple[Response, list[Outgoing]]:
        """Handles `POST /{version}/{number}/messages`."""
        call = Call(timestamp(now), number, 0, None, None, *requests.outline(body))
        self.calls.append(call)
        try:
            response, webhooks = self._send(number, token, body, now, call)
        except Refused as refused:
            call.code = refused.code
            response, webhooks = _refusal(refused), []
        call.status = response.status if response.connection == "kept" else 0
        return response, webhooks

    def _send(
        self, number: str, token: str, body: bytes, now: float, call: Call
    ) -> tuple[Response, list[Outgoing]]:
        if token not in self.access_tokens:
            raise InvalidToken
        if number not in self.numbers:
            raise UnknownObject(number)
        sender = self.numbers[number]
        send = requests.read(body, self.templates, sender.country_code)
        call.recipient = send.user
        rule = self.rules.find(number, send)
        if rule.refuses() or rule.connection == "refused":
            self.rules.use(rule)
            return self._scripted(rule, call), []
        user = send.user_id or self._user_id(send.phone) or send.user
        self.limits.take(number, user, now, sender.messages_per_second)
        self.rules.use(rule)
        message = self._accept(number, send, rule, now)
        call.message = message.id
        delay, connection = rule.delay_ms, rule.connection
        response = Response(200, _json(_answer(send, message)), {}, delay, connection)
        return response, list(self._statuses(message, rule.steps(), now))

    def _scripted(self, rule: Rule, call: Call) -> Response:
        refused = rule.refusal()
        if refused is None:
            status, body = rule.http_status or 200, (rule.body or "").encode()
        else:
            status, body = refused.http_status, _json(refused.body())
            call.code = refused.code
        return Response(status, body, rule.headers, rule.delay_ms, rule.connection)

    def _accept(self, number: str, send: Send, rule: Rule, now: float) -> Message:
        self._count += 1
        message = Message(
            id=message_id(send.user, self._count),
            at=timestamp(now),
            number=number,
            recipient=send.user,
            user_id=send.user_id or self._user_id(send.phone),
            template=send.template,
            language=send.language,
            category=send.category,
            callback_data=send.callback_data,
            message_status=rule.message_status,
            dropped=send.dropped,
            request=send.body,
            rule=rule,
        )
        self.messages[message.id] = message
        return message

    def _user_id(self, phone: str | None) -> str | None:
        return self.users.get(phone, user_id_of(phone)) if phone else None

    def _user(self, message: Message) -> User:
        """The recipient: a user id may belong to a known phone number."""
        by_id = [phone for phone, user_id in self.users.items() if user_id == message.user_id]
        phone = message.recipient if message.recipient.isdigit() else next(iter(by_id), None)
        return User(phone, message.user_id)

    def _statuses(
        self, message: Message, steps: tuple[Step, ...], now: float
    ) -> Iterator[Outgoing]:
        if message.dropped:
            return
        number, user = self.numbers[message.number], self._user(message)
        delivers = any(step.status == "delivered" for step in steps)
        priced = ("sent", "delivered" if delivers else "read")
        for step in steps:
            at = now + (step.after_ms if step.at_ms is None else step.at_ms) / 1000
            price = bodies.pricing(message) if step.status in priced else None
            body = bodies.status(number, user, message, step, at, price)
            for _ in range(step.times):
                yield Outgoing(body, step.after_ms / 1000, message.id)

    def report(self, message: Any, now: float) -> list[Outgoing]:
        """`POST /_statuses`: statuses of a message, from now on."""
        given = read_object(message, "statuses", {"message", "callback_data", "statuses"})
        known = self.find(given.get("message"), given.get("callback_data"))
        return list(self._statuses(known, rules.read_steps(given.get("statuses")), now))

    def reply(self, message: Any, now: float) -> tuple[str, Outgoing]:
        """`POST /_reply`: a message of a shopper. Returns its id."""
        reply = shopper.read(message)
        if reply.message is not None or reply.callback_data is not None:
            answered = self.find(reply.message, reply.callback_data)
            number, user, answers = answered.number, self._user(answered), answered.id
        else:
            number, user, answers = str(reply.number), User(reply.phone, reply.user_id), None
        user = User(reply.phone or user.phone, reply.user_id or user.user_id)
        if reply.sender != "both":
            user = replace(user, **{"user_id" if reply.sender == "phone" else "phone": None})
        require(bool(user.phone or user.user_id), f"the shopper has no {reply.sender}")
        self._count += 1
        identifier = message_id(user.phone or str(user.user_id), self._count, by_user=True)
        at = now + reply.after_ms / 1000 if reply.timestamp is None else reply.timestamp
        item = {"id": identifier, "timestamp": str(int(at))} | reply.content(answers)
        body = bodies.shopper_message(self._number(number), user, reply.name, item, answers)
        return identifier, Outgoing(body, reply.after_ms / 1000, identifier)

    def notify(self, message: Any, now: float) -> Outgoing:
        """`POST /_notify`: a webhook of Meta's that is about something else."""
        notice = notices.read(message)
        number = self._number(notice.number or next(iter(self.numbers)))
        self._count += 1
        return Outgoing(notices.body(notice, number, now, self._count))

    def _number(self, number: str) -> Number:
        """A number that the double does not have is one of another app."""
        return self.numbers.get(number, Number(number))

    def find(self, message: str | None, callback_data: str | None) -> Message:
        """The last message with this id or callback data."""
        require(message is not None or callback_data is not None, "name a message")
        for known in reversed(self.messages.values()):
            if message in (None, known.id) and callback_data in (None, known.callback_data):
                return known
        require(False, "no such message")
        raise AssertionError

    def listed(self, filters: dict[str, str]) -> list[Json]:
        """The accepted messages, oldest first."""
        return [it.shown() for it in self.messages.values() if _matches(it, filters)]

    def listed_calls(self, filters: dict[str, str]) -> list[Json]:
        return [asdict(call) for call in self.calls if _matches(call, filters)]

    def control(self, message: Any) -> None:
        """`POST /_control`, as a whole or not at all."""
        change = control.read(message)
        self.access_tokens = change.access_tokens or self.access_tokens
        self.users |= change.users
        self.numbers = _without_null(self.numbers | change.numbers)
        for name, languages in change.templates.items():
            self.templates[name] = _without_null(self.templates.get(name, {}) | languages)
        if change.rule:
            self.rules.set(change.rule)


def _answer(send: Send, message: Message) -> Json:
    contact: Json = {"input": send.given}
    contact |= {"wa_id": send.phone} if send.phone else {"user_id": send.user_id}
    return {
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{"id": message.id, "message_status": message.message_status}],
    }


def _refusal(refused: Refused) -> Response:
    return Response(refused.http_status, _json(refused.body()))


def _matches(item: Call | Message, filters: dict[str, str]) -> bool:
    return all(getattr(item, name) == value for name, value in filters.items())


def _without_null(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
