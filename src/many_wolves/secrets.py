"""API keys: checked before use, and kept out of everything that is written."""

from __future__ import annotations

import html
import json
import logging
import os
import re
import shlex
import string
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO, cast
from urllib.parse import quote, quote_plus, unquote, urlsplit

from many_wolves.errors import WolvesError

Redactor = Callable[[str], str]
"""A function that removes secrets from a text."""

SHORTEST = 8
"""Minimum length of a key to redact; shorter ones may be ordinary words."""

_ORDINARY = 20
"""Letters below which a word of letters alone may be an ordinary one, and not a key."""

_LONG = 12
"""Characters of the shortest part of a key that is redacted as well."""

_CUT = re.compile(rf"\S{{{SHORTEST},}}(?= ?(?:\.\.\.|…))")
"""A word after which a text was cut: a server's message may be cut within a key."""

MARK = "[key]"
"""Replacement for a key in a text."""

_SECRET_NAMES = (
    *("_API_KEY", "_APIKEY", "_ACCESS_KEY", "_SECRET_KEY", "_REST_KEY", "_MASTER_KEY"),
    *("_TOKEN", "_SECRET", "_PASSWORD"),
)
_PARAMETERS = frozenset(";=&?#@")
"""Characters that set parameters or credentials apart in an address."""

_KEY_FORM = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        sk-(?:ant|proj|svcacct|admin|or-v1)-[\w-]{20,}  # Anthropic, OpenAI, OpenRouter
        | sk-(?=[a-z]*\d)[a-z0-9]{32,} | sk-(?=[a-z]*\d)[a-z0-9]{20}(?![\w-])  # DeepSeek, OpenAI
        | AIza[\w-]{35}  # Google
        | hf_[a-z]{34,} | (?:gsk|r8|fw|tgp_v1)_(?=[a-z]*\d)[a-z0-9]{24,}
        | (?:pplx|xai|nvapi)-(?=[\w-]*\d)[a-z0-9]{40}[\w-]*
        | gh[pousr]_[a-z0-9]{36} | github_pat_[a-z0-9_]{40,}
        | A[KS]IA(?=[A-Z]*\d)[A-Z0-9]{16}(?![\w-])  # Amazon
    )""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
"""Forms of the keys of known providers; strict, because names of models may begin alike."""

_PRINTABLE = frozenset(string.ascii_letters + string.digits + string.punctuation)


def clean_key(name: str, raw: str) -> str:
    """A key that an HTTP header can hold.

    Parameters
    ----------
    name
        Source of the key: an environment variable or an option.
    raw
        The key as given. White space around it is removed, because files and clipboards often
        end in a line break.

    Returns
    -------
    str
        The key; empty if there was none.

    Raises
    ------
    WolvesError
        If it contains anything except printable ASCII. The message describes the
        character and its position, but does not repeat the key.
    """
    key = raw.strip()
    for place, character in enumerate(key, start=1):
        if character not in _PRINTABLE:
            raise WolvesError(
                f"{name} contains {_describe(character)} at position {place} of {len(key)}; no "
                "API accepts such a key, and nothing was sent",
                fix=f"copy the key again, without line breaks, into {name}",
            )
    return key


def known_secrets(*more: str, environment: Mapping[str, str] | None = None) -> set[str]:
    """The texts that must not be written: keys, tokens and passwords.

    Parameters
    ----------
    more
        Secrets from other sources than the environment.
    environment
        Environment to search for variables with names of secrets, and for addresses with a
        password; ``os.environ`` if None.
    """
    found = set(more)
    for name, value in (os.environ if environment is None else environment).items():
        if name.endswith(_SECRET_NAMES):
            found.add(value)
        found.update(_passwords(value))
    return found


def refuse_secrets(
    texts: Iterable[str], where: str | Path | None = None, line: int | None = None
) -> None:
    """Refuse names, titles and paths that contain a key: they would be stored as they are.

    A key is the value of a secret variable, or a text in the form of a known provider's keys.

    Parameters
    ----------
    texts
        What a user chose to call something.
    where, line
        Where the texts stand, for the message.

    Raises
    ------
    WolvesError
        If a text contains the value of a secret variable, as it is or as a URL has it, or
        another key. The message has the name of the variable, not its value.
    """
    held = {
        form.casefold(): name
        for name, value in os.environ.items()
        if name.endswith(_SECRET_NAMES)
        for part in {value.strip(), *value.split()}
        if len(part) >= SHORTEST and not (part.isalpha() and len(part) < _ORDINARY)
        for form in (part, *_in_addresses(part.encode(errors="surrogatepass")))
    }
    for text in texts:
        folded = text.casefold()
        found = next((f"the value of {name}" for form, name in held.items() if form in folded), "")
        if not found and _KEY_FORM.search(text):
            found = "what has the form of an API key"
        if found:
            raise WolvesError(
                f"a name or a title contains {found}, which would be stored",
                where=where,
                line=line,
                fix="replace the key; it belongs in the environment only",
            )


def option_secrets(arguments: Sequence[str], option: str = "--api_key") -> tuple[str, ...]:
    """Values of a secret option in the arguments of a command."""
    spellings = {option, option.replace("_", "-")}
    following = (value for name, value in pairwise(arguments) if name in spellings)
    attached = (
        value for name, _, value in (a.partition("=") for a in arguments) if name in spellings
    )
    return tuple(value for value in (*following, *attached) if value)


