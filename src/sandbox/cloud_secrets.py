"""Where secrets lie: one action of KMS's Secrets Manager (2016-01-20) and one of OOS's Parameter Store (2019-06-01).

Shapes are those of the vendor's pages on GetSecretValue and GetSecretParameter.
"""

from __future__ import annotations

from sandbox.cloud_errors import ApiError
from sandbox.cloud_query import COMMON, Query
from sandbox.cloud_replies import Action, Body, View


def get_secret_value(view: View, query: Query) -> Body:
    name = query.text("SecretName")
    if name not in view.kms:
        raise ApiError("Forbidden.ResourceNotFound", "Resource not found.", 404)
    value = view.kms[name]
    return {
        "SecretName": name,
        "VersionId": "v1",
        "VersionStages": {"VersionStage": ["ACSCurrent"]},
        "SecretType": "Generic",
        "SecretDataType": "text" if isinstance(value, str) else "binary",
        "SecretData": value if isinstance(value, str) else value.decode("latin-1"),
        "CreateTime": "2026-01-01T00:00:00Z",
    }


def get_secret_parameter(view: View, query: Query) -> Body:
    """Without WithDecryption the value is left out."""
    name = query.text("Name")
    if name not in view.oos:
        raise ApiError("EntityNotExists.Parameter", "The parameter name does not exist.", 404)
    shown = {"Value": view.oos[name]} if query.flag("WithDecryption") else {}
    return {"Parameter": {"Name": name, "Type": "Secret", "ParameterVersion": 1, **shown}}


ACTIONS = {
    "GetSecretValue": Action(
        get_secret_value,
        frozenset({"SecretName", "VersionStage", "VersionId"}),
        needs_region=False,
        version="2016-01-20",
    ),
    "GetSecretParameter": Action(
        get_secret_parameter,
        frozenset({"Name", "ParameterVersion", "WithDecryption"}) | COMMON,
        needs_region=False,
        version="2019-06-01",
    ),
}
