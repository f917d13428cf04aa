"""Fields of a form: from HTML to a JSON schema, and from a filled-in form to a post."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from many_wolves.worlds.otree.text import Element, is_hidden, plain_words

FieldKind = Literal["integer", "number", "text", "choice", "choices", "yes_no", "script"]
Choices = tuple[tuple[str, str], ...]
"""Displayed text and posted value of each choice."""

_CONTROLS = ("input", "select", "textarea", "button")
_SENT_BY_PAGE = {"submit", "button", "image", "reset", "file"}
_DAY, _CLOCK = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}(:[0-9]{2})?"
_FORMS = {
    "color": ("#000000", "#[0-9a-fA-F]{6}"),
    "date": ("2000-01-01", _DAY),
    "datetime-local": ("2000-01-01T12:00", f"{_DAY}T{_CLOCK}"),
    "email": ("someone@example.org", r"[^@\s]+@[^@\s]+"),
    "month": ("2000-01", "[0-9]{4}-[0-9]{2}"),
    "time": ("12:00", _CLOCK),
    "url": ("https://example.org", "[a-zA-Z][a-zA-Z0-9+.-]*:.+"),
    "week": ("2000-W01", "[0-9]{4}-W[0-9]{2}"),
}
"""Example and pattern of the texts that a browser accepts in inputs of these types."""


@dataclass(frozen=True)
class FormField:
    """One field that a person fills in.

    Parameters
    ----------
    name, label
        Its name in the post, and its label.
    kind
        ``script``: a hidden field that the page's script fills in.
    required
        Whether it must be filled in.
    low, high, step
        Limits of a number; None if the page gives none.
    choices
        Choices in the order shown.
    example, pattern
        For a text of a fixed form, such as a date: one that fits, and its regular expression.
    longest
        Maximum length of a text.
    """

    name: str
    kind: FieldKind
    label: str = ""
    required: bool = True
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: Choices = ()
    example: str = ""
    pattern: str = ""
    longest: int | None = None

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the field; an optional field allows null."""
        schema = self._kind_schema()
        if not self.required and self.kind not in ("yes_no", "choices"):
            schema["type"] = [schema["type"], "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
        notes = self._notes()
        if notes:
            schema["description"] = "; ".join(notes)
        return schema

    def _kind_schema(self) -> dict[str, Any]:
        words = [words for words, _ in self.choices]
        match self.kind:
            case "integer" | "number":
                limits = {"minimum": self.low, "maximum": self.high}
                return {"type": self.kind} | {k: v for k, v in limits.items() if v is not None}
            case "choice":
                return {"type": "string", "enum": words}
            case "choices":
                return {"type": "array", "items": {"type": "string", "enum": words}}
            case "yes_no":
                return {"type": "boolean"}
        text: dict[str, Any] = {"type": "string"}
        if self.pattern:
            text |= {"pattern": f"^{self.pattern}$", "examples": [self.example]}
        return text if self.longest is None else text | {"maxLength": self.longest}

    def _notes(self) -> list[str]:
        """What a reader of the page learns about the field besides its kind."""
        notes = [self.label] if self.label else []
        if self.kind == "script":
            notes.append("a hidden field that the page's script fills in")
        if self.step is not None and self.step != 1:
            notes.append(f"in steps of {self.step:g}")
        if self.example:
            notes.append(f"in the form {self.example}")
        if self.longest is not None:
            notes.append(f"at most {self.longest} characters")
        return notes


def read_fields(
    root: Element, form: Element, hidden: Collection[Element] = ()
) -> tuple[tuple[FormField, ...], dict[str, str]]:
    """Fields of a page's form, and its hidden inputs that have a value.

    Named buttons that submit the form are the choices of one field. Inputs elsewhere belong
    to the form if their ``form`` attribute refers to it.
    """
    controls = list(form.iter(*_CONTROLS))
    controls += [c for c in root.iter(*_CONTROLS) if c.get("form") == form.get("id")]
    by_name: dict[str, list[Element]] = {}
    for control in dict.fromkeys(controls):
        if control.get("name") and control.get("disabled") is None:
            by_name.setdefault(control.get("name"), []).append(control)
    labels = _Labels(root)
    fields: list[FormField] = []
    fixed: dict[str, str] = {}
    for name, tags in by_name.items():
        first = tags[0]
        covered = first.get("type") == "hidden" or _covered(first, form, hidden)
        if covered and first.get("value"):
            fixed[name] = first.get("value")
        elif covered:
            fields.append(FormField(name, "script", labels.of(first, name)))
        elif first.tag == "button" or _type(first) not in _SENT_BY_PAGE:
            fields.append(_field(labels, name, tags))
    return tuple(fields), fixed


def form_schema(fields: Sequence[FormField]) -> dict[str, Any]:
    """The JSON schema of a form."""
    return {
        "type": "object",
        "properties": {field.name: field.schema() for field in fields},
        "required": [field.name for field in fields],
        "additionalProperties": False,
    }


def to_post(
    fields: Sequence[FormField], filled: Mapping[str, Any], fixed: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The data that a browser would post for a filled-in form.

    Values that match no choice are posted unchanged, so that the server reports the error.
    """
    posted = list(fixed.items())
    for field in fields:
        value = filled.get(field.name)
        if value is None:
            if field.kind not in ("yes_no", "choices", "choice"):
                posted.append((field.name, ""))
            continue
        values = dict(field.choices)
        if field.kind == "choices":
            listed = value if isinstance(value, (list, tuple)) else [value]
            posted += [(field.name, values.get(str(v), str(v))) for v in listed]
        elif field.kind == "yes_no":
            if value is True or str(value).lower() in ("true", "yes", "1", "y"):
                posted.append((field.name, field.choices[0][1] if field.choices else "on"))
        elif field.kind == "choice":
            posted.append((field.name, values.get(str(value), str(value))))
        else:
            posted.append((field.name, _written(value)))
    return posted


def least_answer(fields: Sequence[FormField], attempt: int = 0) -> dict[str, Any]:
    """A default answer for a seat that gives none: the first choice, the lowest number.

    Later attempts take the next choice and higher numbers, because a form may reject the first.
    """
    return {field.name: _least(field, attempt) for field in fields}


def _least(field: FormField, attempt: int) -> Any:
    match field.kind:
        case "integer" | "number":
            low = 0.0 if field.low is None else field.low
            high = low + 10 if field.high is None else field.high
            value = low + (high - low) * (0.0, 1.0, 0.5)[attempt % 3]
            return round(value) if field.kind == "integer" else value
        case "choice":
            return field.choices[attempt % len(field.choices)][0] if field.choices else ""
        case "choices":
            return [field.choices[attempt % len(field.choices)][0]] if field.choices else []
        case "yes_no":
            return bool(attempt % 2) or field.required
        case "text":
            return (field.example or "-") if field.required or attempt else None
        case "script":
            return str(attempt)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _type(tag: Element) -> str:
    return (tag.get("type") or "text").lower() if tag.tag == "input" else str(tag.tag)


def _covered(tag: Element, form: Element, hidden: Collection[Element]) -> bool:
    """Whether a control is inside a hidden element."""
    while tag is not None and tag is not form:
        if is_hidden(tag, hidden):
            return True
        tag = tag.getparent()
    return False


class _Labels:
    """Texts of labels, by their controls."""

    def __init__(self, root: Element) -> None:
        self._for = {
            label.get("for"): plain_words(label) for label in root.iter("label") if label.get("for")
        }

    def of(self, tag: Element, name: str) -> str:
        """Label of a whole field."""
        for target in (f"id_{name}", tag.get("id")):
            if target in self._for:
                return self._for[target]
        around = next(tag.iterancestors("label"), None)
        if around is not None and _type(tag) not in ("radio", "checkbox"):
            return plain_words(around)
        return str(tag.get("aria-label") or tag.get("placeholder") or "")

    def of_choice(self, tag: Element) -> str:
        """Text of one choice: of the button, of its label, otherwise its value."""
        if tag.tag == "button":
            return plain_words(tag) or _value(tag)
        around = next(tag.iterancestors("label"), None)
        words = self._for.get(tag.get("id")) or (plain_words(around) if around is not None else "")
        return words or _value(tag)


def _field(labels: _Labels, name: str, tags: Sequence[Element]) -> FormField:
    first, kind = tags[0], _type(tags[0])
    required = any(tag.get("required") is not None for tag in tags)
    label = labels.of(first, name)
    if kind in ("select", "radio", "button", "checkbox"):
        return _chosen(labels, name, tags, label, required)
    low, high, step = (_number(first.get(limit)) for limit in ("min", "max", "step"))
    if kind in ("number", "range"):
        whole = step is None or float(step).is_integer()
        # A range input always has a value, which a browser sends even if it was not touched.
        must = required or kind == "range"
        return FormField(name, "integer" if whole else "number", label, must, low, high, step)
    if first.get("inputmode") in ("decimal", "numeric"):
        return FormField(name, "number", label, required, low, high)
    # Like a range, a colour always has a value.
    must, longest = required or kind == "color", _number(first.get("maxlength"))
    example, pattern = _FORMS.get(kind, ("", ""))
    return FormField(
        name,
        "text",
        label,
        must,
        example=example,
        pattern=pattern,
        longest=None if longest is None else int(longest),
    )


def _chosen(
    labels: _Labels, name: str, tags: Sequence[Element], label: str, required: bool
) -> FormField:
    """A field with a list of choices."""
    first, kind = tags[0], _type(tags[0])
    if kind == "select":
        many: FieldKind = "choice" if first.get("multiple") is None else "choices"
        return FormField(name, many, label, required, choices=_options(first))
    choices = _distinct([(labels.of_choice(tag), _value(tag)) for tag in tags])
    if kind == "checkbox" and len(tags) == 1:
        return FormField(name, "yes_no", label or choices[0][0], required, choices=choices)
    if kind == "checkbox":
        return FormField(name, "choices", label, required, choices=choices)
    return FormField(name, "choice", label, required or kind == "button", choices=choices)


def _options(select: Element) -> Choices:
    options = []
    for option in select.iter("option"):
        if any(tag.get("disabled") is not None for tag in (option, option.getparent())):
            continue
        words, value = plain_words(option), option.get("value")
        if value != "":
            options.append((words, words if value is None else str(value)))
    return _distinct(options)


def _distinct(choices: Sequence[tuple[str, str]]) -> Choices:
    """Choices with unique texts: equal texts get their value as a suffix."""
    words = [shown for shown, _ in choices]
    return tuple(
        (shown if words.count(shown) == 1 else f"{shown} ({value})", value)
        for shown, value in choices
    )


def _value(tag: Element) -> str:
    value = tag.get("value")
    return "on" if value is None else str(value)


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
