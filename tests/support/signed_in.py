"""Signs in at moto as a session of a role, as people are: what STS says of it then is what AWS would say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto import mock_aws


@contextmanager
def signed_in(role: str, region: str = "eu-north-1") -> Iterator[list[str]]:
    """An AWS of moto, and the credentials of a session of this role in the environment. Yields what must not be shown.

    `role` is an ARN. moto's own credentials stay out: they would be what the environment is put back to.
    """
    with mock_aws(config={"core": {"mock_credentials": False}}), pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "canary-of-an-access-key")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "canary-of-a-secret-key")
        sts = boto3.client("sts", region_name=region)
        given = sts.assume_role(RoleArn=role, RoleSessionName="ada@example.com")["Credentials"]
        secrets = [str(given[key]) for key in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        for name, value in zip(_NAMES, secrets, strict=True):
            environment.setenv(name, value)
        yield secrets


_NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
