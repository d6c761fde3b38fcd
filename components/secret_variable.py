"""A variable whose value lies in a Secret: named, never written."""

from __future__ import annotations

from aifactory.components.forms import SecretKey, SecretName, VariableName
from aifactory.components.spec import Spec


class SecretVariable(Spec):
    """An environment variable whose value lies in a Secret of the tenant's namespace."""

    variable: VariableName
    """Name of the variable."""

    secret: SecretName
    """Name of the existing Secret. The value itself is never read here."""

    key: SecretKey
    """Key in the Secret."""