def redactor(secrets: Iterable[str]) -> Redactor:
    """A function that replaces every secret in a text by ``[key]``, however it is escaped.

    A secret is found without the white space around it, line by line, in upper or lower
    case. It is also found as Python, JSON, HTML, a URL or base64 would write it, and where
    the text was cut in its middle. A text in the form of a known provider's keys is replaced
    as well, whether it is among the secrets or not.
    """
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= SHORTEST}
    if not forms:
        return lambda text: _KEY_FORM.sub(MARK, text)
    either = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    pattern = re.compile(either, re.IGNORECASE)
    begins = {form[:n].casefold() for form in forms for n in range(SHORTEST, len(form))}

    def without_begin(cut: re.Match[str]) -> str:
        word = cut[0]
        for at in range(len(word) - SHORTEST + 1):
            if word[at:].casefold() in begins:
                return word[:at] + MARK
        return word

    return lambda text: _KEY_FORM.sub(MARK, _CUT.sub(without_begin, pattern.sub(MARK, text)))


def without_secret_option(arguments: Sequence[str], option: str = "--api_key") -> list[str]:
    """The arguments of a command without the secret option and its values."""
    spellings = {option, option.replace("_", "-")}
    values = {at + 1 for at, word in enumerate(arguments) if word in spellings}
    return [
        word
        for at, word in enumerate(arguments)
        if at not in values and word.partition("=")[0] not in spellings
    ]


@contextmanager
def redacted_logs(redact: Redactor) -> Iterator[None]:
    """Keep secrets out of what the root logger's handlers write."""
    filtering = _Redaction(redact)
    last = [logging.lastResort] if logging.lastResort is not None else []
    handlers = [*logging.getLogger().handlers, *last]
    for handler in handlers:
        handler.addFilter(filtering)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(filtering)


@contextmanager
def redacted_output(redact: Redactor) -> Iterator[None]:
    """Keep secrets out of everything that is printed."""
    out, err = sys.stdout, sys.stderr
    # Python has no stream where the one below was closed.
    sys.stdout, sys.stderr = (
        stream and cast(TextIO, _Redacted(stream, redact)) for stream in (out, err)
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


class _Redacted:
    """A stream that prints no secrets."""

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        self._stream, self._redact = stream, redact

    def write(self, text: str) -> int:
        self._stream.write(self._redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Redaction(logging.Filter):
    """Redacts a record's message and traceback."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = self._redact(logging.Formatter().formatException(record.exc_info))
        return True


class AddressError(ValueError):
    """What is wrong with the address of a server, without the address."""

    fix = "write http://HOST:PORT/v1; a key belongs in the environment"


def base_url(address: str) -> str:
    """Check the address of an API server; usable as a pydantic validator.

    Returns
    -------
    str
        The address; empty means the provider's own.

    Raises
    ------
    AddressError
        If it is not an HTTP address, or could carry credentials: a user name, a key, a
        query, a fragment, parameters in its path. Addresses are written into journals and
        reports. The message does not repeat the address.
    """
    if not _PRINTABLE.issuperset(address):
        raise AddressError("the address of the server contains white space or non-ASCII characters")
    if not address:
        return address
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise AddressError("expected an address such as http://HOST:PORT/v1") from None
    if "@" in parts.netloc or redactor(known_secrets())(address) != address:
        raise AddressError("the address of the server contains credentials, which would be stored")
    for name in ("query", "fragment"):
        if getattr(parts, name) or address.endswith({"query": "?", "fragment": "#"}[name]):
            raise AddressError(
                f"the address of the server contains a {name}, which would be stored"
            )
    if parts.scheme not in ("http", "https") or not host:
        raise AddressError("expected an address such as http://HOST:PORT/v1, found none")
    if _PARAMETERS.intersection(unquote(parts.path)):
        raise AddressError("the address of the server contains parameters, which would be stored")
    return address


def check_base_url(address: str) -> None:
    """Reject an address of an API server that is invalid or could contain credentials.

    Raises
    ------
    WolvesError
        As in ``base_url``.
    """
    try:
        base_url(address)
    except ValueError as error:
        raise WolvesError(
            str(error),
            fix="--base_url http://HOST:PORT/v1; a key belongs in the environment",
        ) from None


def _describe(character: str) -> str:
    """A character by name, without showing it."""
    if character in "\r\n":
        return "a line break"
    if character.isspace():
        return "a blank" if character == " " else "white space"
    if ord(character) < 32 or ord(character) == 127:
        return "a control character"
    return "a non-ASCII character"


def _passwords(value: str) -> Iterator[str]:
    """The password of an address such as a proxy's."""
    if "://" not in value or "@" not in value:
        return
    try:
        password = urlsplit(value).password
    except ValueError:
        return
    if password:
        yield password
        yield unquote(password)


def _in_addresses(octets: bytes) -> tuple[str, ...]:
    """A secret as addresses escape it."""
    return quote(octets), quote(octets, safe=""), quote_plus(octets)


def _forms(secret: str) -> Iterator[str]:
    """The forms in which a secret may be written."""
    # Options such as --only or --model_name split what they are given.
    parts = (part for part in re.split("[/=]", secret.strip()) if len(part) >= _LONG)
    for one in {secret, secret.strip(), *secret.split(), *parts}:
        octets = one.encode(errors="surrogatepass")
        yield from (one, repr(one)[1:-1], ascii(one)[1:-1], repr(octets)[2:-1])
        escaped = json.dumps(one)[1:-1]
        yield from (escaped, html.escape(one))
        # A message that repeats a body in JSON, shown as JSON or as Python writes it.
        yield from (json.dumps(escaped)[1:-1], repr(escaped)[1:-1])
        # A command, and a command within one.
        yield from (shlex.quote(one), shlex.quote(shlex.quote(one))[1:-1])
        yield from _in_addresses(octets)
        yield from (b64encode(octets).decode(), urlsafe_b64encode(octets).decode())
