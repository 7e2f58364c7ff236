"""Pure decisions: no network, clock, environment, randomness or logging; time comes in as an argument.

What was typed: `words` takes typing noise away, `parsing` reads words into a `question`. What the API replied:
`model`. What happened: `summary`. How it is said: `messages`, whose `parts` are for the eye and whose `spoken`
sentences are for a phone and a screen reader; `wording` has the phrases of both, `help` the help.

What can be pressed: `buttons` carry `handles`, which are signed questions; `handoff` are ids to copy, `modal` and
`outputs` the modal of whole outputs, `pasted` finds what a message names, `watching` decides when a watch looks next.

What was before: `history` knows earlier runs of the same command and since when something fails (`since` says it),
`differences` what changed since the last one (`diff_message`), `where` what failures share.

`output`, `folding`, `masking`, `diagnosis` and `ranges` each know one thing about results; `access` decides who may
see; `blocks` knows Slack's limits, `characters` what does harm, `errors` what may go wrong.
"""
