"""The numbers of the README, measured on this machine: `python -m bench [row …] [--rounds N] [--quick]`.

Ours, three peers and a floor start from fresh copies, meet the same requests and take turns within each row, so
that one noisy minute hits all of them. Everything is on loopback; nothing is left behind.

`rows` names what is measured; `cold`, `warm`, `package`, `imports`, `rendering` and `asking` measure it; `table`
prints it. `workbench` makes the copies, `programs` starts them, `quota` takes CPU away from them. `sink` (Function
Compute's queue) and `far_ends` (Slack and Cloud Assistant) run in processes of their own, so that they never wait
for our interpreter lock, nor we for theirs.
"""

import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SOURCE = TOP / "src"

if str(SOURCE) not in sys.path:
    sys.path.insert(0, str(SOURCE))
