"""P1, the obvious app: Flask, Bolt and the generated ECS SDK, all imported at the start, under waitress.

It is what the tutorials of Slack and the vendor add up to: the listener acks and goes on in Bolt's thread. Function
Compute would freeze that thread after the ack; here it is allowed to run.
"""

import os
from collections import Counter
from urllib.parse import urlsplit

import waitress
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from flask import Flask, request
from slack_bolt import App
from slack_bolt.adapter.flask import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult

ACK_ONLY = bool(os.environ.get("BENCH_ACK_ONLY"))
ENDPOINT = urlsplit(os.environ["ECS_ENDPOINT"])

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
    asked = models.DescribeInvocationResultsRequest(
        region_id=os.environ["FC_REGION"], invoke_id=command["text"], max_results=50
    )
    rows = ecs.describe_invocation_results(asked).body.invocation.invocation_results.invocation_result
    counts = Counter(row.invocation_status for row in rows)
    respond(text=", ".join(f"{count} {state}" for state, count in counts.items()), response_type="in_channel")


app = Flask(__name__)
handler = SlackRequestHandler(bolt)


@app.post("/slack/events")
def slack_events():
    return handler.handle(request)


if __name__ == "__main__":
    waitress.serve(app, host="0.0.0.0", port=int(os.environ["FC_SERVER_PORT"]), threads=12)  # noqa: S104
