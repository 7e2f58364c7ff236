"""A Slack bot that tells what Cloud Assistant commands really did. The map, in the order of a request:

`__main__` reads `settings` and serves the `door`. The door verifies what Slack sends, has `core.parsing` read the
words, seals a job (`jobs`) and puts it into the queue (`adapters.queue`); then it acks. It imports nothing heavy.

The queue delivers the job to `/invoke` (`web`). The `worker` takes the job's lease and hands it to Bolt, whose
`listeners` call `answering`: who asks, and where (`core.access`)? What was asked (`core.parsing`)? The sub-command
(`subcommands`) has `lookup` ask Cloud Assistant through `adapters.cloud_assistant`: `regions` knows where, `filters`
what to ask for, and `fanout` asks all at once. Then `core.summary` decides what happened and `core.messages` says it;
`adapters.slack` brings the message to the person.

`core` is pure: it may import itself and the pure part of the standard library. `adapters` may import `core` and one
SDK each. Everything else here is the shell: it acts on what the core decided. `adapters.store` keeps what must
outlive a request.
"""
