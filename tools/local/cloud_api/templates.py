"""Message templates: what they want as parameters.

Source: Meta's "Template messages", and the error texts in published logs of the API.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .errors import Refused
from .reading import InvalidControl, is_integer, read_dataclass, require

Json = dict[str, Any]

STATUSES = {"APPROVED": 0, "PAUSED": 132015, "DISABLED": 132016, "PENDING": 132001}
CATEGORIES = ("utility", "marketing", "authentication")
HEADERS = ("text", "image", "video", "document", "location")
BUTTONS = ("url", "quick_reply", "phone_number", "copy_code", "flow")
MAX_TEXT = 1024
MAX_HEADER_TEXT = 60
# The type of a parameter → its field with the value.
VALUES = {
    **{kind: kind for kind in ("text", "currency", "date_time", "image", "video", "document")},
    **{kind: kind for kind in ("location", "payload", "coupon_code", "action")},
}


@dataclass(frozen=True)
class Template:
    """A template in one language."""

    # Number of parameters of the body, or their names.
    body: int | list[str] = 0
    header: str | None = None
    # By index; `{"type": "url", "parameters": 1}` for a URL that ends with a parameter.
    buttons: list[Json] = field(default_factory=list)
    status: str = "APPROVED"
    category: str = "utility"

    def check(self, components: list[Json]) -> None:
        """Refuses parameters that do not fit."""
        if STATUSES[self.status]:
            raise Refused(STATUSES[self.status])
        by_type: dict[str, list[Json]] = {"header": [], "body": [], "button": []}
        for component in components:
            kind = str(component["type"]).lower()
            if kind not in by_type:
                raise Refused(100, f"Unexpected component type {kind!r}")
            by_type[kind].append(component)
        for kind in ("header", "body"):
            if len(by_type[kind]) > 1:
                raise Refused(100, f"{kind} is given twice")
        self._check_header(_parameters(by_type["header"]))
        self._check_body(_parameters(by_type["body"]))
        self._check_buttons(by_type["button"])

    def _check_header(self, parameters: list[Json]) -> None:
        _check_count("header", parameters, 1 if self.header else 0)
        for parameter in parameters:
            _check_type("header", parameter, {str(self.header)})
            _check_value("header", parameter, MAX_HEADER_TEXT)

    def _check_body(self, parameters: list[Json]) -> None:
        names = self.body if isinstance(self.body, list) else None
        _check_count("body", parameters, len(names) if names else int(self.body or 0))
        for parameter in parameters:
            _check_type("body", parameter, {"text", "currency", "date_time"})
            _check_value("body", parameter, MAX_TEXT)
        given = [parameter.get("parameter_name") for parameter in parameters]
        if sorted(names or []) != sorted(str(name) for name in given if name is not None):
            raise Refused(132012, "body: Parameter names do not match those of the template")

    def _check_buttons(self, buttons: list[Json]) -> None:
        given = {_index(button): button for button in buttons}
        if len(given) < len(buttons):
            raise Refused(100, "buttons: two have the same index")
        for index, button in given.items():
            kind = str(button.get("sub_type")).lower()
            if index >= len(self.buttons) or self.buttons[index]["type"] != kind:
                raise Refused(132012, f"buttons: The template has no {kind} button at {index}")
            for parameter in _parameters([button]):
                _check_value("buttons", parameter, MAX_TEXT)
        for index, wanted in enumerate(self.buttons):
            parameters = _parameters([given[index]] if index in given else [])
            count = wanted.get("parameters", 0)
            if wanted["type"] == "url" and len(parameters) < count:
                details = f"buttons: Button at index {index} of type Url requires a parameter"
                raise Refused(131008, details)
            if wanted["type"] == "url" and len(parameters) > count:
                raise Refused(132000, f"buttons: Button at index {index} takes {count} parameters")


Templates = dict[str, dict[str, Template]]


def find(templates: Templates, name: str, language: str) -> Template:
    if language not in templates.get(name, {}):
        raise Refused(132001, f"template name ({name}) does not exist in {language}")
    return templates[name][language]


def _parameters(components: list[Json]) -> list[Json]:
    listed = components[0].get("parameters", []) if components else []
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise Refused(100, "parameters must be a list of objects")
    return listed


def _index(button: Json) -> int:
    text = str(button.get("index", ""))
    if not (text.isascii() and text.isdigit() and len(text) < 3):
        raise Refused(131008, "buttons: index is missing")
    return int(text)


def _check_count(component: str, parameters: list[Json], expected: int) -> None:
    if len(parameters) != expected:
        raise Refused(
            132000,
            f"{component}: number of localizable_params ({len(parameters)}) does not match the "
            f"expected number of params ({expected})",
        )


def _check_type(component: str, parameter: Json, expected: set[str]) -> None:
    kind = str(parameter.get("type", "")).lower()
    if kind not in expected:
        wanted = ", ".join(sorted(expected)).upper()
        details = f"{component}: Format mismatch, expected {wanted}, received {kind.upper()}"
        raise Refused(132012, details)


def _check_value(component: str, parameter: Json, max_text: int) -> None:
    kind = str(parameter.get("type", "")).lower()
    unknown = parameter.keys() - {"type", "parameter_name", *VALUES}
    if kind not in VALUES or unknown:
        raise Refused(100, f"{component}: Unexpected key or type in a parameter")
    value = parameter.get(VALUES[kind])
    if not value or (isinstance(value, str) and not value.strip()):
        raise Refused(131008, f"Parameter of type {kind} is missing {kind} value")
    if kind == "text":
        _check_text(component, value, max_text)


def _check_text(component: str, text: Any, longest: int) -> None:
    if not isinstance(text, str):
        raise Refused(100, f"{component}: text must be a string")
    if any(bad in text for bad in ("\n", "\r", "\t", "     ")):
        details = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"
        raise Refused(132018, details)
    if len(text) > longest:
        raise Refused(132005, f"{component}: Translated text too long")


def read(value: Any, name: str) -> Template:
    """A template of a control message."""
    template = read_dataclass(Template, value, name)
    named = isinstance(template.body, list) and all(isinstance(it, str) for it in template.body)
    require(named or is_integer(template.body, 0, 50), f"{name}.body: a number or a list of names")
    require(template.header in (None, *HEADERS), f"{name}.header: one of {', '.join(HEADERS)}")
    require(template.status in STATUSES, f"{name}.status: one of {', '.join(STATUSES)}")
    require(template.category in CATEGORIES, f"{name}.category: one of {', '.join(CATEGORIES)}")
    if not isinstance(template.buttons, list):
        raise InvalidControl(f"{name}.buttons must be a list")
    for button in template.buttons:
        known = isinstance(button, dict) and button.keys() <= {"type", "parameters"}
        require(known and button.get("type") in BUTTONS, f"{name}.buttons: unknown type")
        require(is_integer(button.get("parameters", 0), 0, 1), f"{name}.buttons: parameters")
    return template


# Known without a control message; the demo and the docs use them.
DEFAULTS: Templates = {
    "order_shipped": {
        language: Template(body=2, buttons=[{"type": "url", "parameters": 1}])
        for language in ("en", "en_US")
    },
    "order_update": {
        "en": Template(
            body=3, buttons=[{"type": "quick_reply"}, {"type": "quick_reply"}], category="utility"
        ),
        "hi": Template(body=3, buttons=[{"type": "quick_reply"}, {"type": "quick_reply"}]),
    },
    "hello_world": {"en_US": Template()},
}
