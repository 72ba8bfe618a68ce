"""Hiding keys: as they are, however they are written, wherever they were cut."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, NoReturn
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_watch import redaction
from sms_watch.redaction import RUN, Redactor
from tests.support.canaries import BASE64, leaked, secrets_of, temporary

ACCESS, SECRET, TOKEN = SECRETS = secrets_of(temporary("a redactor"))
REDACT = Redactor(SECRETS)
ROOT = Path(__file__).parents[2]

Form = Callable[[str], str]


def _lower(text: str) -> str:
    return re.sub(r"%\w\w", lambda found: found.group().lower(), quote(text, safe=""))


def _letters(text: str, **spelt: str) -> str:
    """Write the letters that are special in a way of one's own."""
    names = {"/": "slash", "+": "plus", "=": "equals"}
    return "".join(spelt.get(names.get(letter, ""), letter) for letter in text)


def _lines(text: str, length: int, between: str = "\n") -> str:
    return between.join(text[n : n + length] for n in range(0, len(text), length))


FORMS: Dict[str, Form] = {
    "as it is": str,
    "within a word": lambda text: f"x{text}y",
    "twice": lambda text: text + text,
    "quoted": lambda text: quote(text, safe=""),
    "quoted in lower case": _lower,
    "quoted but for /": quote,
    "quoted in a form": quote_plus,
    "quoted twice": lambda text: quote(quote(text, safe=""), safe=""),
    "JSON": json.dumps,
    "JSON with \\/": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text).replace("/", "\\/")),
    "JSON for HTML": lambda text: _letters(text, slash="\\u002F", plus="\\u002b", equals="\\u003d"),
    "Python": lambda text: repr(text + "'" + '"'),
    "HTML": html.escape,
    "HTML by number": lambda text: _letters(text, slash="&#47;", plus="&#043;", equals="&#61;"),
    "HTML by hex": lambda text: _letters(text, slash="&#x2F;", plus="&#x2b;", equals="&#X3D;"),
    "HTML by name": lambda text: _letters(text, slash="&sol;", plus="&plus;", equals="&equals;"),
    "HTML in HTML": lambda text: html.escape(_letters(text, slash="&#x2F;", plus="&#43;")),
    "lines of 64": lambda text: _lines(text, 64),
    "lines of 76": lambda text: _lines(text, 76, "\r\n"),
    "lines of ten": lambda text: _lines(text, 10, "\n    "),
    "lines in JSON": lambda text: json.dumps(_lines(text, 7)),
    "lines in a URL": lambda text: quote(_lines(text, 7), safe=""),
    "spaces between": " ".join,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS, ids=["access", "secret", "token"])
def test_a_secret_is_hidden_in_every_form(secret: str, form: str) -> None:
    """No letters in a row are left of it, and what stands before and after stays."""
    hidden = REDACT(f"the service says: {FORMS[form](secret)} is wrong")
    assert not leaked(hidden)
    assert re.fullmatch(r"the service says: ['\"\\x]*\*\*\*['\"\\y]* is wrong", hidden)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", [slice(None, 8), slice(-8, None), slice(20, 28), slice(3, 33)])
def test_a_part_of_a_secret_is_hidden_in_every_form(end: slice, form: str) -> None:
    """Of a text that was cut within a secret, no eight letters of it are left."""
    assert not leaked(REDACT(f"cut: {FORMS[form](TOKEN[end])}"))


def test_the_quoted_form_does_not_hide_the_beginning_alone() -> None:
    """Both forms begin alike; the one that stands there is hidden to its end."""
    secret = "ABCDEFGHIJKLMNOP/secret+part=of_the-secret-key"
    assert Redactor([secret])(f"says: {secret} is wrong") == "says: *** is wrong"


def test_a_secret_that_holds_its_own_beginning_again_is_hidden_whole() -> None:
    """What follows on the second beginning is a part of it, too."""
    secret = ACCESS[:12] + ACCESS + SECRET
    assert Redactor([secret])(f"key {secret}, key {secret[12:]}") == "key ***, key ***"


