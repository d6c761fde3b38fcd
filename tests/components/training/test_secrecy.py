"""Secrets are found where they were written, and what only sounds like one is let through."""

import pytest

from aifactory.components.training import secrecy
from support.offered import outcome, queue, training


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WANDB_API_KEY", "hunter2"),
        ("HF_TOKEN", "hunter2"),
        ("DB_PASSWORD", "hunter2"),
        ("NOTHING", "hf_abcdefghijklmnop"),
        ("URL", "https://user:hunter2@example.com/x"),
        ("CERT", "-----BEGIN " + "PRIVATE KEY-----\nabc"),
    ],
)
def test_a_secret_is_one_by_name_or_by_looks(name: str, value: str) -> None:
    assert secrecy.is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_TOKEN_PATH", "/run/secrets/token"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("MAX_TOKENS", "4096"),
        ("PASSWORD", ""),
        ("API_KEY", "$FROM_FILE"),
        ("NCCL_DEBUG", "INFO"),
        ("URL", "https://example.com/x"),
    ],
)
def test_what_only_sounds_like_a_secret_is_none(name: str, value: str) -> None:
    assert not secrecy.is_secret(name, value)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["python", "train.py", "--tokenizer=gpt2", "--max-tokens", "4096"], []),
        (["--hf-token=hunter2"], [0]),
        (["--hf-token", "hunter2", "--lr", "1"], [1]),
        (["--token-file", "/run/token"], []),
        (["--password"], []),
        (["sh", "-c", "export HF_TOKEN=hunter2; python train.py"], [2]),
        (["hf_abcdefghijklmnop"], [0]),
    ],
)
def test_words_of_a_command_are_read_as_options(words: list[str], found: list[int]) -> None:
    assert list(secrecy.secret_words(words)) == found


def test_a_secret_is_refused_where_it_stands_and_shown_nowhere() -> None:
    found = outcome([queue(), training(args=["--lr=1", "--api-key=hunter2"], environment={"HF_TOKEN": "hunter2"})])
    (problem,) = found.site_plan.problems
    assert problem.path == ("parts", 1, "environment", "HF_TOKEN")
    assert "hunter2" not in problem.says + problem.hint
    assert "hunter2" not in repr(found.site_plan.decisions)
