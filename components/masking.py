"""Keeps secrets that people paste by accident out of messages.

Secrets are only ever named in a blueprint. What looks like one all the same is replaced by `***` before it
reaches a terminal, a log or a report.
"""

from __future__ import annotations

import re
from itertools import pairwise

MASK = "***"

# Repetitions are bounded where a pattern may fail behind them, so that hostile text takes no quadratic time.
_KEYS = "(?:api|access|account|private|secret|shared|signing|encryption|client)[-_]?key|key[-_]data"
_LONG = f"password|passwd|passphrase|passcode|secret|token|credentials?|bearer|{_KEYS}"
_SHORT = "pass|pwd|pat|auth|authorization|cookie|sig|signature"
_NAME = re.compile(rf"(?i)(?:^|[-_.])(?:{_LONG}|{_SHORT})(?:$|[-_.\d])|(?:{_LONG})$")
_NAMES_OF_SECRETS = frozenset({"secret", "secrets", "pull_secrets"})
"""Fields that name secrets. Names may be seen; a value that is no name may be the secret itself."""

_TOKENS = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|$)"
    r"|\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,2}"  # JSON web tokens
    r"|\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{8,}"  # access keys of AWS
    r"|(?<![A-Za-z0-9-])(?:gh[pousr]_|github_pat_|glpat-|hf_|xox[abeprs]-|sk-|nvapi-|pul-|AIza|dckr_pat_|npm_|hvs\.)"
    r"[A-Za-z0-9_-]{8,}"
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{6,}=*",
    re.DOTALL,
)
_LONG_WORD = re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}")
_USERINFO = re.compile(r"(?<=://)(?!git@)[^\s/@'\"<>]{0,400}(?::[^\s@'\"<>]{0,400})?@")
_USERINFO_CUT = re.compile(r"(?<=://)([^\s/@:'\"]*):(?!\d{1,5}(?:[/?#\s'\"…,;)]|$))[^\s/@'\"]+")
_PASSWORD_AT = re.compile(r"(?<![\w/.+-])([\w.+-]{1,60}):[^\s@:/'\"]{1,200}@(?!sha[0-9]+:)(?=[\w\[])")
_ASSIGNED = re.compile(
    rf"(?i)(?<![A-Za-z0-9])([\w.-]{{0,60}}(?:{_LONG}|\b(?:{_SHORT}))[\w.-]{{0,60}}=)([^\s&,;'\"\]}}]+|'[^']*'?|\"[^\"]*\"?)"
)
_PAIR = re.compile(
    r"(?<![\w.-])(?P<key>[\"']?(?P<name>[A-Za-z_][\w.-]{0,60})(?:[\"']\s{0,9}:\s{0,99}|\s{0,9}:\s{1,99}))"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"?|'(?:[^']|'')*'?|[^\s\[{\"'][^,}\]#]*?(?=\s{0,99}(?:[,}\]#]|$)))"
)
_LIST = re.compile(
    r"(?<![\w.-])(?P<key>(?P<name>[A-Za-z_][\w.-]{0,60})(?:[\"']\s{0,9}:\s{0,99}|\s{0,9}:\s{1,99}))\[[^\]]*\]?"
)
_VARIABLES = re.compile(r"(\benvironment[\"']?\s*:\s*\{)[^}]*")


def masked(text: str) -> str:
    """Text without what looks like a secret wherever it stands: keys, tokens, passwords in addresses."""
    text = _TOKENS.sub(MASK, text)
    text = _LONG_WORD.sub(lambda found: MASK if _is_random(found[0]) else found[0], text)
    text = _USERINFO.sub(f"{MASK}@", text)
    text = _USERINFO_CUT.sub(rf"\1:{MASK}", text)
    text = _PASSWORD_AT.sub(rf"\1:{MASK}@", text)
    return _ASSIGNED.sub(rf"\1{MASK}", text)


def masked_line(line: str) -> str:
    """A line of a source file, without the values of fields that are called like secrets, too."""
    line = _LIST.sub(_hide_list, _VARIABLES.sub(rf"\1{MASK}", line))
    return masked(_PAIR.sub(_hide, line))


def is_private(path: tuple[str | int, ...]) -> bool:
    """Whether the value at a path of a document may itself be a secret; a refused one is then not shown."""
    names = [step for step in path if isinstance(step, str)]
    if "environment" in names or any(is_secret_name(name) for name in names):
        return True
    last = names[-1] if names else ""
    return last in (*_NAMES_OF_SECRETS, "secrets_provider") or (last == "key" and "secrets" in names)


def is_secret_name(name: str) -> bool:
    """Whether a field or variable is called like something secret: `password`, `WANDB_API_KEY`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return name not in _NAMES_OF_SECRETS and name != "secrets_provider" and _NAME.search(words) is not None


def _is_random(word: str) -> bool:
    """Whether a long word mixes letters and digits as no name of a person does, but keys in base64 do."""
    kinds = ["u" if char.isupper() else "l" if char.islower() else "d" for char in word if char.isalnum()]
    changes = sum(one != other for one, other in pairwise(kinds))
    return len(set(kinds)) == 3 and changes * 3 >= len(kinds)


def _hide(found: re.Match[str]) -> str:
    """A field without its value if it is called like a secret; what is in other values may be fields again."""
    secret = is_secret_name(found["name"])
    return found["key"] + (MASK if secret else _PAIR.sub(_hide, found["value"]))


def _hide_list(found: re.Match[str]) -> str:
    return found["key"] + MASK if is_secret_name(found["name"]) else found[0]
