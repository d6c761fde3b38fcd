"""The controllers of a cluster at AWS that make things in the account: load balancers for Services, volumes for claims.

Source: AWS Load Balancer Controller, docs/guide/service/nlb.md and its finalizer `service.k8s.aws/resources`; the EBS
CSI driver with external-provisioner, which removes a volume of reclaim policy Delete once its claim is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from support.proving.api import Api, Refused
from support.proving.aws_account import Account
from support.proving.aws_rules import GROUP, INTERFACE, SUBNET, VPC, Thing
from support.proving.loop import Loop

BALANCER, VOLUME = "aws:lb/loadBalancer:LoadBalancer", "aws:ebs/volume:Volume"
FINALIZER = "service.k8s.aws/resources"
DRIVER = "ebs.csi.aws.com"
CONTROLLER = "/apis/apps/v1/namespaces/aws-load-balancer-controller/deployments/aws-load-balancer-controller"
_MERGE = "application/merge-patch+json"


class Controllers(Loop):
    """Do their part until they are left. Use it as a context.

    Load balancers are made and removed only while the Deployment of their controller is there; volumes always, since
    their driver is an add-on of the base. `broken` keeps the controller from removing anything.
    """

    def __init__(self, api: Api, account: Account) -> None:
        super().__init__(pause_s=0.3)
        self._api = api
        self._account = account
        self.broken = False

    def steps(self) -> Iterator[Callable[[], None]]:
        """Load balancers, then volumes."""
        yield self._balancers
        yield self._volumes

    def _balancers(self) -> None:
        try:
            self._api.call("GET", CONTROLLER)
        except Refused:
            return
        for service in self._api.call("GET", "/api/v1/services")["items"]:
            metadata, path = service["metadata"], _path("services", service)
            held = FINALIZER in metadata.get("finalizers", ())
            if metadata.get("deletionTimestamp"):
                if held and not self.broken:
                    self._remove(f"k8s-{metadata['uid'][:8]}")
                    self._api.call("PATCH", path, {"metadata": {"finalizers": None}}, _MERGE)
            elif service["spec"].get("type") == "LoadBalancer" and not held:
                self._api.call("PATCH", path, {"metadata": {"finalizers": [FINALIZER]}}, _MERGE)
                host = self._make(f"k8s-{metadata['uid'][:8]}")
                status = {"status": {"loadBalancer": {"ingress": [{"hostname": host}]}}}
                self._api.call("PATCH", f"{path}/status", status, _MERGE)

    def _make(self, name: str) -> str:
        (vpc,) = self._account.of(VPC)
        subnets = [each.id for each in self._account.of(SUBNET)][:2]
        group = self._account.place(GROUP, {"name": name, "vpcId": vpc.id, "description": "of a Service"})
        inputs = {"name": name, "subnets": subnets, "securityGroups": [group.id], "loadBalancerType": "network"}
        made = self._account.place(BALANCER, inputs)
        for subnet in subnets:
            self._account.place(INTERFACE, {"subnetId": subnet, "securityGroups": [group.id]}, made.id)
        return str(made.outputs["dnsName"])

    def _remove(self, name: str) -> None:
        for token in (BALANCER, GROUP):
            for each in self._account.of(token):
                if each.inputs.get("name") == name:
                    self._account.remove(each.id)

    def _volumes(self) -> None:
        claims = self._api.call("GET", "/api/v1/persistentvolumeclaims")["items"]
        there = {each["metadata"]["name"]: each for each in self._api.call("GET", "/api/v1/persistentvolumes")["items"]}
        for claim in claims:
            name = f"pvc-{claim['metadata']['uid']}"
            if claim.get("status", {}).get("phase") == "Pending" and name not in there:
                volume = self._account.place(VOLUME, {"availabilityZone": "eu-north-1a", "size": 8, "type": "gp3"})
                self._api.apply(_volume(name, claim, volume))
        for name, body in there.items():
            spec, released = body["spec"], body.get("status", {}).get("phase") == "Released"
            goes = released and spec["persistentVolumeReclaimPolicy"] == "Delete"
            if goes and "deletionTimestamp" not in body["metadata"]:
                self._account.remove(spec["csi"]["volumeHandle"])
                self._api.call("DELETE", f"/api/v1/persistentvolumes/{name}")


def _path(plural: str, body: dict[str, Any]) -> str:
    return f"/api/v1/namespaces/{body['metadata']['namespace']}/{plural}/{body['metadata']['name']}"


def _volume(name: str, claim: dict[str, Any], volume: Thing) -> dict[str, Any]:
    metadata, spec = claim["metadata"], claim["spec"]
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    reference |= {key: metadata[key] for key in ("name", "namespace", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "storageClassName": spec.get("storageClassName", ""),
            "persistentVolumeReclaimPolicy": "Delete",
            "csi": {"driver": DRIVER, "volumeHandle": volume.id},
            "claimRef": reference,
        },
    }
