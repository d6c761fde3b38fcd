"""Keeps secrets that people paste by accident out of messages.

Secrets are only ever named in a blueprint. What looks like one all the same is replaced by `***` before it
reaches a terminal, a log or a report.
"""

from __future__ import annotations

import re
from itertools import pairwise

MASK = "***"

# Compiled at first use: most runs mask nothing. Repetitions are bounded where a pattern may fail behind them, so
# that hostile text takes no quadratic time.
_KEYS = "(?:api|access|account|private|secret|shared|signing|encryption|client|tls|ssl|ssh)[-_]?key|key[-_]data"
_LONG = f"password|passwd|passphrase|passcode|secret|token|credentials?|bearer|{_KEYS}"
_SHORT = "pass|pwd|pat|auth|authorization|cookie|sig|signature"
_NAME = rf"(?i)(?:^|[-_.])(?:{_LONG}|{_SHORT})(?:$|[-_.\d])|(?:{_LONG})$"
_NAMES_OF_SECRETS = frozenset({"secret", "secrets", "pull_secrets"})
"""Fields that name secrets. Names may be seen; a value that is no name may be the secret itself."""

_TOKENS = (
    r"(?s)-----BEGIN [A-Z0-9 ]{0,40}-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|$)"
    r"|\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,2}"  # JSON web tokens
    r"|\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{8,}"  # access keys of AWS
    r"|(?<![A-Za-z0-9-])(?:gh[pousr]_|github_pat_|glpat-|hf_|xox[abeprs]-|sk-|nvapi-|pul-|AIza|dckr_pat_|npm_|hvs\.)"
    r"[A-Za-z0-9_-]{8,}"
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{6,}=*"
)
_LONG_WORD = r"[A-Za-z0-9+/_-]{32,}={0,2}"
_USERINFO = r"(?<=://)(?!git@)[^\s/@'\"<>]{0,400}(?::[^\s@'\"<>]{0,400})?@"
_USERINFO_CUT = r"(?<=://)([^\s/@:'\"]*):(?!\d{1,5}(?:[/?#\s'\"…,;)]|$))[^\s/@'\"]+"
_USER_AT = r"(?<![\w/.+-])([\w.+-]{1,60}):[^\s@:/'\"]{1,200}@(?!sha[0-9]+:)(?=[\w\[])"
_ASSIGNED = (
    rf"(?i)(?<![A-Za-z0-9])([\w.-]{{0,60}}(?:{_LONG}|\b(?:{_SHORT}))[\w.-]{{0,60}}=)"
    r"([^\s&,;'\"\]}]+|'[^']*'?|\"[^\"]*\"?)"
)
_PAIR = (
    r"(?<![\w.-])(?P<key>[\"']?(?P<name>[A-Za-z_][\w.-]{0,60})(?:[\"']\s{0,9}:\s{0,99}|\s{0,9}:\s{1,99}))"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"?|'(?:[^']|'')*'?|[^\s\[{\"'][^,}\]#]*?(?=\s{0,99}(?:[,}\]#]|$)))"
)
_LIST = r"(?<![\w.-])(?P<key>(?P<name>[A-Za-z_][\w.-]{0,60})(?:[\"']\s{0,9}:\s{0,99}|\s{0,9}:\s{1,99}))\[[^\]]*\]?"
_VARIABLES = r"(\benvironment[\"']?\s*:\s*\{)[^}]*"


def masked(text: str) -> str:
    """Text without what looks like a secret wherever it stands: keys, tokens, passwords in addresses."""
    text = re.sub(_TOKENS, MASK, text)
    text = re.sub(_LONG_WORD, lambda found: MASK if _is_random(found[0]) else found[0], text)
    text = re.sub(_USERINFO, f"{MASK}@", text)
    text = re.sub(_USERINFO_CUT, rf"\1:{MASK}", text)
    text = re.sub(_USER_AT, rf"\1:{MASK}@", text)
    return re.sub(_ASSIGNED, rf"\1{MASK}", text)


def masked_line(line: str) -> str:
    """A line of a source file, without the values of fields that are called like secrets, too."""
    line = re.sub(_LIST, _hide_list, re.sub(_VARIABLES, rf"\1{MASK}", line))
    return masked(re.sub(_PAIR, _hide, line))


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
    return name not in _NAMES_OF_SECRETS and name != "secrets_provider" and re.search(_NAME, words) is not None


def _is_random(word: str) -> bool:
    """Whether a long word mixes letters and digits as no name of a person does, but keys in base64 do."""
    kinds = ["u" if char.isupper() else "l" if char.islower() else "d" for char in word if char.isalnum()]
    changes = sum(one != other for one, other in pairwise(kinds))
    return len(set(kinds)) == 3 and changes * 3 >= len(kinds)


def _hide(found: re.Match[str]) -> str:
    """A field without its value if it is called like a secret; what is in other values may be fields again."""
    secret = is_secret_name(found["name"])
    return found["key"] + (MASK if secret else re.sub(_PAIR, _hide, found["value"]))


def _hide_list(found: re.Match[str]) -> str:
    return found["key"] + MASK if is_secret_name(found["name"]) else found[0]
