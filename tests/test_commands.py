"""`python -m bot init`, as a person starts it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import __main__ as main
from bot.adapters.tablestore_client import TABLE
from bot.commands import run
from sandbox.http import Drop
from tablestore_stub import INSTANCE, KEY_ID, NO_RIGHT, REGION, SECRET, TablestoreStub

SOURCE = Path(main.__file__).parents[1]


@pytest.fixture
def stub():
    with TablestoreStub() as stub:
        yield stub


def environment(stub, **changes):
    return {
        "BOT_STORE": f"tablestore://{INSTANCE}.{REGION}?endpoint={stub.url}",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
        **changes,
    }


def test_init_makes_the_table_and_says_so_and_nothing_else(stub):
    """Slack's secrets are not needed, and the client's warnings stay quiet."""
    for done in ("was made", "was there already"):
        ended = subprocess.run(
            [sys.executable, "-m", "bot", "init"],
            cwd=SOURCE,
            env={"PATH": os.environ["PATH"], **environment(stub)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = f"The table {TABLE} in {INSTANCE} ({REGION}) {done} and can be used.\n"
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, said, "")


def test_init_says_what_the_keys_lack(stub, capsys):
    stub.fail("CreateTable", NO_RIGHT)
    said = run(["init"], environment(stub))
    assert said.startswith("The table was not made: Tablestore: OTSNoPermissionAccess (request 0005-")
    assert "these keys may not do that" in said
    assert f"ots:CreateTable, ots:DescribeTable and ots:GetRow on acs:ots:{REGION}:*:instance/{INSTANCE}/" in said
    assert capsys.readouterr().out == ""


def test_init_says_where_it_looked_for_the_instance(stub):
    stub.fail("CreateTable", Drop)
    assert run(["init"], environment(stub)) == (
        "The table was not made: Tablestore does not answer (ProtocolError).\n"
        f"Is there an instance {INSTANCE} in {REGION}, and does this network reach {stub.url}?"
    )


def test_init_has_one_sentence_for_wrong_keys(stub):
    said = run(["init"], environment(stub, ALIBABA_CLOUD_ACCESS_KEY_SECRET="guessed"))
    assert said.endswith("the function's role or ALIBABA_CLOUD_ACCESS_KEY_ID is wrong.")


def test_init_has_nothing_to_do_for_sqlite(capsys):
    assert run(["init"], {"BOT_STORE": "sqlite:////mnt/nas/bot.sqlite3"}) == 0
    assert capsys.readouterr().out == "The store is SQLite, /mnt/nas/bot.sqlite3: there is nothing to make.\n"


def test_init_undo_deletes_the_table_and_says_so(stub, capsys):
    run(["init"], environment(stub))
    capsys.readouterr()
    for done in ("was deleted", "is not there"):
        assert run(["init", "--undo"], environment(stub)) == 0
        assert capsys.readouterr().out == f"The table {TABLE} in {INSTANCE} ({REGION}) {done}.\n"
    assert stub.tables == {}


def test_init_undo_says_what_the_keys_lack(stub):
    run(["init"], environment(stub))
    stub.fail("DeleteTable", NO_RIGHT)
    said = run(["init", "--undo"], environment(stub))
    assert said.startswith("The table was not deleted: Tablestore: OTSNoPermissionAccess")
    assert "ots:DeleteTable" in said
    assert TABLE in stub.tables


def test_init_undo_leaves_files_to_people(capsys):
    assert run(["init", "--undo"], {"BOT_STORE": "sqlite:////mnt/nas/bot.sqlite3"}) == 0
    assert capsys.readouterr().out == "The store is SQLite, /mnt/nas/bot.sqlite3: delete the file.\n"


def test_init_names_what_is_wrong_with_the_settings():
    said = run(["init"], {"BOT_STORE": "tablestore://ab.cn-hangzhou", "BOT_TIMEZONE": "Mars/Phobos"})
    assert said.startswith("Nothing was done:\n- BOT_STORE is 'tablestore://ab.cn-hangzhou'")
    assert "- BOT_TIMEZONE" in said


@pytest.mark.parametrize(
    "arguments",
    [["help"], ["init", "now"], ["--version"], ["manifest"], ["manifest", "--socket", "--url", "https://a.example"]],
)
def test_anything_else_is_answered_with_the_usage(arguments):
    with pytest.raises(SystemExit, match="Usage: python -m bot"):
        main.main(arguments)


WITHOUT = "import sys; sys.path.insert(0, '.'); from bot.__main__ import main; main(sys.argv[1:])"


@pytest.mark.parametrize("arguments", [[], ["init"]], ids=["start", "init"])
def test_without_the_client_the_start_says_how_to_get_it(stub, arguments):
    """-I and -S: no installed package can be seen."""
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", WITHOUT, *arguments],
        cwd=SOURCE,
        env=environment(stub, SLACK_SIGNING_SECRET="s", SLACK_BOT_TOKEN="xoxb-1"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert "BOT_STORE names Tablestore, but its client is not installed" in ended.stderr
    assert "Traceback" not in ended.stderr
