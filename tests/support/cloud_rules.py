"""Where something of AWS may be said in code, and why: a venue is a table's row, never an `if` all over the rooms.

Docstrings and comments may speak of it: they decide nothing.
"""

import ast
import re
from collections.abc import Iterator

from support.source_tree import ROOMS, Module, SourceTree

WORDS = {"aws", "eks", "ec2", "efa", "ecr", "fsx", "bedrock", "karpenter", "arn", "amazon", "amazonaws", "iam", "vpc"}
_OF_S3 = re.compile(r"AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|ENDPOINT_URL)\b")
"""Variables that clients of any S3 read, Ceph's too."""

PLACES = {
    "components/cluster/": "a part that makes something there",
    "components/gpu_node_pool/": "a part that makes something there",
    "components/fabric/": "a part that makes something there",
    "components/storage_tier/": "a part that makes something there",
    "components/aws_": "what those parts say to each other",
    "components/given_aws": "the fields of a site file",
    "components/given_costs.py": "the fields of a site file",
    "components/given_prices.py": "the fields of a site file",
    "components/catalog/": "facts, and the tables that read them",
    "components/gateway/bedrock.py": "the table of providers: Bedrock by workload identity",
    "components/gateway/balancing.py": "the load balancer of the venue",
    "components/gateway/objects/doors.py": "the load balancer of the venue",
    "components/gateway/objects/credentials.py": "the table of providers: kinds of credentials",
    "components/gateway/objects/elsewhere.py": "the table of providers: their APIs",
    "components/gateway/places.py": "the table of providers: their APIs",
    "components/gateway/published.py": "the table of providers: regions of inference profiles",
    "components/gateway/plan.py": "asks what is decided about Bedrock",
    "components/gateway/reaching.py": "asks what is decided about Bedrock",
    "components/gateway/rules.py": "why Bedrock is asked so",
    "components/gateway/spec_providers.py": "the table of providers: what a blueprint may write",
    "components/capabilities.py": "the table of capabilities has their names",
    "components/venues.py": "the table of venues",
    "components/offers.py": "kinds of fabric have names",
    "components/mirroring.py": "a message names the field of the site file that mends it",
    "components/rag/postgres.py": "a message names the field of the site file that mends it",
    "blueprints/site.py": "a site file of the venue",
    "blueprints/load.py": "which kind of site file it is",
    "stacks/planning/place.py": "a site file becomes a place",
    "blueprints/priced_items.py": "items of price files are held against the catalog's prices",
    "stacks/estimate/": "what is rented has its own prices, energy or water",
    "stacks/assembly/rowset.py": "the provider of a base, and the command that signs in at its cluster",
    "stacks/program/identity.py": "the provider's type",
    "stacks/program/cloud_ids.py": "ids by which the provider finds what a run that was cut off made",
    "stacks/render/deployer.py": "policies for whoever deploys a base",
    "stacks/render/readme_base.py": "what the README of a base says",
    "stacks/live/account.py": "asks accounts",
    "stacks/live/caller.py": "asks accounts",
    "stacks/live/copied.py": "asks accounts",
    "stacks/live/models.py": "asks accounts",
    "stacks/live/nodes.py": "asks accounts",
    "stacks/live/quotas.py": "asks accounts",
    "stacks/live/region.py": "asks accounts",
    "stacks/live/served.py": "asks accounts",
    "cli/accounts.py": "doctor --live",
    "cli/commands/doctor.py": "doctor --live",
    "cli/calling.py": "up asks who runs it",
    "cli/commands/catalog.py": "a refresh of the catalog's prices",
    "cli/price_sources.py": "a refresh of the catalog's prices",
    "cli/refreshing.py": "a refresh of the catalog's prices",
    "cli/neighbours.py": "a message names the field of the site file that mends it",
    "cli/generating.py": "hands the catalog's table of permissions on",
    "cli/returning.py": "reads the catalog's table of what comes back",
    "cli/staying.py": "reads the catalog's table of what stays",
    "cli/first_aws_site.py": "init --venue aws",
    "cli/first_site.py": "init --venue aws",
    "cli/starting.py": "init --venue aws",
    "cli/commands/init.py": "init --venue aws",
}
"""Beginnings of paths, each with its reason."""


def elsewhere(tree: SourceTree) -> Iterator[str]:
    """Each word of AWS in code outside of those places."""
    for module in tree.modules(*ROOMS):
        path = module.path.as_posix()
        if not path.startswith(tuple(PLACES)):
            yield from (f"{path}:{line}: {text!r}" for line, text in spoken(module))


def idle(tree: SourceTree) -> list[str]:
    """Places that say nothing of AWS any more."""
    speaking = {module.path.as_posix() for module in tree.modules(*ROOMS) if any(spoken(module))}
    return [place for place in PLACES if not any(path.startswith(place) for path in speaking)]


def spoken(module: Module) -> Iterator[tuple[int, str]]:
    """Names and texts of a module's code that say a word of AWS, with their lines."""
    docstrings = {
        id(each.value)
        for node in ast.walk(module.tree)
        for each in (getattr(node, "body", None) if isinstance(getattr(node, "body", None), list) else ()) or ()
        if isinstance(each, ast.Expr)
    }
    for node in ast.walk(module.tree):
        for text in () if id(node) in docstrings else _texts(node):
            if _words(text) & WORDS:
                yield getattr(node, "lineno", 0), text


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield _OF_S3.sub("", node.value)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""
    for field in ("id", "attr", "arg", "name", "asname"):
        text = getattr(node, field, None)
        if isinstance(text, str):
            yield text


def _words(text: str) -> set[str]:
    """Its words in small letters; `AwsSite` and `aws_site` have two."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return {word.lower() for word in re.split(r"[^A-Za-z0-9]+", apart)}
