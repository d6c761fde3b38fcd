"""Secrets that people paste by accident appear in no output, wherever they paste them.

A canary is planted in one field after another. Where the field takes it, it is no secret by its form, and the
test says in which outputs it may appear; where it looks like one, it is masked or refused without being shown.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.command import Ran, call, files_below
from support.written import BLUEPRINT, SITE, changed, write_project

CANARY = "CANARY"
TRAINING = """\
  - kind: training
    name: pretrain
    pool: train
    tenant: research
    nodes: 1
    image: registry.example.com/trainer:1
    pull_secrets: [registry]
    secrets: [{variable: WANDB, secret: wandb, key: api}]
"""
WITH_TRAINING = BLUEPRINT + TRAINING
UFM = """\
  infiniband: {subnet_manager: ufm, mode: sriov, rails: 8, gbps: 400, pkey_policy: per-tenant, addresses: 172.20.0.0/16,
    ufm: {secret: ufm, guid_pool: ["02:00:00:00:00:00:00:00", "02:00:00:00:00:00:00:ff"]}}
  roce:
"""
KUBECONFIG = "apiVersion: v1\\nusers:\\n- user: {token: CANARY, password: CANARY}\\n"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJDQU5BUlkiOiJDQU5BUlkifQ.CANARY-CANARY"
PEM = "-----BEGIN RSA PRIVATE KEY-----\\nCANARYCANARY\\n-----END RSA PRIVATE KEY-----"

IN_SITE = [
    ("context: lab", f'context: "token: {CANARY}"'),
    ("context: lab", f'context: "{JWT} "'),
    ("context: lab", f'context: "{KUBECONFIG}"'),
    ("file: ~/.kube/config", f'file: "{KUBECONFIG}"'),
    ("file: ~/.kube/config", f'file: "{PEM}"'),
    ("file: ~/.kube/config", f'file: "$TOKEN{JWT}"'),
    ("file: ~/.kube/config", f"file: lab.yaml\n    token: {CANARY}"),
    ("context: lab", f"context: lab\n    password: '{CANARY}'"),
    ("context: lab", f"context: lab\n    user: {{client-key-data: {CANARY}, token: {CANARY}}}"),
    ("backend: file://state", f"backend: https://user:{CANARY}@host/x"),
    ("backend: file://state", f"backend: https://{CANARY}@host/x"),
    ("backend: file://state", f"backend: s3://{CANARY}:{CANARY}@bucket"),
    ("backend: file://state", f"backend: s3://bucket?region=x&token={CANARY}"),
    ("backend: file://state", f"backend: azblob://c?storage_account=x&sig={CANARY}"),
    ("backend: file://state", f"backend: postgres://user:{CANARY}@host/db"),
    ("secrets_provider: passphrase", f"secrets_provider: {CANARY}"),
    ("secrets_provider: passphrase", f"secrets_provider: passphrase={CANARY}"),
    ("secrets_provider: passphrase", f"secrets_provider: hashivault://user:{CANARY}@host"),
    ("secrets_provider: passphrase", f"secrets_provider: {{passphrase: {CANARY}}}"),
    ("  place: DE", f"  place: DE\n  passphrase: {CANARY}"),
    ("  place: DE", f"  place: DE\n  access_key: {CANARY}"),
    ("url: https://git.example.com/team/repo.git", f"url: https://user:{CANARY}@git.example.com/x"),
    ("url: https://git.example.com/team/repo.git", f"url: https://{CANARY}@git.example.com/x"),
    ("url: https://git.example.com/team/repo.git", f"url: ssh://git:{CANARY}@git.example.com/x"),
    ("url: https://git.example.com/team/repo.git", f"url: https://git.example.com/x?access_token={CANARY}"),
    ("path: generated", f"path: generated\n  token: {CANARY}"),
    ("  roce:\n", UFM.replace("secret: ufm", f"secret: {CANARY}_secret")),
    ("  roce:\n", UFM.replace("secret: ufm", f"secret: {{password: {CANARY}}}")),
    ("  roce:\n", UFM.replace("secret: ufm", f"secret: ufm, password: {CANARY}")),
    ("operator: {name: Beispiel AG, nationality: DE}", f"operator: {{name: X, nationality: D, token: {CANARY}}}"),
]
"""Changes of a site that plant a secret."""

IN_BLUEPRINT = [
    ("secret: wandb", f"secret: {CANARY}_key"),
    ("key: api", f"key: '{CANARY} key'"),
    ("secret: wandb, key: api", f"secret: wandb, key: api, value: x, password: {CANARY}"),
    ("{variable: WANDB, secret: wandb, key: api}", f"{{variable: WANDB, value: x, token: {CANARY}}}"),
    ("pull_secrets: [registry]", f"pull_secrets: ['user:{CANARY}']"),
    ("pull_secrets: [registry]", f"pull_secrets: '{CANARY}'"),
    ("image: registry.example.com/trainer:1", f"image: https://user:{CANARY}@registry.example.com/trainer:1"),
    ("image: registry.example.com/trainer:1", f"image: user:{CANARY}@registry.example.com/trainer"),
    ("pull_secrets: [registry]", f"environment: {{WANDB: 5, OTHER: {CANARY}}}"),
    ("pull_secrets: [registry]", f"environment: {{'bad-name': {CANARY}}}"),
    ("pull_secrets: [registry]", f"environment: {{A: [{CANARY}]}}"),
    ("pull_secrets: [registry]", f"environment: {CANARY}"),
    ("pull_secrets: [registry]", f"environment:\n      bad-name: {CANARY}"),
    ("pull_secrets: [registry]", f"environment:\n      A: [{CANARY}]"),
    ("pull_secrets: [registry]", f"env: {{WANDB_API_KEY: {CANARY}}}"),
    ("pull_secrets: [registry]", f"args: ['--api-key={CANARY}', 5]"),
    ("name: demo", f"name: demo\nparameters: {{api_key: {{type: integer, default: {CANARY}}}}}"),
    ("name: demo", f"name: demo\nregistry_password: {CANARY}"),
    ("name: demo", f"name: demo\ndescription: ['https://user:{CANARY}@host']"),
    ("name: demo", f"name: 'https://user:{CANARY}@host'"),
    ("tenant: research", f"tenant: 'token={CANARY}'"),
    ("nodes: 1\n    image", f"nodes: 'password={CANARY}'\n    image"),
]
"""Changes of a blueprint that plant a secret."""


def outputs(path: Path) -> list[Ran]:
    """What each verb says of a blueprint, in each form."""
    return [
        call("check", path),
        call("check", path, "--format", "json"),
        call("plan", path),
        call("plan", path, "--format", "json"),
        call("explain", path, "train"),
        call("generate", path, "--out", path.parent / "out"),
        call("diff", path, path),
    ]


def assert_silent(ran: Ran) -> None:
    """Refused, and the canary is nowhere."""
    assert ran.code == 1, ran
    assert CANARY not in ran.out + ran.err
    assert "defect of its own" not in ran.err


@pytest.mark.parametrize(("old", "new"), IN_SITE)
def test_a_secret_in_a_site_is_never_shown(tmp_path: Path, old: str, new: str) -> None:
    for ran in outputs(write_project(tmp_path, lab=changed(SITE, old, new))):
        assert_silent(ran)


@pytest.mark.parametrize(("old", "new"), IN_BLUEPRINT)
def test_a_secret_in_a_blueprint_is_never_shown(tmp_path: Path, old: str, new: str) -> None:
    for ran in outputs(write_project(tmp_path, changed(WITH_TRAINING, old, new))):
        assert_silent(ran)


@pytest.mark.parametrize(
    "line",
    [
        f"    token: {CANARY}: x",
        f'    password: "{CANARY}',
        f"    url: https://user:{CANARY}@host: x",
        f"    key: {JWT}: x",
        f"    environment: {{A: {CANARY}: x}}",
    ],
)
def test_a_line_that_is_no_yaml_is_quoted_without_its_secret(tmp_path: Path, line: str) -> None:
    assert_silent(call("check", write_project(tmp_path, f"{BLUEPRINT}{line}\n")))


def test_a_secret_beside_another_mistake_is_not_quoted_with_it(tmp_path: Path) -> None:
    state = f"state: {{backend: file://state, passphrase: {CANARY}, secrets_provider: passphrase, place: XX}}"
    text = changed(SITE, "state:\n  backend: file://state\n  secrets_provider: passphrase\n  place: DE\n", f"{state}\n")
    ran = call("check", write_project(tmp_path, lab=text))
    assert_silent(ran)
    assert 'state.place: "XX" is not a known country' in ran.err


def test_a_value_of_the_command_line_is_masked_too(tmp_path: Path) -> None:
    text = BLUEPRINT.replace("name: demo", "name: demo\nparameters: {token: {type: integer, default: 1}}")
    text = text.replace("nodes: 2", "nodes: {parameter: token}")
    assert_silent(call("check", write_project(tmp_path, text), "--set", f"token={CANARY}"))


def test_names_of_secrets_may_be_seen_and_their_values_are_read_by_nobody(tmp_path: Path) -> None:
    """The names are what operators look for. The values lie in files that no verb opens."""
    path = write_project(tmp_path, WITH_TRAINING)
    (tmp_path / "kube").mkdir()
    (tmp_path / "kube" / "config").write_text(f"token: {CANARY}", encoding="utf-8")
    (tmp_path / ".env").write_text(f"WANDB_API_KEY={CANARY}", encoding="utf-8")
    lab = tmp_path / "sites" / "lab.yaml"
    lab.write_text(SITE.replace("~/.kube/config", "kube/config"), encoding="utf-8")
    said = outputs(path)
    assert [ran.code for ran in said] == [0] * len(said), said
    assert all(CANARY not in ran.out + ran.err for ran in said)
    written = files_below(tmp_path / "out")
    assert written
    assert not [name for name, content in written.items() if CANARY.encode() in content]
    assert any(b"wandb" in content for content in written.values())


def test_a_failure_of_ours_shows_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError(f"the value was {CANARY}")

    monkeypatch.setattr("aifactory.cli.judgement.prepare", fails)
    for form in ("text", "json"):
        ran = call("check", write_project(tmp_path), "--format", form)
        assert ran.code == 3
        assert CANARY not in ran.out + ran.err
        assert "Traceback" not in ran.err
