"""Refusals in the form of the ECS API: `{RequestId, HostId, Code, Message, Recommend}` and an HTTP status.

KMS has codes of its own for two of them: those that the vendor's KMS clients look for.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.http import Reply, json_reply


class ApiError(Exception):
    """One refusal. `code` is what clients tell refusals apart by; `status` is the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
        self.details = dict(details or {})


def request_id() -> str:
    return str(uuid.uuid4()).upper()


def error_reply(error: ApiError, headers: Mapping[str, str] | None = None) -> Reply:
    number = request_id()
    body = {
        "RequestId": number,
        "HostId": "ecs.aliyuncs.com",
        "Code": error.code,
        "Message": error.message,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={error.code}&product=Ecs&requestId={number}",
        **error.details,
    }
    return json_reply(body, error.status, **{"x-acs-request-id": number, **(headers or {})})


def forbidden(action: str) -> ApiError:
    """RAM's no to a call that the caller's policies do not allow."""
    if action == "GetSecretValue":
        return ApiError("Forbidden.NoPermission", "This operation is forbidden by permission system.", 403)
    detail = {
        "AuthAction": f"{'oos' if action == 'GetSecretParameter' else 'ecs'}:{action}",
        "AuthPrincipalType": "AssumedRoleUser",
        "AuthPrincipalDisplayName": "slack-bot-reader",
        "NoPermissionType": "ImplicitDeny",
        "PolicyType": "AccountLevelIdentityBasedPolicy",
    }
    message = "User not authorized to operate on the specified resource, or this API doesn't support RAM."
    return ApiError("Forbidden.RAM", message, 403, {"AccessDeniedDetail": detail})


def throttled(action: str) -> ApiError:
    if action == "GetSecretValue":
        return ApiError("Rejected.Throttling", "QPS Limit Exceeded", 429)
    return ApiError("Throttling.User", "Request was denied due to user flow control.")
