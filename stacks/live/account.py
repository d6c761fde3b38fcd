"""An account of AWS, as the credentials of this machine see it. Asks, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PATIENCE_S = 10
"""Longest wait for a connection, and for an answer."""


class AccountError(Exception):
    """What keeps an account from answering. Carries what to do; never a credential."""

    def __init__(self, says: str, hint: str) -> None:
        super().__init__(f"{says}; {hint}")
        self.says = says
        self.hint = hint


class NotAsked(AccountError):
    """Nobody can be asked here: the SDK is not installed, or there are no credentials."""


class Declined(AccountError):
    """The account doesn't answer this question."""

    def __init__(self, code: str, says: str, hint: str) -> None:
        super().__init__(says, hint)
        self.code = code


class Account:
    """One region of the account that credentials are for."""

    def __init__(self, region: str) -> None:
        """Raises `NotAsked` if boto3 isn't installed, or finds no credentials."""
        try:
            import boto3  # noqa: PLC0415 - an extra, which nothing else needs
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        except ImportError:
            hint = "pip install 'ai-factory-blueprints[aws]'"
            raise NotAsked("boto3 is not installed", hint) from None
        try:
            self._session = boto3.Session(region_name=region)
            found = self._session.get_credentials()
        except BotoCoreError as error:
            raise NotAsked(f"credentials of AWS can't be read: {error}", "see aws configure list") from None
        if found is None:
            hint = "sign in, for example by aws sso login, or set AWS_PROFILE"
            raise NotAsked("there are no credentials of AWS here", hint)
        self._config = Config(connect_timeout=PATIENCE_S, read_timeout=PATIENCE_S, retries={"total_max_attempts": 3})
        self._clients: dict[str, Any] = {}
        self._region = region

    def at(self, region: str) -> Account:
        """Another region of it; itself for its own."""
        return self if region == self._region else Account(region)

    def ask(self, service: str, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """The answer of an operation, such as `describe_images` of `ec2`. Raises `Declined` for what isn't answered."""
        return dict(self._guarded(service, operation, lambda client: getattr(client, operation)(**arguments)))

    def every(self, service: str, operation: str, listed: str, **arguments: Any) -> list[Any]:
        """All that an operation lists, page by page. Raises `Declined`."""

        def pages(client: Any) -> list[Any]:
            return [each for page in client.get_paginator(operation).paginate(**arguments) for each in page[listed]]

        return list(self._guarded(service, operation, pages))

    def _guarded(self, service: str, operation: str, asked: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - there once this is made

        try:
            if service not in self._clients:
                self._clients[service] = self._session.client(service, config=self._config)
            return asked(self._clients[service])
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            verb = "".join(word.title() for word in operation.split("_"))
            raise Declined(code, f"AWS answers {code}", f"let these credentials do {service}:{verb}") from None
        except BotoCoreError as error:
            raise Declined("", f"AWS doesn't answer: {error}", "see that its APIs are reached from here") from None
