"""Whether a site's cluster can be reached as its file says, found out before the engine starts."""

from __future__ import annotations

import socket
from ipaddress import ip_network
from pathlib import Path

from aifactory.components.given import Kubeconfig
from aifactory.components.problems import Problem, nearest

WHERE = ("cluster", "kubeconfig")
_API_PORT = 443


def kubeconfig_file(given: Kubeconfig, root: Path, instead: Path | None) -> Path:
    """The kubeconfig of a site on this machine; `instead` is the file of `--kubeconfig`."""
    return instead if instead is not None else root / Path(given.file).expanduser()


def kubeconfig_problems(given: Kubeconfig, root: Path, instead: Path | None, site: str) -> list[Problem]:
    """What is wrong with the kubeconfig of a site: missing, unreadable, or without the context.

    The provider would take a path that it can't read for the content of a kubeconfig, and say that it can't parse
    it. `instead` is the file of `--kubeconfig`. Nothing of the file but names of contexts is ever shown.
    """
    file = kubeconfig_file(given, root, instead)
    name = instead if instead is not None else given.file
    hint = "fetch it, or name another with --kubeconfig FILE"
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        return [Problem(f"kubeconfig {name} of {site} can't be read: {why}", (*WHERE, "file"), hint, site=site)]
    contexts = _contexts(text)
    if contexts is None:
        return [Problem(f"kubeconfig {name} of {site} is not a kubeconfig", (*WHERE, "file"), hint, site=site)]
    if given.context not in contexts:
        says = f'kubeconfig {name} has no context "{given.context}"'
        return [Problem(says, (*WHERE, "context"), nearest(given.context, contexts), site=site)]
    return []


def _contexts(text: str) -> list[str] | None:
    import yaml  # noqa: PLC0415 - only before a run

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        tree = yaml.load(text, loader)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError:
        return None
    if not isinstance(tree, dict) or not isinstance(tree.get("contexts"), list):
        return None
    return [str(entry.get("name")) for entry in tree["contexts"] if isinstance(entry, dict)]


def address_towards(cidr: str) -> str | None:
    """Address of this machine with which packets to a network leave. Sends none: a connected UDP socket has a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(ip_network(cidr)[1]), _API_PORT))
        except OSError:
            return None
        return str(probe.getsockname()[0])
