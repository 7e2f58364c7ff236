"""Which language: the channel's is BOT_LANGUAGE, a person's own for what only they see. On the wire, as all of it."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core import buttons
from bot.core.errors import NotFound, UserError
from bot.core.modal import OUTPUTS
from bot.core.texts import Text, _, speaking, switch
from bot.fanout import Fanout
from bot.languages import catalogue, language_of
from rig import RUN, Rig
from sandbox.slack_workspace import DIRECT, GUEST, INCIDENTS, LUCAS, MEI

SRC = Path(__file__).parent.parent / "src"
ENGLISH, CHINESE = "1 of 3 failed", "失败 1/3"


@pytest.fixture
def rig(tmp_path, peers):
    """A bot that speaks English in channels; mei's Slack is in Chinese, lucas' in English."""
    with Rig(tmp_path, peers) as rig:
        locale(rig, MEI, "zh-CN")
        yield rig


@pytest.fixture
def chinese(tmp_path, peers):
    with Rig(tmp_path, peers, {"BOT_LANGUAGE": "zh"}) as rig:
        yield rig


def locale(rig, user, language):
    users = rig.slack.workspace.users
    users[user] = replace(users[user], locale=language)


def mention(rig, text, user=MEI):
    before = len(rig.said)
    event = {"type": "app_mention", "user": user, "channel": INCIDENTS, "text": text, "ts": "1.1"}
    assert rig.work(rig.event(event))
    return rig.said[before:]


def test_the_channel_reads_its_language_whoever_asks(rig, chinese):
    assert rig.ask(RUN, user=MEI)[0].text.startswith(ENGLISH)
    assert chinese.ask(RUN, user=LUCAS)[0].text.startswith(CHINESE)


def test_what_only_one_person_sees_is_in_their_language(rig):
    assert rig.ask(f"{RUN} private", user=MEI)[0].text.startswith(CHINESE)
    assert rig.ask(f"{RUN} private", user=LUCAS)[0].text.startswith(ENGLISH)
    assert "每台实例上的实际执行结果" in rig.ask("help", user=MEI)[0].text


def test_a_direct_message_is_read_by_one_person(rig):
    event = {"type": "message", "channel_type": "im", "user": MEI, "channel": DIRECT, "text": RUN, "ts": "1.1"}
    assert rig.work(rig.event(event))
    answer = rig.said[-1]
    assert answer.text.startswith(CHINESE)
    rig.press(answer, buttons.REFRESH, user=MEI)
    assert answer.text.startswith(CHINESE)


def test_a_language_without_a_catalogue_is_the_channels(chinese):
    locale(chinese, LUCAS, "de-DE")
    assert chinese.ask(f"{RUN} private", user=LUCAS)[0].text.startswith(CHINESE)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("t-hz0nowhere01", "没有执行记录 t-hz0nowhere01"),
        ("name:nobody", "没有名为“nobody”的实例或命令"),
        ("10.1.2.3", "没有 IP 地址为 10.1.2.3 的实例"),
        (f"{RUN} reason:oom", "3 台实例中没有符合 reason:oom 的结果"),
    ],
)
def test_an_answer_for_the_channel_that_cannot_be_given_is_refused_in_the_persons_language(rig, words, says):
    [answer] = rig.ask(words, user=MEI)
    assert (answer.ephemeral_to, says in answer.text) == (MEI, True), answer.text


def test_words_that_cannot_be_read_are_told_in_the_persons_language(rig):
    assert mention(rig, "<@UBOT> nonsense")[0].text.startswith("无法识别 `nonsense`")
    assert mention(rig, "<@UBOT> nonsense", user=LUCAS)[0].text.startswith("I cannot read `nonsense`")
    rig.slack.fail("error:internal_error", method="users.info", times=9)
    locale(rig, GUEST, "zh-CN")
    assert mention(rig, "<@UBOT> nonsense", user=GUEST)[0].text.startswith("I cannot read")


def test_who_may_not_ask_is_told_so_in_their_language(rig):
    locale(rig, GUEST, "zh-CN")
    assert rig.ask(RUN, user=GUEST)[0].text.startswith("访客无法查看命令执行结果。请联系")


def test_what_the_cloud_refuses_is_told_in_the_persons_language(rig):
    rig.cloud.fail("denied", times=9)
    assert "阿里云拒绝了" in rig.ask(RUN, user=MEI)[0].text


def test_a_watch_is_the_channels_and_so_is_who_is_on_it(rig):
    [first, *_more] = rig.ask(f"watch {RUN}", user=MEI)
    assert first.text.startswith(ENGLISH)
    [answer] = rig.ask(RUN, user=MEI)
    rig.press(answer, buttons.ON_IT, user=MEI)
    assert "On it: mei" in str(answer.blocks)


EXPECTED = "command:backup-* daily by:03:30 on:instance:db-*"


def test_what_stands_for_a_channel_is_said_in_its_language_whoever_asks(rig, chinese):
    orders = ["subscribe", "subscriptions", "mute 2h", "subscriptions", "unmute", f"expect {EXPECTED}", "expectations"]
    orders += ["unexpect", "digest daily 09:00", "digest now", "digest off", "status here", "unsubscribe"]
    for one, asks, spoken in ((chinese, LUCAS, True), (rig, MEI, False)):
        for words in orders:
            [said] = one.ask(words, user=asks)
            assert (said.channel, said.ephemeral_to) == (INCIDENTS, None), words
            assert bool(re.search("[一-龥]", said.text)) is spoken, said.text


def test_the_modal_is_the_persons(rig):
    [answer] = rig.ask(RUN, user=LUCAS)
    rig.press(answer, OUTPUTS, user=MEI)
    view = rig.slack.views[-1].content
    assert (view["title"]["text"], view["close"]["text"]) == ("输出", "关闭")
    rig.press(answer, OUTPUTS, user=LUCAS)
    assert rig.slack.views[-1].content["title"]["text"] == "Outputs"


def test_home_is_the_persons_with_what_is_kept_of_the_runs(rig):
    event = {"type": "app_home_opened", "user": MEI, "channel": DIRECT, "tab": "home", "event_ts": "1.1"}
    assert rig.work(rig.event(event))
    shown = str([call for call in rig.slack.calls if call.method == "views.publish"][-1].args["view"])
    assert "如何查询" in shown
    assert CHINESE in shown
    assert ENGLISH not in shown


def test_what_follows_a_job_is_in_the_channels_language_again(rig):
    rig.ask(f"{RUN} private", user=MEI)
    assert _("no space left") == "no space left"


def test_calls_side_by_side_speak_the_language_of_who_asked_for_them():
    with speaking(catalogue("zh")):
        replies = (
            Fanout(10.0, lambda: 0.0).together({number: lambda: _("no space left") for number in range(3)}).replies
        )
    assert set(replies.values()) == {"磁盘空间不足"}


def test_a_switch_lasts_as_long_as_what_it_is_in():
    with speaking(None):
        switch(catalogue("zh"))
        assert _("no space left") == "磁盘空间不足"
    assert _("no space left") == "no space left"


def test_an_error_is_said_in_the_language_of_who_reads_it():
    nested = UserError("Guests cannot see command results. {ask}", ask=Text("Ask the people who run this bot."))
    later = NotFound(lambda: _("no space left"))
    assert str(nested) == "Guests cannot see command results. Ask the people who run this bot."
    with speaking(catalogue("zh")):
        assert str(nested) == "访客无法查看命令执行结果。请联系本机器人的维护人员。"
        assert str(later) == "磁盘空间不足"
    assert str(UserError("as it {is}")) == "as it {is}"


def test_slack_names_languages_as_browsers_do():
    assert [language_of(one, "en") for one in ("zh-CN", "zh-TW", "en-GB", "fr-FR", "", None)] == [
        *("zh", "zh", "en", "en", "en", "en")
    ]


@pytest.mark.parametrize(("language", "loaded"), [("en", "False"), ("zh", "True")])
def test_a_door_that_speaks_english_reads_no_catalogue(language, loaded):
    program = (
        f"import sys, bot.door, bot.languages\nbot.languages.catalogue({language!r})\nprint('gettext' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    ran = subprocess.run([sys.executable, "-S", "-c", program], env=environment, capture_output=True, check=True)
    assert ran.stdout.decode().strip() == loaded
