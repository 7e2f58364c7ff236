"""P3, the right design by Bolt's own means: its AWS Lambda adapter, ported to Function Compute.

The ack makes an asynchronous call of the same function (InvokeFunction, through the official Tea client), and Bolt's
lazy listener does the work there, with all the time it needs. Flask and waitress carry both requests.
"""

import json
import os
from collections import Counter
from urllib.parse import urlsplit

import waitress
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions
from flask import Flask, Response, request
from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.lazy_listener import LazyListenerRunner

FUNCTION = os.environ["FC_FUNCTION_NAME"]
INVOKE = Params(
    action="InvokeFunction",
    version="2023-03-30",
    protocol="HTTPS",
    pathname=f"/2023-03-30/functions/{FUNCTION}/invocations",
    method="POST",
    auth_type="AK",
    style="ROA",
    req_body_type="json",
    body_type="binary",
)
DESCRIBE = Params(
    action="DescribeInvocationResults",
    version="2014-05-26",
    protocol="HTTPS",
    pathname="/",
    method="POST",
    auth_type="AK",
    style="RPC",
    req_body_type="formData",
    body_type="json",
)


def client(address):
    target = urlsplit(address)
    return Client(
        Config(
            access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
            access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
            security_token=os.environ["ALIBABA_CLOUD_SECURITY_TOKEN"],
            protocol=target.scheme,
            endpoint=target.netloc,
        )
    )


class InvokeFunctionRunner(LazyListenerRunner):
    """Bolt's LambdaLazyListenerRunner with InvokeFunction in the place of Lambda's Invoke."""

    def __init__(self, logger):
        self.logger = logger
        self.client = client(os.environ["FC_ENDPOINT"])

    def start(self, function, request):
        headers = {name: values[0] for name, values in request.headers.items()}
        headers["x-slack-bolt-lazy-only"] = "1"
        headers["x-slack-bolt-lazy-function-name"] = request.lazy_function_name
        event = json.dumps({"body": request.raw_body, "headers": headers}).encode()
        asynchronous = {"x-fc-invocation-type": "Async"}
        self.client.call_api(INVOKE, OpenApiRequest(headers=asynchronous, stream=event), RuntimeOptions())


bolt = App(
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
    process_before_response=True,
    authorize=lambda: AuthorizeResult(
        enterprise_id=None, team_id=None, bot_user_id="U0", bot_token=os.environ["SLACK_BOT_TOKEN"]
    ),
)
bolt.listener_runner.lazy_listener_runner = InvokeFunctionRunner(bolt.logger)
ecs = client(os.environ["ECS_ENDPOINT"])


def acknowledge(ack):
    ack(response_type="in_channel")


def answer(command, respond):
    query = {"RegionId": os.environ["FC_REGION"], "InvokeId": command["text"], "MaxResults": 50}
    reply = ecs.call_api(DESCRIBE, OpenApiRequest(query=Utils.query(query)), RuntimeOptions())
    rows = reply["body"]["Invocation"]["InvocationResults"]["InvocationResult"]
    counts = Counter(row["InvocationStatus"] for row in rows)
    respond(text=", ".join(f"{count} {state}" for state, count in counts.items()), response_type="in_channel")


bolt.command("/cloudassist")(ack=acknowledge, lazy=[answer])
app = Flask(__name__)


@app.post("/slack/events")
def slack_events():
    return dispatched(request.get_data(as_text=True), dict(request.headers))


@app.post("/invoke")
def invoke():
    event = json.loads(request.get_data())
    return dispatched(event["body"], event["headers"])


def dispatched(body, headers):
    reply = bolt.dispatch(BoltRequest(body=body, headers=headers))
    return Response(reply.body, reply.status, reply.first_headers())


if __name__ == "__main__":
    waitress.serve(app, host="0.0.0.0", port=int(os.environ["FC_SERVER_PORT"]), threads=12)  # noqa: S104
