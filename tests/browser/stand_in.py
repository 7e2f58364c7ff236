"""A tiny app behind the sandbox's Slack: it answers every kind of request, so that the page can be tried whole."""

import json
import threading
from urllib.parse import parse_qs

from slack_sdk import WebClient

from sandbox.http import Peer, Reply, Request, json_reply
from sandbox.slack import sign
from sandbox.slack_workspace import BOT_TOKEN, SIGNING_SECRET


def text(words, kind="plain_text"):
    return {"type": kind, "text": words}


def button(action_id, label, **more):
    return {"type": "button", "action_id": action_id, "text": text(label), "value": action_id, **more}


def option(value):
    return {"text": text(value.title()), "value": value}


CONFIRM = {
    "title": text("Take back?"),
    "text": text("Everyone loses this answer."),
    "confirm": text("Take back"),
    "deny": text("Keep"),
}
BUTTONS = {
    "type": "actions",
    "block_id": "acts",
    "elements": [
        button("update", "Update", style="primary", accessibility_label="Update: deploy-web"),
        button("open", "Open"),
        button("broken", "Broken"),
        button("sure", "Take back", style="danger", confirm=CONFIRM),
        {
            "type": "static_select",
            "action_id": "pick",
            "placeholder": text("Pick a region"),
            "options": [option("hangzhou"), option("hongkong")],
        },
        {"type": "overflow", "action_id": "more", "options": [option("share"), option("mute")]},
    ],
}
LONG = (
    "2026-11-24 03:00:01 tar: /var/www/app/releases/4.12.0/static/assets/vendor/bundle.min.js: No space left on device"
)
TABLE = {
    "type": "data_table",
    "caption": "Failed instances",
    "rows": [
        [{"type": "raw_text", "text": "Instance"}, {"type": "raw_text", "text": "Exit code"}],
        [{"type": "raw_text", "text": "web-01"}, {"type": "raw_number", "value": 1, "text": "1"}],
    ],
}
ZOO = [
    {"type": "header", "text": {**text("✖ 2 of 9 failed :tada: stays"), "emoji": False}},
    {
        "type": "context",
        "elements": [text("asked by <@U0MEI00001> · ran <!date^1764000000^{date_num}|then>", "mrkdwn")],
    },
    {"type": "section", "text": text("A *section* with `code`", "mrkdwn"), "accessory": button("beside", "Beside")},
    {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "Output", "style": {"bold": True}}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": f"{LONG}\n<!channel> 磁盘 已满"}]},
        ],
    },
    TABLE,
    {"type": "image", "image_url": "https://pictures.example/graph.png", "alt_text": "Disk usage over a day"},
    {"type": "hologram", "title": text("Not yet known"), "depth": 3},
    BUTTONS,
]
HOME = {"type": "home", "blocks": [{"type": "section", "text": text("Your *recent* runs", "mrkdwn")}]}


def modal(**more):
    note = {
        "type": "input",
        "block_id": "note",
        "label": text("Note"),
        "element": {"type": "plain_text_input", "action_id": "text"},
    }
    return {
        "type": "modal",
        "title": text("Outputs"),
        "submit": text("Save"),
        "close": text("Not now"),
        "blocks": [
            {
                "type": "actions",
                "block_id": "filter",
                "elements": [
                    {
                        "type": "static_select",
                        "action_id": "state",
                        "placeholder": text("Which"),
                        "options": [option("failed"), option("all")],
                    },
                    button("deeper", "One instance"),
                ],
            },
            note,
        ],
        **more,
    }


