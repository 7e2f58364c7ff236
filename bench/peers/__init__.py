"""What ours is compared with: small, fair programs that a person might have written instead, one file each.

All of them ack the same signed slash command. They are spared what Bolt would do besides (`auth.test` at the first
request), and with BENCH_ACK_ONLY they do nothing after the ack. Their environment is the bot's own.
"""
