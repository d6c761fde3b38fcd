"""Stands in for `pulumi-resource-aws`, which can't be built from Go modules: a provider whose account is a folder.

Meant to be never laxer than the real one: it refuses what the SDK has no type for and the API no word for, names what
the program leaves unnamed, waits for what can't be seen yet, and answers with AWS' own codes. Not there: invokes,
components, imports of what no id finds, and nearly all that AWS checks about the meaning of settings.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from support.proving.aws_account import Account, Fault, Verb
from support.proving.aws_api import partition_of
from support.proving.aws_identity import ACCOUNT, foreseen, updated
from support.proving.aws_rules import AwsError, Thing, identity
from support.proving.aws_schema import PROVIDER, UnknownToken, resource, version
from support.proving.aws_values import ANY, Mistake, mistakes
from support.proving.faults import kill_engine
from support.proving.processes import end_with_parent
from support.proving.wire import UNKNOWN, has_unknown, partly_made, plain, struct

FOLDER = "PROVING_AWS"
"""Environment variable that names the folder of the account."""
_NAMES = {"aws:s3/bucket:Bucket": "bucket"}
"""What the real provider fills in where a program gives no name, other than `name`."""
_FORCES = re.compile(r"forces? (a )?(new|replacement|re-?creation)|new resource|recreat", re.IGNORECASE)
_REPLACED_BY = {
    "aws:ec2/routeTableAssociation:RouteTableAssociation": {"subnetId", "gatewayId"},
    "aws:ec2/subnet:Subnet": {"availabilityZone", "cidrBlock", "vpcId"},
    "aws:ec2/vpc:Vpc": {"cidrBlock", "instanceTenancy"},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"serviceName", "vpcEndpointType", "vpcId"},
    "aws:eks/addon:Addon": {"addonName", "clusterName"},
    "aws:eks/cluster:Cluster": {"name", "roleArn"},
    "aws:eks/nodeGroup:NodeGroup": {
        "amiType",
        "capacityType",
        "clusterName",
        "diskSize",
        "instanceTypes",
        "nodeGroupName",
        "nodeRoleArn",
        "subnetIds",
    },
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {"policyArn", "role"},
    "aws:s3/bucket:Bucket": {"bucket"},
}
"""What can't be changed in place, beside names and what the SDK's text says. Source: `Forces new resource` in the
upstream provider's documentation of each."""
Properties = dict[str, Any]


