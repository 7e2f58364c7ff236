"""The console page: the sandbox's Slack in a browser, on loopback, without any account.

`server.py` serves the page and its API, `state.py` tells what there is to see, `actions.py` does what a person
does, `elements.py` and `modals.py` know what Slack sends for it, `faults.py` lets things go wrong. The page talks
to the function only through the sandbox's Slack. `web/` holds the page's sources and `static/` what was built of
them (`npm ci && npm run build` in `web/`); without changes to the page nobody needs node.
"""

from sandbox.console.server import Console, serve

__all__ = ["Console", "serve"]