def test_of_two_secrets_that_begin_alike_the_longer_is_hidden_whole() -> None:
    """In whichever order they are known."""
    for secrets in ([SECRET[:20], SECRET], [SECRET, SECRET[:20]]):
        assert Redactor(secrets)(f"key {SECRET}.") == "key ***."


def test_every_text_in_a_value_is_hidden() -> None:
    """Nested, as a name, and in what JSON has no form for."""
    value = {
        SECRET: [(ACCESS, 7), {"a": {"b": TOKEN}}],
        "path": Path(ACCESS),
        "error": OSError(ACCESS),
    }
    hidden = REDACT(value)
    assert hidden["***"] == [["***", 7], {"a": {"b": "***"}}]
    assert (hidden["path"], hidden["error"]) == ("***", "***")
    assert json.loads(json.dumps(hidden)) == hidden


@pytest.mark.parametrize("value", [None, True, 7, 2.5, "", "a text", [], {"a": 1}])
def test_what_holds_no_secret_stays_as_it_is(value: Any) -> None:
    """Of numbers, truths and other texts nothing is changed."""
    assert REDACT(value) == value


def test_short_words_are_no_secrets() -> None:
    """A value too short to be a key hides no ordinary words; nor does white space lengthen it."""
    assert Redactor(["the task", ""])("the task") == "the task"


def test_the_redactor_does_not_show_its_secrets() -> None:
    """The representation holds nothing."""
    assert repr(REDACT) == "Redactor()"


def test_a_text_with_nothing_to_hide_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line, message and report passes by here: only a suspicion is looked at closely."""

    def take_apart(text: str) -> NoReturn:
        raise AssertionError(text)

    monkeypatch.setattr(redaction, "_readings", take_apart)
    for path in sorted(ROOT.glob("docs/**/*.md")):
        text = path.read_text(encoding="utf-8")
        assert REDACT(text) == text


@pytest.mark.parametrize("before", ["", "C:\\", "\\\\", '"', "\n"])
def test_what_was_json_is_json_still(before: str) -> None:
    """A backslash never comes to stand before what takes the place of a secret."""
    for part in (SECRET, '"' + SECRET, SECRET[SECRET.index("/") :]):
        for text in (json.dumps(before + part), json.dumps(before + part).replace("/", "\\/")):
            assert isinstance(json.loads(REDACT(text)), str)
            assert not leaked(REDACT(text))


def _some_secrets() -> st.SearchStrategy[List[str]]:
    """Several secrets, of which some begin alike or hold their own beginning again."""
    alone = st.text(BASE64, min_size=20, max_size=700)
    again = st.builds(lambda text, n: text[:n] + text, alone, st.integers(1, 20))
    begun = st.builds(lambda text, n: [text, text[:n]], alone, st.integers(RUN, 700))
    return st.one_of(st.lists(alone | again, min_size=1, max_size=3), begun)


def _pieces(secrets: List[str]) -> st.SearchStrategy[str]:
    """A secret in some form, cut before or after it was written, with something around it."""
    places = st.one_of(st.none(), st.integers(0, 700))
    return st.builds(
        lambda secret, start, end, form, cut, around: around + FORMS[form](secret[start:end])[:cut],
        st.sampled_from(secrets),
        places,
        places,
        st.sampled_from(sorted(FORMS)),
        places,
        st.sampled_from(["", " ", "key=", "\\", "%", "&", '"', "x", "and so on: "]),
    )


@given(st.data())
def test_no_eight_letters_of_any_secret_survive(data: st.DataObject) -> None:
    """Whatever forms stand beside each other, and however they were cut."""
    secrets = data.draw(_some_secrets())
    text = "".join(data.draw(st.lists(_pieces(secrets), min_size=1, max_size=4)))
    assert not leaked(Redactor(secrets)(text), keys=secrets)


@given(
    st.text(max_size=50),
    st.text(BASE64 + "\"'&<>\\%", min_size=8, max_size=40),
    st.text(max_size=50),
)
def test_no_secret_survives_anywhere(before: str, secret: str, after: str) -> None:
    """Whatever surrounds a secret, of whichever letters, it is not in the text any more."""
    hidden = Redactor([secret])(before + secret + after)
    assert not any(secret[n : n + RUN] in hidden for n in range(len(secret) - RUN + 1))