class Aws(provider_pb2_grpc.ResourceProviderServicer):
    """One configured provider."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._account: Account | None = None

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Who this is."""
        return plugin_pb2.PluginInfo(version=version())

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Settings that the provider has, for a region that there is."""
        settings = _settings(plain(request.news))
        found = list(mistakes(PROVIDER, settings, _later))
        region = settings.get("region")
        if region is None:
            found.append(Mistake("region", "is required; the stand-in reads no profile and no environment"))
        if settings.get("allowedAccountIds") and ACCOUNT not in settings["allowedAccountIds"]:
            found.append(Mistake("allowedAccountIds", f"AWS account ID not allowed: {ACCOUNT}"))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(found))

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Another region replaces all."""
        old, new = plain(request.olds), plain(request.news)
        replaces = ["region"] if old.get("region") != new.get("region") else []
        kinds = provider_pb2.DiffResponse
        return kinds(changes=kinds.DIFF_SOME if old != new else kinds.DIFF_NONE, replaces=replaces)

    def Configure(self, request: Any, context: Any) -> Any:
        """Open the account."""
        region = str(plain(request.args).get("region", ""))
        if partition_of(region) is not None:
            self._account = Account(self._folder, region)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Check(self, request: Any, context: Any) -> Any:
        """Hold inputs to the SDK and the API."""
        token = _token(request.urn)
        inputs = _with_name(token, request.urn, plain(request.news), plain(request.olds))
        found: list[Mistake] = []
        try:
            found += mistakes(token, inputs, _later)
        except UnknownToken as unknown:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"unrecognized resource type (Check): {unknown}")
        return provider_pb2.CheckResponse(inputs=struct(inputs), failures=_failures(found))

    def Diff(self, request: Any, context: Any) -> Any:
        """What the new inputs change."""
        token, old, new = _token(request.urn), plain(request.old_inputs), plain(request.news)
        known = resource(token).inputs
        changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        fixed = _REPLACED_BY.get(token, set()) | {"name", "region"}
        replaces = [name for name in changed if name in fixed or _FORCES.search(known[name].text)]
        kinds = provider_pb2.DiffResponse
        return kinds(
            changes=kinds.DIFF_SOME if changed else kinds.DIFF_NONE,
            diffs=changed,
            replaces=replaces,
            # Where two can't be there at once.
            deleteBeforeReplace=bool(
                replaces and identity(token, old) and identity(token, old) == identity(token, new)
            ),
        )

    def Create(self, request: Any, context: Any) -> Any:
        """Make it, or foresee it."""
        token, inputs = _token(request.urn), plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=struct(foreseen(token, inputs, UNKNOWN)))
        with self._answering(request.urn, "create", context) as after:
            if has_unknown(inputs):
                raise AwsError(f"ValidationError: unresolved values in {sorted(inputs)}")
            thing = self._open().create(token, request.urn, inputs)
            self._finish(after, thing, context)
            return provider_pb2.CreateResponse(id=thing.id, properties=struct(thing.outputs))

    def Update(self, request: Any, context: Any) -> Any:
        """Change it, or foresee it."""
        token, inputs = _token(request.urn), plain(request.news)
        if request.preview:
            seen = updated(plain(request.olds), plain(request.old_inputs), inputs)
            return provider_pb2.UpdateResponse(properties=struct(seen))
        with self._answering(request.urn, "update", context) as after:
            account = self._open()
            thing = account.update(account.get(token, request.id), inputs)
            self._finish(after, thing, context)
            return provider_pb2.UpdateResponse(properties=struct(thing.outputs))

    def Read(self, request: Any, context: Any) -> Any:
        """How it is now: nothing when it is gone."""
        with self._answering(request.urn, "read", context):
            thing = self._open().find(_token(request.urn), request.id)
            if thing is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(id=thing.id, properties=struct(thing.outputs), inputs=struct(thing.inputs))

    def Delete(self, request: Any, context: Any) -> Any:
        """Remove it."""
        with self._answering(request.urn, "delete", context) as after:
            self._open().delete(_token(request.urn), request.id)
            if after is not None:
                _break(after)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Nothing here takes long."""
        return empty_pb2.Empty()

    def _open(self) -> Account:
        if self._account is None:
            raise AwsError("the provider has no region")
        return self._account

    @contextmanager
    def _answering(self, urn: str, verb: Verb, context: Any) -> Iterator[Fault | None]:
        """Break as planned before the step, or hand out what has to break after it; answer with AWS' refusals."""
        try:
            fault = self._open().fault(urn, verb)
            if fault is not None and not fault.how.endswith("-after"):
                _break(fault)
            yield fault if fault is not None and fault.how.endswith("-after") else None
        except AwsError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    def _finish(self, fault: Fault | None, thing: Thing, context: Any) -> None:
        """Break after the step: what was made stays, and the engine is told of it."""
        if fault is not None and fault.how == "fail-after":
            partly_made(context, thing.id, struct(thing.outputs), fault.says, struct(thing.inputs))
        elif fault is not None:
            _break(fault)


def _break(fault: Fault) -> None:
    if fault.how.startswith("kill-engine"):
        kill_engine()
    if fault.how == "delay":
        time.sleep(fault.seconds)
    else:
        raise AwsError(fault.says)


def _later(value: object) -> Any:
    return ANY if isinstance(value, str) and UNKNOWN in value else None


def _failures(found: list[Mistake]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=each.where, reason=each.says) for each in found]


def _settings(given: Properties) -> Properties:
    """Settings of a provider come as texts; what isn't a text is JSON."""
    known = resource(PROVIDER).inputs
    texts = {name for name, each in known.items() if each.type.kind == "string"} | (given.keys() - known.keys())
    taken = {name: value for name, value in given.items() if name != "version"}
    return {
        name: value if name in texts or not isinstance(value, str) or UNKNOWN in value else json.loads(value)
        for name, value in taken.items()
    }


def _with_name(token: str, urn: str, inputs: Properties, olds: Properties) -> Properties:
    """Give it a name of its own when the program gives none: the resource's, and seven digits."""
    try:
        known = resource(token).inputs
    except UnknownToken:
        return inputs
    name = _NAMES.get(token, "name")
    prefixed = f"{name}Prefix" in inputs
    if name not in known or name in inputs or prefixed:
        return inputs
    plain_name = re.sub(r"[^a-z0-9-]", "-", urn.rpartition("::")[2].lower())
    return {**inputs, name: olds.get(name, f"{plain_name}-{secrets.token_hex(4)[:7]}")}


def _token(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def main() -> None:
    """Serve until the engine is done."""
    end_with_parent()
    server = grpc.server(futures.ThreadPoolExecutor(64))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Aws(Path(os.environ[FOLDER])), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
