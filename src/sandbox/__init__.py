"""The three peers of the bot on loopback, for the demo and the tests; not deployed.

`cloud.py` answers as Cloud Assistant does (the ECS API), `slack.py` as Slack, `fc.py` as Function Compute.
`real_workspace.py` puts a real Slack in the place of the first one, by `socket_mode.py`.
They speak HTTP, so that the real clients and the real door are what runs; only the far ends are ours.
Nothing here may be imported by `bot`, and nothing here imports `bot`.
"""
