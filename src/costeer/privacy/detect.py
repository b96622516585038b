"""Finding the values in a person's text: labels, phrases, patterns and checksums.

Rules find what is labelled, follows certain words or has a form of its own. In other sentences a
list of given names finds names (``names``), and a statistical model, if the person wants it, finds
more (``entities``); what all of them miss the person adds (``costeer guard``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from costeer.privacy.pools import NO_NAMES
from costeer.privacy.values import LEVEL_OF_KIND, LONGEST, Kind, Value

LABELS: dict[str, Kind] = {
    **dict.fromkeys(
        ["name", "full name", "first name", "last name", "surname", "family name", "maiden name",
         "nickname", "wife", "husband", "partner", "spouse", "son", "daughter", "child", "mother",
         "father", "sister", "brother", "friend", "boss", "manager", "doctor", "therapist", "dog",
         "cat", "pet", "emergency contact"], "name"),
    **dict.fromkeys(["city", "town", "village", "hometown", "home town", "location", "birthplace",
                     "place of birth", "lives in"], "place"),
    **dict.fromkeys(["employer", "company", "organisation", "organization", "school", "university",
                     "workplace", "works at", "works for", "clinic", "hospital"], "organisation"),
    **dict.fromkeys(["address", "street", "home address", "postal address"], "address"),
    **dict.fromkeys(["e-mail", "email", "mail"], "e-mail"),
    **dict.fromkeys(["phone", "mobile", "tel", "telephone", "cell", "phone number", "fax"],
                    "phone"),
    **dict.fromkeys(["website", "homepage", "url", "link"], "link"),
    **dict.fromkeys(["username", "user name", "handle", "instagram", "twitter", "github"],
                    "handle"),
    **dict.fromkeys(["date of birth", "birthday", "birth date", "born", "dob"], "date"),
    **dict.fromkeys(["passport", "ssn", "social security number", "id", "id number", "account",
                     "account number", "iban", "card", "card number", "customer number", "vat",
                     "licence plate", "license plate", "tax id", "insurance number"], "account"),
    **dict.fromkeys(["postcode", "zip", "zip code", "postal code"], "account"),
}  # fmt: skip

_LABELLED = re.compile(r"^[ \t>*•-]*(\w[\w \-]{0,30}?)\**[ \t]*[:=][ \t]*(.+)$", re.MULTILINE)
_EDGE = ".,'\u2019"
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
_WORD = rf"(?:{_CAPITAL}\.|{_CAPITAL}[\w'\u2019\-]+)"  # an initial, or a word with a capital
_PARTICLE = r"(?:(?:van|von|der|den|de|del|della|da|di|du|la|le|el|al|bin|ibn)[ ])*"
_NAME = rf"({_WORD}(?:[ ]{_PARTICLE}{_WORD}){{0,3}})"
_NAMES = rf"({_NAME[1:-1]}(?:(?:, {_NAME[1:-1]}){{0,9}},? and {_NAME[1:-1]})?)"
_ONE_OF = (
    "husband|fianc\u00e9e?|partner|spouse|ex|girlfriend|boyfriend|son|daughter|child|kid|baby|toddler"
    "|twin|mother|father|parent|mum|mom|mama|dad|papa|stepmother|stepfather|stepson|stepdaughter"
    "|sister|brother|sibling|aunt|auntie|uncle|cousin|niece|nephew|grandmother|grandfather|grandma"
    "|grandpa|granny|gran|nan|grandson|granddaughter|grandchild|godmother|godfather|godson"
    "|goddaughter|friend|neighbour|neighbor|flatmate|roommate|housemate|classmate|teammate|boss"
    "|manager|supervisor|assistant|colleague|coworker|co-worker|tenant|landlord|landlady|nanny"
    "|babysitter|doctor|dentist|vet|midwife|nurse|therapist|counsellor|coach|trainer|tutor|teacher"
    "|student|pupil|lawyer|accountant|dog|puppy|cat|kitten|horse|pony|rabbit|hamster|parrot"
    "|guinea pig|hen|goat|donkey|tortoise"
)
_WHO = (
    rf"(?:{_ONE_OF})(?:e?s)?|wife|wives|children|grandchildren|puppies|ponies"
    r"|(?:mother|father|sister|brother|daughter|son)-in-law"
)
_SOME = "two|three|four|five|six|seven|both"
_ANYBODY = (
    "Sir|Madam|Sirs|All|Team|Everyone|Everybody|Friends?|Colleagues?|Customers?|Hiring|Valued|Diary"
    "|World|There|Members?|Parents?|Readers?|Neighbou?rs?|Students?|Guests?|Committee|Editors?"
    "|Santa|Siri|Alexa|Google|Folks|Guys|Doctor|Professor|Teacher|Landlord|Manager|Mom|Mum|Dad"
)
_SENTENCE = r"(?m:^|(?<=[.!?] ))"
_CLOSING = (
    r"(?i:(?:\w+ ){0,3}(?:regards|wishes|greetings|sincerely|faithfully|truly|gratitude)\b"
    r"[^\n.,!?:;]{0,40}|(?:much |lots of |all my |with )?"
    r"(?:love|best|all the best|yours|cheers|hugs|kisses|thanks|thank you|see you|take care))"
    r"(?:[,!.][ \t]*\n{0,2}|[ \t]*\n{1,2})"
)
_PHRASES: tuple[tuple[Kind, str], ...] = (
    ("name", rf"(?i:\b(?:my|the) (?:full |first |last )?name(?: is|'s|\u2019s)|\bI am called"
             rf"|\bpeople call me|\bcall me|\bI sign as) {_NAME}"),
    ("name", rf"\b(?:I am|I'm|I\u2019m) ({_WORD}(?:[ ]{_PARTICLE}{_WORD})+)"),
    ("name", rf"(?i:\b(?:my|our|his|her|their|{_SOME})(?: \w+)? (?:{_WHO})(?:'s name)?"
             rf"(?:,| is called| is named| is| are called| are named|)) {_NAMES}"),
    ("name", rf"(?i:\b(?:married to|together with|(?:named|called)(?: him| her| it| them)?"
             rf"|goes by|go by|answers to)) {_NAMES}"),
    ("name", rf"(?i:\bmy (?:full |first |last |middle |real )?name, ){_NAME}"),
    ("name", rf"{_SENTENCE}(?:Dear|Hi|Hello|Hey|Hallo) (?!(?:{_ANYBODY})\b){_NAMES}(?=[,!:\n])"),
    ("name", rf"{_SENTENCE}{_CLOSING}{_NAME}[.!]?[ \t]*(?=\n|$)"),
    ("name", rf"\b(?P<title>(?:Mr|Mrs|Ms|Dr|Prof)\.? ){_NAME}"),
    ("place", rf"(?i:\b(?:I|we|who) (?:now )?(?:live|lives|grew up|was born|were born|moved|reside)"
              rf"(?: back)? (?:in|to|near)) {_NAME}"),
    ("place", rf"(?i:\b(?:born in|I am from|I'm from|I come from|based in)) {_NAME}"),
    ("organisation", rf"(?i:\b(?:I|we|who) (?:now )?(?:work|works|worked|teach|study|studied)"
                     rf"(?: \w+){{0,3}} (?:at|for|with)(?: the)?) {_NAME}"),
)  # fmt: skip
_STREET = (
    r"(?i:Rua|Calle|Rue|Via|Avenida|Avenue) (?:(?:de la|de l'|del|du|d[aeo]s?) ?)?"
    rf"{_WORD}(?: {_WORD}){{0,3}}"
)
_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("e-mail", r"(?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]+(?:\.[\w\-]+)+"),
    ("link", r"(?:https?://|www\.)[^\s<>\"')\]]+[^\s<>\"')\].,;:!?]"),
    ("handle", r"(?<![\w@.])@\w{3,30}"),
    ("address", rf"\b\d+[a-zA-Z]?,? (?:{_WORD} ){{1,4}}(?:Street|St|Road|Rd|Lane|Ln|Avenue|Ave"
                r"|Drive|Dr|Court|Ct|Square|Sq|Terrace|Way|Boulevard|Blvd|Place|Close|Crescent)\b"),
    ("address", r"\b[^\W\d_]+(?:straße|strasse|str\.|weg|platz|gasse|allee) \d+[a-z]?\b"),
    ("address", rf"\b{_STREET},? \d+[a-z]?\b"),
    ("address", rf"\b\d+[a-z]?,? {_STREET}\b"),
    ("account", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    ("account", r"\b\d(?:[ \-]?\d){12,18}\b"),
    ("account", r"\b\d{3}-\d{2}-\d{4}\b"),
)  # fmt: skip
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_DATES = (
    r"\b\d{4}-\d{2}-\d{2}\b",
    r"\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b",
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?\.? {_MONTH}(?:,? \d{{4}})?\b",
    rf"\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?\b",
)
_BIRTH = rf"(?i:\b(?:born|birthday|birth)(?: is| was|'s)?(?: on)?(?: the)?:?) ({'|'.join(_DATES)})"
_NUMBER = r"(?<!\d)(?<!\d[.,])\d[\d.,]*\d{2}(?!\d)"
_BROKEN = re.compile(r"(?<=[^\n]{50})[ \t]*\n[ \t]*(?=\w)(?![\w \-]{1,40}[:=])")
_AND = re.compile(r",? and |, ")
_CAPITALS = rf"(?<!\w){_NAME}"
_OPENS = (
    " \t*_#>`~\"'“\u2018«(\\[{|/\u2013\u2014-\0"  # may stand before the first word of a sentence
)


def detect(text: str, *, strict: bool = False) -> list[Value]:
    """The values in a text, each once, in the order in which they stand there.

    Args:
        text: a context or a profile.
        strict: also every capitalised word that does not begin a sentence, every date, and every
            number of three digits or more.
    """
    found = [*_labelled(text), *_phrases(text), *_patterns(text), *_phones(text), *_births(text)]
    if strict:
        rest = text
        for _, value in sorted(found, key=lambda item: -len(item[1].text)):
            rest = rest.replace(value.text, "\0" * len(value.text))
        found += _dates(rest)
        for pattern in _DATES:
            rest = re.sub(pattern, lambda match: "\0" * len(match[0]), rest)
        found += [*_numbers(rest), *_capitals(rest)]
    seen: dict[str, Value] = {}
    for _, value in sorted(found, key=lambda item: item[0]):
        known = seen.setdefault(value.text.casefold(), value)
        if LEVEL_OF_KIND[known.kind] == "open" != LEVEL_OF_KIND[value.kind]:
            seen[value.text.casefold()] = value  # a name that is a city, too
    return list(seen.values())


def readings(text: str) -> list[str]:
    """A text as it is searched for values: composed, no invisible characters, plain spaces.

    Where long lines are broken, a second time without the breaks, because a name may stand on two.
    """
    if not text.isascii():
        composed = unicodedata.normalize("NFC", text)
        shown = (c for c in composed if unicodedata.category(c) != "Cf")
        text = "".join(" " if unicodedata.category(c) == "Zs" else c for c in shown)
    unbroken = _BROKEN.sub(" ", text)
    return [text] if unbroken == text else [text, unbroken]


def _labelled(text: str) -> Iterator[tuple[int, Value]]:
    for match in _LABELLED.finditer(text):
        kind = LABELS.get(match[1].strip().lower())
        if kind is None:
            continue
        stated = re.split(r"\.\s", match[2])[0]
        parts = re.split(r"[,;/]", stated) if kind in ("place", "name") else [stated]
        for part in parts:
            yield from _value(match.start(2), part, kind)


def _phrases(text: str) -> Iterator[tuple[int, Value]]:
    for kind, pattern in _PHRASES:
        for match in re.finditer(pattern, text):
            title = match.groupdict().get("title", "")
            for one in _AND.split(match[match.lastindex or 1]):
                name = _without_common_end(one)
                yield from _value(match.start(), f"{title}{name}" if name else "", kind)


def _patterns(text: str) -> Iterator[tuple[int, Value]]:
    for kind, pattern in _PATTERNS:
        if kind in ("e-mail", "handle") and "@" not in text:
            continue
        for match in re.finditer(pattern, text):
            if kind != "account" or _checks(match[0]):
                yield from _value(match.start(), match[0], kind)


def _checks(text: str) -> bool:
    """Whether the check digits are right: an IBAN, a card, or the form of a US number."""
    from stdnum import iban, luhn

    if text[0].isalpha():
        return bool(iban.is_valid(text))
    digits = re.sub(r"\D", "", text)
    return len(digits) == 9 or bool(luhn.is_valid(digits))


def _phones(text: str) -> Iterator[tuple[int, Value]]:
    import phonenumbers

    if not re.search(r"\d\D{0,3}\d\D{0,3}\d\D{0,3}\d\D{0,3}\d\D{0,3}\d", text):
        return
    for region in (None, "US", "GB"):
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            yield from _value(match.start, match.raw_string, "phone")


def _births(text: str) -> Iterator[tuple[int, Value]]:
    for match in re.finditer(_BIRTH, text):
        yield from _value(match.start(1), match[1], "date")


def _dates(text: str) -> Iterator[tuple[int, Value]]:
    for pattern in _DATES:
        for match in re.finditer(pattern, text):
            yield from _value(match.start(), match[0], "date")


def _numbers(text: str) -> Iterator[tuple[int, Value]]:
    for match in re.finditer(_NUMBER, text):
        yield from _value(match.start(), match[0], "number")


def _capitals(text: str) -> Iterator[tuple[int, Value]]:
    for match in re.finditer(_CAPITALS, text):
        before = text[max(0, match.start() - 80) : match.start()].rstrip(_OPENS)
        if not before or before[-1] in ".!?\n":
            continue
        words = [w for w in match[1].split() if w.lower().strip(".,") not in NO_NAMES]
        if words:
            yield from _value(match.start(1), match[1], "name")


def _without_common_end(name: str) -> str:
    """Without words that are no names, such as "Maren I" or "Porto. The"."""
    kept: list[str] = []
    for word in name.split():
        if word.lower().strip(_EDGE) in NO_NAMES:
            break
        kept.append(word)
    return " ".join(kept)


def _value(at: int, text: str, kind: Kind) -> Iterator[tuple[int, Value]]:
    value = make_value(text, kind)
    if value is not None:
        yield at, value


def make_value(text: str, kind: Kind) -> Value | None:
    """The value without the punctuation around it; None where nothing of it can be one."""
    cleaned = re.sub(r"['\u2019]s$", "", text.strip(" \t\r\n.,;:!?*\"“”'\u2019()"))
    if 1 < len(cleaned) <= LONGEST and any(c.isalnum() for c in cleaned):
        return Value(cleaned, kind)
    return None
