"""Pure decisions: no network, clock, environment, randomness or logging; time comes in as an argument.

What was typed: `words` takes typing noise away, `parsing` reads words into a `question`. What leaves something
standing `orders` has read by `subscriptions`, `expectations`, `quiet` (mutes) and `daily` (digests); `values` and
`spans` are what stands in their filters.

What the API replied: `model`, of the `places` where it was asked. What happened: `summary`. How it is said:
`messages`, whose `parts` are for the eye and whose `spoken` sentences are for a phone and a screen reader; `wording`
has the phrases of both, `texts` their languages. `whole_outputs` answers `output`; `help`, `status` and `whoami` the
words of that name.

An output: `output` decodes it, `masking` hides `secrets` and numbers of people (`personal`), `folding` makes one of
those that differ in `noise` alone. Why it failed: `diagnosis`, by code, exit code or the `evidence` in an output,
from the table of `reasons`; `phrases` tell complaints from what only quotes or denies one.

What was before: `history` knows earlier runs of the same command and since when something fails (`since` says it),
`differences` what changed since the last one (`diff_message`), `where` what failures share.

What can be pressed: `buttons` carry `handles`, which are signed questions; `handoff` are ids to copy, `modal` and
`outputs` the modal of whole outputs, `pasted` finds what a message names, `watching` decides when a watch looks next.
`open_work` is who is on what and what is watched, `home` the tab that shows it.

What a channel is told: `events` come in `envelopes`; `reports` decides which runs share a message and when it is
told, `notices` what stands in the channel and what rings, `system_events` is about instances, `unmet` about what did
not happen. `digest` counts a day and `digest_message` says it, `handover` is for the next one on call; `standing`
lists subscriptions, `what_stands` mutes and what was missed.

`access` decides who may see, `audit` is what is kept of it, `manners` leave the quota to people. `blocks` knows
Slack's limits, `slack_app` its manifest, `characters` what does harm, `ranges` folds names, `errors` are what may go
wrong.
"""
