"""A short storm of everything at once; `make chaos` is the long one."""

from pathlib import Path

import pytest

from chaos import Chaos

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="memory and limits are read as Linux tells them")


def test_each_question_is_answered_once_and_no_failing_run_is_lost_whatever_breaks():
    report = Chaos(seed=2, commands=14, events=10, per_round=7, instances=10).run()
    assert report.problems == [], str(report)
    assert report.told == 1
    assert report.kills + report.freezes > 0
