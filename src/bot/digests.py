"""The digest of a channel: set, worked off by the timer, asked for now.

A row `digest/{channel}` says when it is due next. The timer queues a job whose id names channel and due time, and then
moves the row on: whoever dies in between is followed by one that queues the same id, which the queue and the job's
lease know, so that each digest goes out once. One that is late by days goes out once too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from bot import subscribers, what_stands
from bot.adapters.cloud_assistant import THROTTLES
from bot.adapters.slack import CANNOT_POST, LOST, REFUSED_BLOCKS, Place
from bot.adapters.store import FOR_EVER, StoreError
from bot.core import access, digest, digest_message, messages
from bot.core.access import Admission
from bot.core.blocks import Message
from bot.core.daily import DAILY, OFF, Wish, next_due
from bot.core.digest_message import CHART, Around
from bot.core.errors import CloudError, SlackError, Throttled
from bot.core.manners import Priority, wait_after
from bot.core.subscriptions import Subscription, told
from bot.core.texts import N_, _, listed, pgettext
from bot.jobs import DIGEST, Job, job_id
from bot.lookup import Found
from bot.zones import zone_of

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.turn import Turn

log = logging.getLogger("bot.digests")

MOST_RUNS = 500  # of one region in two days: ten pages
_NO_CHARTS = 7 * 86_400.0  # seconds for which a workspace that refused a chart is sent none
_PREFIX = "digest/"

_NAMELESS = N_(
    "I could read neither names nor tags of instances (ecs:DescribeInstances), so only those that a subscription names "
    "by id are counted."
)

# Set and told


Row = dict[str, Any] | None


def change(answering: Answering, by: Admission, place: Place, wish: Wish) -> tuple[Row, Row, str]:
    """What is wished for the channel: what stands, what is to stand, and a sentence. Raises StoreError."""
    record = answering.store.get(_key(place.channel_id), answering.now)
    before = record.value if record else None
    if wish.what == OFF:
        if before:
            return before, None, _("No daily digest any more; ended by {who}.", who=by.name)
        return None, None, _("There is no daily digest here.")
    if wish.what == DAILY:
        due = next_due(wish.at, by.zone, answering.now)
        value = {
            "team": place.team_id,
            "channel": place.channel_id,
            "at": wish.at,
            "by": place.user_id,
            "by_name": by.name,
            "due": due,
            **_zone_value(by.zone, answering.now),
        }
        first = _moment(due, by.zone)
        text = N_("A digest comes {when}, the first on {day}. Asked for by {who}.")
        return before, value, _(text, when=_when(value), day=first, who=by.name)
    if before is None:
        return None, None, _("There is no daily digest here. Begin with: digest daily 09:00")
    next_one = _moment(before["due"], _zone(answering, before))
    text = N_("A digest comes {when}, the next on {day}. Asked for by {who}.")
    return before, before, _(text, when=_when(before), day=next_one, who=before["by_name"])


def keep(answering: Answering, channel_id: str, row: Row) -> None:
    """What stands from now on, None for no digest. Raises StoreError."""
    if row is None:
        answering.store.delete(_key(channel_id))
    else:
        answering.store.put(_key(channel_id), row, answering.now + FOR_EVER)


def _key(channel_id: str) -> str:
    return f"{_PREFIX}{channel_id}"


def _when(value: Mapping[str, Any]) -> str:
    return _("daily at {time} {zone}", time=value["at"], zone=value["tz"])


def _moment(seconds: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(zone):%Y-%m-%d}"


def _zone_value(zone: tzinfo, now: float) -> dict[str, Any]:
    """A zone by its name, with its offset for where the name is not known: as Slack has it of a person."""
    offset = datetime.fromtimestamp(now, UTC).astimezone(zone).utcoffset() or timedelta(0)
    return {"tz": str(zone), "tz_offset": int(offset.total_seconds())}


def _zone(answering: Answering, value: Mapping[str, Any]) -> tzinfo:
    return zone_of(value, answering.settings.timezone)


# Worked off


def start_due(answering: Answering, turn: Turn) -> None:
    """Queues each digest that is due, and says when the next one is. Raises StoreError and QueueRefused."""
    now = answering.now
    for record in answering.store.list(_PREFIX, now):
        value = record.value
        if value["due"] > now:
            continue
        name = job_id("digest", f"{value['channel']}-{int(value['due'])}")
        turn.follow(Job(DIGEST, name, int(now), dict(value)), 0)
        after = {**value, "due": next_due(value["at"], _zone(answering, value), now)}
        answering.store.put(record.key, after, now + FOR_EVER, version=record.version)


def post(answering: Answering, turn: Turn, payload: Mapping[str, Any]) -> None:
    """Makes one digest and posts it. Raises SlackError where Slack asks to wait, and StoreError."""
    channel, zone = str(payload["channel"]), _zone(answering, payload)
    if not answering.admissions.may_tell(channel):
        log.warning("no digest, since BOT_CHANNELS does not name it: %s", channel)
        return
    if answering.store.get(_key(channel), answering.now) is None:
        log.info("no digest, since it was ended meanwhile: %s", channel)
        return
    turn.audit(DIGEST)
    wait = _crowded(answering)
    if wait and turn.patient:
        turn.again(wait)
    try:
        reason = _("digest {when}, set by {who}", when=_when(payload), who=payload["by_name"])
        message = _message(answering, turn, channel, zone, reason)
    except Throttled as error:
        if turn.patient:
            turn.again(error.wait)
        message = _failed(error)
    except CloudError as error:
        message = _failed(error)
    try:
        _post(answering, turn, str(payload["team"]), channel, message)
    except SlackError as error:
        if error.code not in LOST:
            raise
        log.error("channel lost (%s), its digest is ended: %s", error.code, channel)
        answering.store.delete(_key(channel))


def now(answering: Answering, turn: Turn, by: Admission, place: Place) -> Message | None:
    """A digest that somebody asks for: to the channel, or for them alone where we cannot post. Raises CloudError."""
    message = _message(answering, turn, place.channel_id, by.zone, _("asked by {who}", who=by.name))
    try:
        _post(answering, turn, place.team_id, place.channel_id, message, place.thread_ts)
    except SlackError as error:
        if error.code not in CANNOT_POST:
            raise
        return digest_message.without_chart(message)
    return None


def _crowded(answering: Answering) -> float:
    """Seconds until a digest may start: not within a minute of a throttle in any of our regions. Raises StoreError."""
    marks = answering.store.list(THROTTLES, answering.now)
    ours = [one for one in marks if one.key.split("/", 2)[-1] in answering.settings.regions]
    return max((wait_after(one.value["until"], Priority.DIGESTS, answering.now) for one in ours), default=0.0)


def _failed(error: CloudError) -> Message:
    return messages.noted(
        messages.cloud_error(error), _("This was to be the daily digest; the next one comes tomorrow.")
    )


def _message(answering: Answering, turn: Turn, channel: str, zone: tzinfo, reason: str) -> Message:
    """Raises CloudError where nothing could be read, and StoreError."""
    here = [one.subscription for one in subscribers.in_channel(answering.store, channel, answering.now)]
    limit = answering.admissions.limit_of(channel)
    regions = limit.among(digest.regions_of(here, answering.settings.regions))
    lookup, until = answering.lookup(turn, limit), datetime.fromtimestamp(answering.now, UTC)
    found, cut = lookup.since(regions, until - 2 * digest.DAY, MOST_RUNS)
    filtered, targets = any(one.instances or one.tags for one in here), _targets(found)
    instances = lookup.named_instances(targets) if filtered else {}
    nameless = [_(_NAMELESS)] if filtered and targets and not instances else []
    made = digest.made(found.invocations, here, instances, until)
    instances = instances or lookup.named_instances(digest_message.named(made))
    around = Around(
        now=datetime.fromtimestamp(answering.now, UTC),
        read_at=datetime.fromtimestamp(found.read_at, UTC),
        zone=zone,
        reason=reason,
        scope=_scope(here, regions),
        instances=instances,
        cut=cut,
        silent=(*found.notes, *nameless),
        limited=access.only(limit) if limit else "",
    )
    stands = what_stands.of_channel(answering.store, channel, answering.now)
    return digest_message.message(made, stands, around)


def _targets(found: Found) -> list[tuple[str, str]]:
    return list({(run.region, target.instance_id): None for run in found.invocations for target in run.targets})


def _scope(here: list[Subscription], regions: tuple[str, ...]) -> str:
    about = [told(one) for one in here if one.of_runs]
    if not about:
        return _("all of {regions}", regions=listed(regions))
    shown = [*about[:3], *(["…"] if len(about) > 3 else [])]
    return _("about {what}", what=pgettext("between sentences of one", "; ").join(shown))


def _post(answering: Answering, turn: Turn, team_id: str, channel: str, message: Message, thread_ts: str = "") -> None:
    """With its chart, where the workspace takes one; a refusal is remembered for a while.

    Raises SlackError and StoreError.
    """
    key = f"no-charts/{team_id}"
    charted = any(block["type"] == CHART for block in message.blocks)
    if charted and not answering.store.get(key, answering.now):
        try:
            turn.post_to(channel, message, thread_ts, whole=True)
        except SlackError as error:
            if error.code not in REFUSED_BLOCKS:
                raise
            log.warning("this workspace takes no charts yet: %s", error)
            _remember(answering, key)
        else:
            return
    turn.post_to(channel, digest_message.without_chart(message), thread_ts)


def _remember(answering: Answering, key: str) -> None:
    try:
        answering.store.put(key, {}, answering.now + _NO_CHARTS)
    except StoreError:
        log.warning("not kept: %s", key)
