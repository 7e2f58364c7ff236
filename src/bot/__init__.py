"""A Slack bot that tells what Cloud Assistant commands really did. The map, in the order of a request:

`__main__` reads `settings` and serves the `door`. The door verifies what Slack sends, has `core.parsing` read the
words, makes a job of the request (`slack_requests`), seals it (`jobs`) and puts it into the queue (`adapters.queue`);
then it acks. It imports nothing heavy; `adapters.timed_http` keeps its few calls within the time that Slack waits.

The queue delivers the job to `/invoke` (`web`). The `worker` takes the job's lease and hands it to Bolt, whose
`listeners` call `answering`: who asks, and where (`core.access`)? What was asked (`core.parsing`)? The sub-command
(`subcommands`) has `lookup` ask Cloud Assistant through `adapters.cloud_assistant`: `regions` knows where, `filters`
what to ask for, `history` what is known of earlier runs (`comparing` puts a run beside them), and `fanout` asks all
at once. Then `core.summary` decides what happened and `core.messages` says it;
`adapters.slack` brings the message to the person.

What is pressed under an answer goes the same way to `presses`, one function each; `modals` fills the Outputs modal that
the door has opened, and `watch` takes one look after another at a run that is going (`core.watching` decides when).

`core` is pure: it may import itself and the pure part of the standard library. `adapters` may import `core` and one
SDK each. Everything else here is the shell: it acts on what the core decided. `adapters.store` keeps what must
outlive a request.
"""
