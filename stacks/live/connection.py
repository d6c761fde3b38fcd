"""Requests to a real cluster, as a kubeconfig and a context say: certificates, tokens, exec plugins, OIDC."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
JSON = "application/json"
APPLY = "application/apply-patch+yaml"
PATIENCE_S = (5, 60)
"""To connect, and to be answered. Unit: s."""
_SHOWN = 300


class Unreachable(Exception):
    """Nobody answers, or nobody lets us in. What is there isn't known."""

    def __init__(self, says: str) -> None:
        super().__init__(says)
        self.says = says


class Declined(Exception):
    """The server answered, and said no to one request."""

    def __init__(self, code: int, says: str) -> None:
        super().__init__(f"{code}: {says}")
        self.code = code
        self.says = says


class Connection(Protocol):
    """Who sends requests to one cluster."""

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        accept: str = JSON,
        content: str = JSON,
    ) -> Any:
        """One request; the answer as data. Raises `Declined` for a no, `Unreachable` if there is no answer."""
        ...


class KubeconfigConnection:
    """A connection that the official client makes."""

    def __init__(self, kubeconfig: Path, context: str) -> None:
        """Read the kubeconfig. Raises `Unreachable` if its credentials can't be had."""
        # It takes 0.6 s: paid by the verbs that look at a cluster, when they do.
        from kubernetes.client import Configuration  # noqa: PLC0415
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415
        from kubernetes.config import ConfigException, new_client_from_config  # noqa: PLC0415
        from urllib3 import disable_warnings  # noqa: PLC0415
        from urllib3.exceptions import HTTPError, InsecureRequestWarning  # noqa: PLC0415

        self._failures: tuple[type[Exception], ...] = (HTTPError, ApiException, ConfigException, OSError)
        configuration = Configuration()
        configuration.retries = 1
        logging.getLogger("urllib3").setLevel(logging.ERROR)  # it would tell of each try
        try:
            self._client = new_client_from_config(str(kubeconfig), context, client_configuration=configuration)
        except Exception as error:  # noqa: BLE001 - the client lets through what its parsers raise
            # Their text may quote the file.
            raise Unreachable(f"kubeconfig {kubeconfig} can't be used ({type(error).__name__})") from None
        if not configuration.verify_ssl:
            disable_warnings(InsecureRequestWarning)  # the kubeconfig says so

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        accept: str = JSON,
        content: str = JSON,
    ) -> Any:
        """One request; the answer as data. Raises `Declined` for a no, `Unreachable` if there is no answer."""
        address = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": accept, **({"Content-Type": content} if body is not None else {})}
        try:
            request = self._client.param_serialize(
                method, address, header_params=headers, body=body, auth_settings=["BearerToken"]
            )
            answer = self._client.call_api(*request, _request_timeout=PATIENCE_S)
            said = _read(answer.read())
        except self._failures as error:
            raise Unreachable(_short(error)) from None
        if answer.status == 401:
            raise Unreachable("the cluster doesn't know who asks: the credentials are refused")
        if not 200 <= answer.status < 300:
            message = said.get("message") if isinstance(said, dict) else said
            raise Declined(answer.status, str(message or answer.status)[:_SHOWN])
        return said

    def close(self) -> None:
        """Close what is open."""
        self._client.close()


def _read(data: bytes | None) -> Any:
    text = (data or b"").decode(errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _short(error: BaseException) -> str:
    """Why nobody answered, without addresses of objects of the client."""
    reason = getattr(error, "reason", None) or error
    says = str(reason).rpartition(">: ")[2] or type(error).__name__
    return f"it doesn't answer: {says[:_SHOWN]}"
