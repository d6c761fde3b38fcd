"""What looks like a secret is masked, what doesn't stays readable."""

from __future__ import annotations

import time

import pytest

from aifactory.components.masking import is_private, is_secret_name, masked, masked_line
from aifactory.components.problems import Problem

KEY = "-----BEGIN PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("https://user:CANARY@host/x", "https://***@host/x"),
        ("https://CANARY@github.com/x", "https://***@github.com/x"),
        ("https://user:CANARY/with/slashes@host", "https://***@host"),
        ("ssh://git:CANARY@host/x", "ssh://***@host/x"),
        ("https://user:CANARYthat-was-cut…", "https://user:***"),
        ("s3://bucket?region=x&token=CANARY&a=b", "s3://bucket?region=x&token=***&a=b"),
        ("--api-key=CANARY", "--api-key=***"),
        ("DB_PASSWORD='CAN ARY' x", "DB_PASSWORD=*** x"),
        ("AKIAIOSFODNN7CANARY", "***"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYCANARYKEY1", "***"),
        ("Q0FOQVJZIGlzIGEgc2VjcmV0IGluIGJhc2U2NA==", "***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.c2ln", "***"),
        ("a ghp_CANARY0123456789 b", "a *** b"),
        ("hf_CANARY0123456789", "***"),
        ("nvapi-CANARY0123456789", "***"),
        ("Authorization: Bearer CANARY.0123", "Authorization: ***"),
        (f"{KEY}\nCANARY\n-----END PRIVATE KEY-----\nrest", "***\nrest"),
        (f"{KEY}\nCANARY that was cut", "***"),
    ],
)
def test_a_secret_is_masked_wherever_it_stands(text: str, safe: str) -> None:
    assert masked(text) == safe
    assert masked(safe) == safe


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://host:8443/path",
        "ssh://git@github.com/org/repo.git",
        "file://state",
        "sha256:" + "0123456789abcdef" * 4,
        "registry.example.com/team/trainer:2026.11.1",
        "projects/Frankfurt-2/blueprints/library/Training-Roce-With-A-Long-Name.yaml:12:3",
        "ClusterQueue.kueue.x-k8s.io/research-Team-9",
        "arn:aws:eks:eu-central-1:123456789012:cluster/lab",
        "the field is missing; add secret: Name of the existing Secret",
        "MAX_TOKENS is 5",
        "design=x",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        ("  password: CANARY # remark", "  password: *** # remark"),
        ('aws_secret_access_key: "CAN ARY"', "aws_secret_access_key: ***"),
        ("x: {password: CANARY, y: z}", "x: {password: ***, y: z}"),
        ('{"password":"CANARY","y":1}', '{"password":***,"y":1}'),
        ("tokens: 5, token: [CANARY, CANARY]", "tokens: 5, token: ***"),
        ("    environment: {FOO: CANARY, BAR: CANARY}", "    environment: {***}"),
        ("clientSecret: CANARY", "clientSecret: ***"),
    ],
)
def test_in_a_line_fields_that_are_called_like_secrets_are_masked_too(line: str, safe: str) -> None:
    assert masked_line(line) == safe


@pytest.mark.parametrize(
    "line",
    [
        "state: {backend: file://state, secrets_provider: passphrase, place: DE}",
        "  - {variable: WANDB_API_KEY, secret: wandb, key: api}",
        "    pull_secrets: [registry]",
        "accelerator: h200",
    ],
)
def test_names_of_secrets_and_plain_fields_stay(line: str) -> None:
    assert masked_line(line) == line


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("password", True),
        ("WANDB_API_KEY", True),
        ("dbpassword", True),
        ("auth-token", True),
        ("sig", True),
        ("secret", False),
        ("secrets_provider", False),
        ("MAX_TOKENS", False),
        ("TOKENIZERS_PARALLELISM", False),
        ("compass", False),
        ("author", False),
        ("topology_key", False),
    ],
)
def test_a_name_tells_whether_its_value_is_secret(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


@pytest.mark.parametrize(
    ("path", "private"),
    [
        (("parts", 0, "environment", "FOO"), True),
        (("parts", 0, "secrets", 0, "secret"), True),
        (("parts", 0, "secrets", 0, "key"), True),
        (("parts", 0, "secrets", 0, "variable"), False),
        (("parts", 0, "pull_secrets", 3), True),
        (("network", "infiniband", "ufm", "secret"), True),
        (("state", "secrets_provider"), True),
        (("parameters", "db_password", "default"), True),
        (("power", "racks"), False),
        (("topology", "key"), False),
        ((), False),
    ],
)
def test_a_place_tells_whether_its_value_may_be_secret(path: tuple[str | int, ...], private: bool) -> None:
    assert is_private(path) is private


def test_no_problem_carries_a_secret_whoever_words_it() -> None:
    problem = Problem('"https://a:CANARY@b" is wrong', ("x",), "not token=CANARY")
    assert "CANARY" not in problem.says + problem.hint
    assert problem.located(None) == problem


@pytest.mark.parametrize("hostile", ["token" * 9_000, "://a:" * 9_000, "a: 'b" * 9_000, "eyJ" * 9_000, "Ab1" * 9_000])
def test_hostile_text_takes_no_quadratic_time(hostile: str) -> None:
    start = time.process_time()
    masked(hostile)
    masked_line(hostile)
    assert time.process_time() - start < 10
