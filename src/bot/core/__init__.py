"""Pure decisions: no network, clock, environment, randomness or logging; time comes in as an argument.

`parsing` reads what was typed, `model` what the API replied; `summary` decides what happened, `messages` how it
is said. `output`, `folding`, `masking`, `diagnosis` and `ranges` each know one thing about results; `access`
decides who may see; `blocks` knows Slack's limits.
"""
