"""An AWS account that is a folder: its objects are files, which a test reads, adds to and takes away.

Both the stand-in provider and the tests open it. What AWS makes unasked is there too: a VPC has a default security
group, a cluster its own group and interfaces in its subnets, a node group interfaces of its nodes. They go with what
they belong to, and stand in the way of everything else.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from support.proving.aws_identity import made, updated
from support.proving.aws_rules import (
    CLUSTER,
    GROUP,
    INTERFACE,
    NODES,
    VPC,
    AwsError,
    Thing,
    named,
    refuse_creation,
    refuse_removal,
)

Verb = Literal["create", "read", "update", "delete"]
How = Literal["fail", "fail-after", "delay", "kill-engine", "kill-engine-after"]
_SUBNETS_OF = {
    CLUSTER: lambda inputs: inputs["vpcConfig"]["subnetIds"],
    NODES: lambda inputs: inputs["subnetIds"],
    "aws:ec2/natGateway:NatGateway": lambda inputs: [inputs["subnetId"]],
    "aws:ec2/vpcEndpoint:VpcEndpoint": lambda inputs: inputs.get("subnetIds", []),
    "aws:fsx/lustreFileSystem:LustreFileSystem": lambda inputs: [inputs["subnetIds"]],
    "aws:lb/loadBalancer:LoadBalancer": lambda inputs: inputs.get("subnets", []),
}
"""Where an object has network interfaces."""
_TRIES = 40
_PAUSE_S = 0.05


class Fault(Struct, frozen=True):
    """What goes wrong at a resource, by its name in its URN."""

    name: str
    verb: Verb
    how: How
    says: str = "InternalFailure: injected"
    seconds: float = 0
    times: int = 1
    token: str = ""
    """Of the resource, where several have the name; any when empty."""


class Account:
    """One account in one region."""

    def __init__(self, folder: Path, region: str = "eu-north-1") -> None:
        self.folder = folder
        self.region = region
        self._objects = folder / "objects"
        self._objects.mkdir(parents=True, exist_ok=True)

    # What tests do.

    @property
    def things(self) -> list[Thing]:
        """All that is there."""
        return [msgspec.json.decode(path.read_bytes(), type=Thing) for path in sorted(self._objects.glob("*.json"))]

    def of(self, token: str) -> list[Thing]:
        """All of one token."""
        return [thing for thing in self.things if thing.token == token]

    @property
    def log(self) -> list[tuple[str, str]]:
        """What was done to which resource, by its name, in order."""
        file = self.folder / "log"
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        return [(what, name) for what, _, name in (line.partition("\t") for line in lines)]

    def place(self, token: str, inputs: Mapping[str, Any], owner: str = "") -> Thing:
        """Put an object there that a controller or a person made."""
        return self._keep(token, inputs, f"placed {len(self.things)}", "", owner)

    def remove(self, identifier: str) -> None:
        """Take an object away, as a controller or a person would: no rule is asked."""
        for thing in self.things:
            if identifier in (thing.id, thing.owner):
                self._file(thing).unlink()

    def fill(self, bucket: str, count: int = 1) -> None:
        """Put objects into a bucket, or take them all out."""
        thing = self.get("aws:s3/bucket:Bucket", bucket)
        thing.contents = count
        self._write(thing)

    def serve(self, endpoint: str, authority: str) -> None:
        """Let the API of clusters that are made from now on be this server; `authority` is in base64."""
        (self.folder / "served.json").write_text(json.dumps([endpoint, authority]), encoding="utf-8")

    def give(self, *names: str) -> None:
        """Let ids or ARNs be there that belong to somebody else."""
        self._append("given", *names)

    def plan(self, *faults: Fault) -> None:
        """Let these go wrong from now on, and none else."""
        (self.folder / "faults.json").write_bytes(msgspec.json.encode(faults))
        (self.folder / "met").unlink(missing_ok=True)

    def hide(self, lags: Mapping[str, int]) -> None:
        """Let new resources, by name, not be found by that many looks of others."""
        (self.folder / "lags.json").write_text(json.dumps(dict(lags)), encoding="utf-8")

    # What the provider does.

    def create(self, token: str, urn: str, inputs: Mapping[str, Any]) -> Thing:
        """Make an object, and what comes with it. Raises AwsError."""
        for wanted, name, code in named(token, inputs):
            self._await(wanted, name, code)
        with self._alone():
            refuse_creation(token, inputs, self.things, self.region)
            thing = self._keep(token, inputs, f"{urn} {len(self.log)}", urn)
            self._attend(thing)
            self._append("log", f"create\t{name_of(urn)}")
        return thing

    def update(self, thing: Thing, inputs: Mapping[str, Any]) -> Thing:
        """Give an object other inputs."""
        with self._alone():
            thing.outputs = updated(thing.outputs, thing.inputs, inputs)
            if "tagsAll" in thing.outputs:
                thing.outputs["tagsAll"] = dict(inputs.get("tags") or {})
            if "latestVersion" in thing.outputs:
                thing.outputs["latestVersion"] += 1
            thing.inputs = dict(inputs)
            self._write(thing)
            self._append("log", f"update\t{name_of(thing.urn)}")
        return thing

    def delete(self, token: str, identifier: str) -> None:
        """Remove an object, and what goes with it; it may be gone. Raises AwsError."""
        with self._alone():
            thing = self.find(token, identifier)
            if thing is None:
                return
            things = self.things
            refuse_removal(thing, things)
            gone = [each for each in things if each.owner == thing.id]
            left = [each for each in things if each.id != thing.id and each not in gone]
            for each in gone:
                if each.token == GROUP and _is_used(each, left):
                    each.owner = ""  # EKS' own group stays behind while an interface has it
                    self._write(each)
                else:
                    self._file(each).unlink()
            self._file(thing).unlink()
            self._append("log", f"delete\t{name_of(thing.urn)}")

    def find(self, token: str, identifier: str) -> Thing | None:
        """An object by its id."""
        return next((each for each in self.things if (each.token, each.id) == (token, identifier)), None)

    def get(self, token: str, identifier: str) -> Thing:
        """An object by its id. Raises AwsError when there is none."""
        found = self.find(token, identifier)
        if found is None:
            raise AwsError(f"ResourceNotFound: {identifier}")
        return found

    def fault(self, urn: str, verb: Verb) -> Fault | None:
        """What is planned to go wrong now."""
        file = self.folder / "faults.json"
        planned = msgspec.json.decode(file.read_bytes(), type=list[Fault]) if file.is_file() else []
        with self._alone():
            met = self._lines("met")
            for index, fault in enumerate(planned):
                named = (fault.name, fault.verb) == (name_of(urn), verb) and urn.endswith(
                    f"{fault.token}::{fault.name}"
                )
                if named and met.count(str(index)) < fault.times:
                    self._append("met", str(index))
                    return fault
        return None

    def _await(self, token: str, name: str, code: str) -> None:
        """Wait, as the real provider does, until something can be seen. Raises AwsError when it never can."""
        for _ in range(_TRIES):
            with self._alone():
                found = [each for each in self.things if name in each.names and token in ("", each.token)]
                seen = [each for each in found if not each.hidden]
                if seen or name in self._lines("given") or ":iam::aws:policy/" in name:
                    return
                for each in found:
                    each.hidden -= 1
                    self._write(each)
                    self._append("log", f"not found yet\t{name_of(each.urn)}")
            if not found:
                break
            time.sleep(_PAUSE_S)
        raise AwsError(f"{code}: {name} does not exist")

    def _keep(self, token: str, inputs: Mapping[str, Any], seed: str, urn: str, owner: str = "") -> Thing:
        lags = self.folder / "lags.json"
        hidden = json.loads(lags.read_text(encoding="utf-8")).get(name_of(urn), 0) if lags.is_file() and urn else 0
        outputs = made(token, inputs, seed, self.region)
        served = self.folder / "served.json"
        if token == CLUSTER and served.is_file():
            endpoint, authority = json.loads(served.read_text(encoding="utf-8"))
            outputs |= {"endpoint": endpoint, "certificateAuthority": {"data": authority}}
        thing = Thing(token, str(outputs["id"]), urn, dict(inputs), outputs, owner, hidden)
        self._write(thing)
        return thing

    def _attend(self, thing: Thing) -> None:
        """Make what AWS makes along with an object."""
        things = {each.id: each for each in self.things}
        groups = list(thing.inputs.get("securityGroupIds", []))
        if thing.token == VPC:
            self._own(GROUP, thing.outputs["defaultSecurityGroupId"], {"name": "default", "vpcId": thing.id}, thing)
        if thing.token == CLUSTER:
            vpc = things[thing.inputs["vpcConfig"]["subnetIds"][0]].outputs["vpcId"]
            thing.outputs["vpcConfig"]["vpcId"] = vpc
            own = thing.outputs["vpcConfig"]["clusterSecurityGroupId"]
            self._own(GROUP, own, {"name": f"eks-cluster-sg-{thing.id}", "vpcId": vpc}, thing)
            self._write(thing)
            groups = [own, *thing.inputs["vpcConfig"].get("securityGroupIds", [])]
        if thing.token == NODES:
            cluster = things[thing.inputs["clusterName"]]
            groups = [cluster.outputs["vpcConfig"]["clusterSecurityGroupId"]]
        if thing.token in _SUBNETS_OF:
            for subnet in _SUBNETS_OF[thing.token](thing.inputs):
                inputs = {"subnetId": subnet, "securityGroups": groups, "description": f"of {thing.id}"}
                self._keep(INTERFACE, inputs, f"{thing.urn} {subnet} {len(self.log)}", "", thing.id)

    def _own(self, token: str, identifier: str, inputs: Mapping[str, Any], owner: Thing) -> None:
        outputs = {**made(token, inputs, identifier, self.region), "id": identifier}
        self._write(Thing(token, identifier, "", dict(inputs), outputs, owner.id))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, over threads and processes."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _file(self, thing: Thing) -> Path:
        # Ids may be longer than a file's name.
        digest = sha256(f"{thing.token} {thing.id}".encode()).hexdigest()[:16]
        return self._objects / f"{thing.token.rpartition(':')[2]}-{digest}.json"

    def _write(self, thing: Thing) -> None:
        file = self._file(thing)
        new = file.with_suffix(".new")
        new.write_bytes(msgspec.json.format(msgspec.json.encode(thing)))
        new.replace(file)

    def _append(self, name: str, *lines: str) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def _lines(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []


def name_of(urn: str) -> str:
    """The name of a resource, as its program gave it."""
    return urn.rpartition("::")[2]


def _is_used(group: Thing, things: list[Thing]) -> bool:
    return any(group.id in thing.inputs.get("securityGroups", []) for thing in things if thing.token == INTERFACE)
