"""P2, the lean app: Bolt's own WSGI adapter under gunicorn (gthread) with the generic Tea client.

It stands for those who leave out Flask and the generated SDK, which are the heaviest parts. The listener acks and
goes on in Bolt's thread, as in P1.
"""

import os
from collections import Counter
from urllib.parse import urlsplit

from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions
from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult

ACK_ONLY = bool(os.environ.get("BENCH_ACK_ONLY"))
ENDPOINT = urlsplit(os.environ["ECS_ENDPOINT"])
ACTION = Params(
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

bolt = App(
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
    authorize=lambda: AuthorizeResult(
        enterprise_id=None, team_id=None, bot_user_id="U0", bot_token=os.environ["SLACK_BOT_TOKEN"]
    ),
)
ecs = Client(
    Config(
        access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        security_token=os.environ["ALIBABA_CLOUD_SECURITY_TOKEN"],
        protocol=ENDPOINT.scheme,
        endpoint=ENDPOINT.netloc,
    )
)


@bolt.command("/cloudassist")
def slash_command(ack, command, respond):
    ack(response_type="in_channel")
    if ACK_ONLY:
        return
    query = {"RegionId": os.environ["FC_REGION"], "InvokeId": command["text"], "MaxResults": 50}
    reply = ecs.call_api(ACTION, OpenApiRequest(query=Utils.query(query)), RuntimeOptions())
    rows = reply["body"]["Invocation"]["InvocationResults"]["InvocationResult"]
    counts = Counter(row["InvocationStatus"] for row in rows)
    respond(text=", ".join(f"{count} {state}" for state, count in counts.items()), response_type="in_channel")


app = SlackRequestHandler(bolt)
