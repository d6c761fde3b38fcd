"""A Pulumi provider that keeps what it is sent: any resource, no cluster behind it.

Run as a plugin (`pulumi-resource-kubernetes` on PATH), it lets the real engine preview and update a stack offline.
It checks nothing, and answers with the ids of the real provider: `namespace/name`.
"""

from __future__ import annotations

import sys
from typing import Any

from pulumi.provider.experimental import provider, server


class Echo(provider.Provider):
    """Outputs are inputs."""

    async def check_config(self, request: provider.CheckRequest) -> provider.CheckResponse:
        """Take any settings."""
        return provider.CheckResponse(inputs=request.new_inputs)

    async def diff_config(self, request: provider.DiffRequest) -> provider.DiffResponse:  # noqa: ARG002 - the protocol
        """Never replace the provider."""
        return provider.DiffResponse(changes=False)

    async def configure(self, request: provider.ConfigureRequest) -> provider.ConfigureResponse:  # noqa: ARG002 - as above
        """Be ready."""
        return provider.ConfigureResponse(accept_secrets=True, supports_preview=True, accept_resources=True)

    async def check(self, request: provider.CheckRequest) -> provider.CheckResponse:
        """Take any inputs."""
        return provider.CheckResponse(inputs=request.new_inputs)

    async def diff(self, request: provider.DiffRequest) -> provider.DiffResponse:
        """Differ where the inputs do."""
        return provider.DiffResponse(changes=request.old_state != request.new_inputs)

    async def create(self, request: provider.CreateRequest) -> provider.CreateResponse:
        """Keep a resource."""
        identifier = "" if request.preview else _identifier(request.properties)
        return provider.CreateResponse(resource_id=identifier, properties=request.properties)

    async def update(self, request: provider.UpdateRequest) -> provider.UpdateResponse:
        """Keep a resource's new inputs."""
        return provider.UpdateResponse(properties=request.news)

    async def delete(self, request: provider.DeleteRequest) -> None:
        """Forget a resource."""


def _identifier(properties: Any) -> str:
    inputs = {key: getattr(value, "value", value) for key, value in properties.items()}
    metadata = inputs.get("metadata")
    named = {key: getattr(value, "value", value) for key, value in metadata.items()} if metadata else inputs
    return f"{named['namespace']}/{named['name']}" if named.get("namespace") else str(named["name"])


if __name__ == "__main__":
    server.main(sys.argv[1:], "4.34.2", Echo())
