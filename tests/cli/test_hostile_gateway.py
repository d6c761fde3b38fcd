"""What people write wrong or on purpose about a gateway: refused in place, silent about secrets, and text that is
allowed stays text in whatever is generated.

The ids HI-18 to HI-20 are those of the threat model; `own` are further ones of ours.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.command import call, files_below
from support.written import changed, write_project
from support.written_models import SERVED, SERVED_SITE

GATEWAY = """\
  - kind: gateway
    name: door
    reach: site
    sign_in:
      oidc: {issuer: "https://login.example.com/ai", jwks: "https://login.example.com/keys", audiences: [ai]}
      keys: {secret: door-keys, clients: [{tenant: product, name: app}]}
    providers:
      - name: backup
        description: A backup in Sweden.
        host: api.backup.example.com
        country: SE
        operator: SE
        credential: {secret: backup-key}
    models:
      - name: chat
        id: gpt
        aliases: [gpt-mini]
        legs:
          - {part: chat}
          - {provider: backup, model: large, order: 1}
    tenants:
      - {name: product, tokens_per_minute: 1000}
"""
OWN = changed(SERVED, "  - kind: endpoint\n    name: door\n    reach: site\n", GATEWAY)
SITE = changed(
    SERVED_SITE, "  clients: [192.0.2.0/24]\n", "  clients: [192.0.2.0/24]\n  limit_store: redis.example.com:6379\n"
)
CANARY = "CANARY"

CASES: list[tuple[str, str, str, str]] = [
    ("HI-18", "audiences: [ai]", 'audiences: ["ai\\n  evil: true"]', "audiences[0]: "),
    ("HI-18", "id: gpt", 'id: "a\\nconfig: {}"', "models[0].id: "),
    ("HI-18", "id: gpt", f"id: {'a' * 1_000_000}", "models[0].id: "),
    ("HI-18", "aliases: [gpt-mini]", 'aliases: ["{{ .Release.Name }}"]', "aliases[0]: "),
    ("HI-18", "host: api.backup.example.com", 'host: "a.example.com\\n- x"', "host: "),
    ("HI-18", "A backup in Sweden.", '"a\\nb: c"', "description: "),
    ("HI-19", "{tenant: product, name: app}", '{tenant: product, name: "EOF\\nrm -rf x"}', "clients[0].name: "),
    ("HI-19", "{tenant: product, name: app}", '{tenant: product, name: "$(id)"}', "clients[0].name: "),
    ("HI-19", "{tenant: product, name: app}", "{tenant: product, name: 'a\"; id; \"'}", "clients[0].name: "),
    ("HI-19", "secret: door-keys", 'secret: "k; id"', "secret: "),
    ("HI-19", "id: gpt", "id: \"a' -o /etc/x '\"", "models[0].id: "),
    ("HI-20", "id: gpt", 'id: "%n"', "models[0].id: "),
    ("HI-20", "id: gpt", 'id: "a#b"', "models[0].id: "),
    ("HI-20", "id: gpt", 'id: "a\\\\"', "models[0].id: "),
    ("HI-20", "name: product, tokens", 'name: "product\\\\", tokens', "tenants[0].name: "),
    ("own", "id: gpt", 'id: "%REQ(AUTHORIZATION)%"', "models[0].id: "),
    ("own", "id: gpt", "id: \"gpt' || true || '\"", "models[0].id: "),
    ("own", "name: product, tokens", 'name: ".*", tokens', "tenants[0].name: "),
    ("own", "name: product, tokens", 'name: "product|other", tokens', "tenants[0].name: "),
    ("own", "{tenant: product, name: app}", '{tenant: product, name: "a.b"}', "clients[0].name: "),
    ("own", "name: backup\n", "name: \"x([./]|$)') || ('\"\n", "providers[0].name: "),
    ("own", "host: api.backup.example.com", "host: 169.254.169.254", "host: "),
    ("own", "host: api.backup.example.com", "host: '*.example.com'", "host: "),
    ("own", "host: api.backup.example.com", "host: chat.product.svc.cluster.local", "is inside the cluster"),
    ("own", "host: api.backup.example.com", "host: xn--80ak6aa92e", "host: "),
    ("own", "https://login.example.com/keys", "http://login.example.com/keys", "jwks: "),
    ("own", "https://login.example.com/keys", "https://login.example.com/keys?x=1", "jwks: "),
    ("own", "https://login.example.com/keys", "file:///etc/shadow", "jwks: "),
    ("own", "audiences: [ai]", "audiences: [ai], tenant_claim: \"a'] == 'x' || claims['b\"", "tenant_claim: "),
    ("own", "country: SE", "country: se", "country: "),
    ("own", "{secret: backup-key}", '{secret: k, kind: aws-oidc, role: "arn:aws:iam::1:role/x\\ny"}', "role: "),
    ("own", "{secret: backup-key}", "{secret: k, kind: gcp-file, project: '{{ .Values.x }}'}", "project: "),
    ("own", "{secret: backup-key}", "{secret: k, kind: azure-oidc, issuer: 'https://u:p@x.example.com'}", "issuer: "),
    ("own", "country: SE", "region: 'aws:eu-central-1 #'", "region: "),
    (
        "own",
        "country: SE",
        "country: SE, region: 'aws:us-east-1'".replace(", ", "\n        "),
        "and aws:us-east-1 has US",
    ),
    ("own", "country: SE", "country: US", "stands in US"),
    ("own", "operator: SE", "operator: US", "is run from US"),
    ("own", "        country: SE\n", "", "states no country"),
    ("own", "        operator: SE\n", "", "states no operator"),
    ("own", "order: 1", "order: 1, weight: 200", "weight: "),
    ("own", "order: 1", "order: 1, weight: .nan", "weight: "),
    ("own", "tokens_per_minute: 1000", "usd_per_day: .inf", "usd_per_day"),
    ("own", "tokens_per_minute: 1000", "tokens_per_minute: 99999999999", "tokens_per_minute: "),
    ("own", "reach: site", "reach: site\n    log_prompts: true", "may not be logged"),
    ("own", "part: chat}", "part: chta}", 'did you mean "chat"?'),
]
"""Case, what is changed, into what, and a part of what is said."""

STORE = "  limit_store: redis.example.com:6379\n"
IN_SITE = [
    ("redis.example.com:6379", "redis://redis.example.com:6379", "limit_store: "),
    ("redis.example.com:6379", "u:p@redis.example.com:6379", "limit_store: "),
    ("redis.example.com:6379", '"redis.example.com:6379\\nfailClosed: false"', "limit_store: "),
    ("redis.example.com:6379", "redis.example.com", "limit_store: "),
    ("  limit_store: redis.example.com:6379\n", "", "names no store to count in"),
    (STORE, f"{STORE}  outside: [{{host: '*.example.com', networks: [192.0.2.0/24]}}]\n", "host: "),
    (STORE, f"{STORE}  outside: [{{host: a.example.com, networks: [192.0.2.1/24]}}]\n", "networks[0]: "),
    (STORE, f"{STORE}  outside: [{{host: a.example.com, networks: []}}]\n", "networks: "),
    (STORE, f"{STORE}  outside: [{{host: 'a.example.com\\n- x', networks: [192.0.2.0/24]}}]\n", "host: "),
]

SECRETS = [
    ("secret: door-keys", f"secret: door-keys, value: sk-{CANARY}00112233445566"),
    ("secret: backup-key", f"secret: backup-key, api_key: {CANARY}"),
    ("credential: {secret: backup-key}", f"credential: sk-{CANARY}00112233445566"),
    ("https://login.example.com/keys", f"https://user:{CANARY}@login.example.com/keys"),
    ("audiences: [ai]", f"audiences: [ai], client_secret: {CANARY}"),
]


def refused(path: Path, says: str) -> None:
    ran = call("generate", path, "--out", path.parent / "out")
    assert ran.code == 1
    assert says in " ".join(ran.err.split())
    assert "Traceback" not in ran.err
    assert "defect of its own" not in ran.err
    assert not (path.parent / "out").exists()


@pytest.mark.parametrize(
    ("case", "old", "new", "says"), CASES, ids=[f"{each[0]}-{n:02d}" for n, each in enumerate(CASES)]
)
def test_hostile_input_is_refused_with_its_place(tmp_path: Path, case: str, old: str, new: str, says: str) -> None:
    refused(write_project(tmp_path / case, changed(OWN, old, new), lab=SITE), says)


@pytest.mark.parametrize(("old", "new", "says"), IN_SITE)
def test_a_mistake_in_a_site_is_refused_at_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    refused(write_project(tmp_path, OWN, lab=changed(SITE, old, new)), says)


@pytest.mark.parametrize(("old", "new"), SECRETS)
def test_a_secret_is_never_shown(tmp_path: Path, old: str, new: str) -> None:
    path = write_project(tmp_path, changed(OWN, old, new), lab=SITE)
    for words in (("check", path), ("check", path, "--format", "json"), ("plan", path)):
        ran = call(*words)
        assert ran.code == 1
        assert CANARY not in ran.out + ran.err


TEXTS = (
    "{{ .Values.x }}",
    "${HOME} $(id) `id`",
    "%REQ(AUTHORIZATION)%",
    "--- # } ] , : &a *b !!python/object",
    "'; DROP TABLE x; --",
    '"}], "x": [{"',
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_description_is_that_text_and_nothing_else_wherever_it_is_written(tmp_path: Path, text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    path = write_project(tmp_path, changed(OWN, "A backup in Sweden.", quoted), lab=SITE)
    assert call("generate", path, "--out", tmp_path / "out").code == 0
    found = [
        body["metadata"]["annotations"]["kubernetes.io/description"]
        for body in objects(tmp_path / "out")
        if body["kind"] == "Backend" and body["metadata"]["name"] == "door-backup"
    ]
    assert found == [text]


def objects(folder: Path) -> list[dict[str, Any]]:
    """Every object of the manifests that were written."""
    return [
        body
        for name, content in files_below(folder).items()
        if "/manifests/" in str(name) and str(name).endswith(".yaml") and "kustomization" not in str(name)
        for body in yaml.safe_load_all(content)
        if body
    ]


def test_commands_for_a_person_are_words_of_a_shell_and_no_more(tmp_path: Path) -> None:
    """Names of clients, models and secrets stand in them."""
    path = write_project(tmp_path, changed(OWN, "id: gpt", "id: meta-llama/Llama-3.1-8B:fp8"), lab=SITE)
    assert call("generate", path, "--out", tmp_path / "out").code == 0
    texts = [text.decode() for name, text in files_below(tmp_path / "out").items() if str(name).endswith("README.md")]
    lines = [line for text in texts for line in text.splitlines()]
    asked = [line for line in lines if line.startswith("curl ") and "chat/completions" in line]
    assert len(asked) == 2
    for line in asked:
        words = shlex.split(line)
        assert words[0] == "curl"
        assert "meta-llama/Llama-3.1-8B:fp8" in words[words.index("-d") + 1]
