"""A Slack bot that tells what Cloud Assistant commands really did. The map, in the order of a request:

`__main__` reads `settings` and serves the `door`. The door verifies what Slack sends, has `core.parsing` read the
words, makes a job of the request (`slack_requests`), seals it (`jobs`) and puts it into the queue (`adapters.queue`);
then it acks. It imports nothing heavy; `adapters.timed_http` keeps its few calls within the time that Slack waits.
It takes the bot token from `adapters.kept_secret`, which jobs read where it lies in KMS or OOS.

The queue delivers the job to `/invoke` (`web`). The `worker` takes the job's `lease` and hands it to Bolt, whose
`listeners` call `answering` with the `delivery` at hand (for them a `turn`): who asks, and where (`admissions`,
`core.access`)? What was asked (`core.parsing`)? The sub-command (`subcommands`) has `lookup` ask Cloud Assistant
through `adapters.cloud_assistant`: `regions` knows where, `filters` what to ask for, `kept` what was found before,
`history` what is known of earlier runs (`earlier` searches them, `comparing` puts a run beside them), and `fanout`
asks all at once; `missing` says what did not come. Where the cloud is asked is a place, a region of an account
(`core.places`); `adapters.roles` has the keys of accounts that are not our own. Then `core.summary` decides what
happened and `core.messages` says it; `adapters.slack` brings the message to the person (`adapters.slack_calls` makes
one call of Slack's).

What is pressed under an answer goes the same way to `presses`, one function each; `modals` fills the Outputs modal that
the door has opened, and `watch` takes one look after another at a run that is going (`core.watching` decides when).
`claims` keeps what is pressed twice from happening twice; `replies` knows what stands under an answer, to take it back.
What a first question does not need is imported where it is used, for it would have to wait for that too.

Cloud events and timers come to `/invoke` too: `core.events` reads them, and `notifications` queues what they ask for.
For a run that is `reporting`: one look, which decides (`core.reports`) what the channels that `subscribers` knows are
to be told; `notices` tells one channel, in one message that is kept right (`core.notices`), unless that channel has
seen it end (`seen_ends`). `system_events` tells of instances, `chores` are what timers ask for, and `orders` are the
sub-commands that leave something standing, or tell what does (`every_order` is their whole table): `digests` make the
digest of a channel, `handovers` what the next one on call must know, `health` the `status`; `what_stands` reads mutes
and missed expectations for them.

What a channel is told is held back while it is muted (`core.quiet`, `mutes`); what ought to have happened and did not
is found by `expectations`, of the wishes that `expected` knows; `attention` has the sub-commands of both. `polling`
looks where no event arrives, as `heard` knows.

Who opens the bot's Home tab gets it from `home`: what the store holds at once, what is read anew behind it, both by
`publishing`, so that the newer one is seen. `open_work` keeps who is on which run, and which watches go on.

People are spoken to in their language (`languages`) and their time zone (`zones`). What was done stands in `lines` of
the log; `audit` keeps who asked for what and who could read it, and `whoami` tells people what they may.

`core` is pure: it may import itself and the pure part of the standard library. `adapters` may import `core` and one
SDK each. Everything else here is the shell: it acts on what the core decided. `adapters.store` keeps what must
outlive a request, in SQLite or in Tablestore. Who asks first is served first: `core.manners` says how much of the
account's quota is left to people.

`commands` are for a person at a terminal (`python -m bot init`):
`core.slack_app` makes the Slack app's manifest, `doctor` tries every right and connection.
"""

__version__ = "0.1.0"
