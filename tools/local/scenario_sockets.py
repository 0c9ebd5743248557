"""Events of scenarios with sockets and live updates."""

from __future__ import annotations

import json
import time
from typing import Any

from function_copies import Copies
from invocations import batch, http, partner
from scenario_events import create_order, known_report
from settings import ACCOUNT

Json = Any

TICKET = "/api/realtime/ticket"
PUSHER_AUTH = "/api/realtime/pusher-auth"


def ticket(copies: Copies, body: Json) -> Json:
    return http(copies, "POST", TICKET, partner(copies), body)


def ticket_of_account(copies: Copies) -> Json:
    return ticket(copies, {"account_code": ACCOUNT})


def ticket_of_order(copies: Copies) -> Json:
    return ticket(copies, {"order_id": create_order(copies)})


def ticket_by_token(copies: Copies) -> Json:
    """With a token that is wrong: the setting with its key is read all the same."""
    body = {"account_code": ACCOUNT, "order_id": "O-1", "token": "1-canary-token"}
    return http(copies, "POST", TICKET, {}, body)


def channel_by_token(copies: Copies) -> Json:
    """With a token, so that no caller is looked up. The stack has no app of Pusher."""
    form = "socket_id=1.1&channel_name=private-order-O-1%40STORE001&token=1-canary-token"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return http(copies, "POST", PUSHER_AUTH, headers) | {"body": form}


def socket(kind: str, connection: str, body: str = "", **rest: Json) -> Json:
    """An event of the WebSocket API."""
    route = {"CONNECT": "$connect", "DISCONNECT": "$disconnect", "MESSAGE": "$default"}[kind]
    context = {"connectionId": connection, "eventType": kind, "routeKey": route}
    return {"requestContext": context, "body": body, "isBase64Encoded": False} | rest


def connect(copies: Copies, connection: str, made: Json) -> Json:
    found = copies.call("realtime", made).body["ticket"]
    return socket("CONNECT", connection, multiValueQueryStringParameters={"ticket": [found]})


def opens(copies: Copies) -> Json:
    return connect(copies, copies.unique("socket-"), ticket_of_account(copies))


def _opened(copies: Copies, made: Json) -> str:
    connection = copies.unique("socket-")
    copies.call("realtime", connect(copies, connection, made))
    return connection


def _registers(copies: Copies, made: Json, order: str) -> Json:
    """The post to a socket that API Gateway does not have ends like one to a closed socket."""
    frame = {"type": "register", "since": {order: 0}}
    return socket("MESSAGE", _opened(copies, made), json.dumps(frame))


def registers_account(copies: Copies) -> Json:
    return _registers(copies, ticket_of_account(copies), create_order(copies))


def registers_order(copies: Copies) -> Json:
    order = create_order(copies)
    return _registers(copies, ticket(copies, {"order_id": order}), order)


def closes(copies: Copies) -> Json:
    return socket("DISCONNECT", _opened(copies, ticket_of_account(copies)))


def update(copies: Copies) -> Json:
    """An update for a closed socket, and for Pusher."""
    made, order = ticket_of_account(copies), create_order(copies)
    copies.call("realtime", _registers(copies, made, order))
    scope = {"account": ACCOUNT}
    updates = [{"scopes": [scope], "frame": "{}", "about": scope}]
    return batch(copies, "live", json.dumps({"v": 1, "updates": updates}))


def watched_change(copies: Copies) -> Json:
    """Somebody may watch the account."""
    until = int(time.time()) + 3600
    row = {"pk": {"S": f"watch:{len(ACCOUNT)}:{ACCOUNT}"}, "sk": {"S": "watch"}}
    numbers = {"until": {"N": str(until * 1000)}, "ttl": {"N": str(until)}}
    table = copies.of(copies.stack["tables"]["connections"])
    copies.aws["dynamodb"].put_item(TableName=table, Item=row | numbers)
    return known_report(copies)
