"""`python -m sandbox`, as a person starts it."""

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"


def run(*words: str, typed: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", *words], cwd=SOURCE, input=typed, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_one_question_is_answered_and_that_is_all() -> None:
    shown = run("t-hz0m9x3bw7ft5d")
    assert shown.startswith("/cloudassist t-hz0m9x3bw7ft5d\n")
    assert "✖ 3 of 120 failed, 1 timed out, 2 never ran: renew-certificate, cn-hangzhou" in shown
    assert shown.count("the channel sees this") == 1


def test_three_samples_then_what_is_typed_until_there_is_no_more() -> None:
    shown = run(typed="fialed\n")
    assert "✖ 7 of 240 failed, 2 never ran: deploy-web, 2 regions" in shown
    assert "failed 72 times in a row" in shown
    assert "读" not in shown
    assert "Did you mean `failed`?" in shown
    assert shown.count("the channel sees this") == 3
    assert shown.count("only you see this") == 1