class StandIn(Peer):
    """Keeps what it was `asked`; whatever is not signed rightly raises, and fails the test."""

    def __init__(self, slack):
        super().__init__()
        self.asked = []
        self.client = WebClient(BOT_TOKEN, base_url=f"{slack.url}/api/")
        self.hold = threading.Event()
        self.hold.set()

    def handle(self, request: Request) -> Reply:
        stamp = request.headers["x-slack-request-timestamp"]
        assert request.headers["x-slack-signature"] == sign(SIGNING_SECRET, stamp, request.body)["X-Slack-Signature"]
        if request.headers["content-type"].startswith("application/json"):
            return self._event(json.loads(request.body)["event"])
        form = {key: value[0] for key, value in parse_qs(request.body.decode(), keep_blank_values=True).items()}
        if "command" in form:
            return self._command(form)
        payload = json.loads(form["payload"])
        self.asked.append(payload)
        return getattr(self, f"_{payload['type']}")(payload)

    def _command(self, form):
        self.asked.append(form)
        if form["text"] == "private":
            return json_reply({"text": "Only for you."})
        self.client.chat_postMessage(channel=form["channel_id"], text="2 of 9 failed: deploy-web.", blocks=self._zoo())
        return json_reply({"response_type": "in_channel"})

    def _zoo(self):
        # The sandbox refuses unknown blocks, as Slack does; the page must be ready for what Slack will have next.
        return [block for block in ZOO if block["type"] != "hologram"]

    def _event(self, event):
        self.asked.append(event)
        if event["type"] == "app_home_opened":
            self.client.views_publish(user_id=event["user"], view=HOME)
        else:
            thread = event.get("thread_ts") or (event["ts"] if event["type"] == "app_mention" else None)
            self.client.chat_postMessage(channel=event["channel"], text="I heard you.", thread_ts=thread)
        return Reply()

    def _block_actions(self, payload):
        self.hold.wait(2)
        action = payload["actions"][0]
        act = getattr(self, f"_press_{action['action_id']}", None)
        return (act(payload, action) if act else None) or Reply()

    def _press_update(self, payload, action):
        place = {"channel": payload["channel"]["id"], "ts": payload["container"]["message_ts"]}
        done = [{**ZOO[0], "text": text("Updated in place")}, BUTTONS]
        self.client.chat_update(**place, text="Updated in place.", blocks=done)

    def _press_pick(self, payload, action):
        chosen = action["selected_option"]["value"]
        self.client.chat_postMessage(channel=payload["channel"]["id"], text=f"Picked {chosen}.")

    def _press_more(self, payload, action):
        self.client.chat_postEphemeral(
            channel=payload["channel"]["id"],
            user=payload["user"]["id"],
            text=f"Chose {action['selected_option']['value']}.",
        )

    def _press_sure(self, payload, action):
        self.client.chat_delete(channel=payload["channel"]["id"], ts=payload["container"]["message_ts"])

    def _press_broken(self, payload, action):
        return Reply(500)

    def _press_open(self, payload, action):
        self.client.views_open(trigger_id=payload["trigger_id"], view=modal(notify_on_close=True))

    def _press_state(self, payload, action):
        shown = {"type": "section", "text": text(f"Shows {action['selected_option']['value']}", "mrkdwn")}
        self.client.views_update(view_id=payload["view"]["id"], view=modal(blocks=[*modal()["blocks"], shown]))

    def _press_deeper(self, payload, action):
        pushed = {"type": "modal", "title": text("web-01"), "blocks": [{"type": "section", "text": text(LONG)}]}
        self.client.views_push(trigger_id=payload["trigger_id"], view=pushed)

    def _view_submission(self, payload):
        note = payload["view"]["state"]["values"]["note"]["text"]["value"]
        if note == "bad":
            return json_reply({"response_action": "errors", "errors": {"note": "Say more."}})
        self.client.chat_postMessage(channel="C0INCIDENT", text=f"Noted: {note}")
        return Reply()

    def _view_closed(self, payload):
        return Reply()

    def _message_action(self, payload):
        self.client.chat_postEphemeral(
            channel=payload["channel"]["id"],
            user=payload["user"]["id"],
            text=f"Shortcut on {payload['message']['ts']}.",
        )
        return Reply()

    def _shortcut(self, payload):
        self.client.views_open(trigger_id=payload["trigger_id"], view=modal())
        return Reply()
