"""What deploy/pack makes, made for good: twice at the same time, in two folders, which takes about half a minute."""

import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sandbox.stage import Stage
from template_checks import load

TOP = Path(__file__).resolve().parent.parent
PACK = TOP / "deploy" / "pack"
RUN = "t-hz0jdfwd9f"


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> list[Path]:
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if python is None:
        pytest.skip("no python3.11, which packing needs")
    folders = [tmp_path_factory.mktemp(name) / "code" for name in ("first", "a-second-of-another-length")]
    started = [
        subprocess.Popen([python, PACK, "--into", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for folder in folders
    ]
    ended = [(one.communicate(timeout=300), one.returncode) for one in started]
    assert [status for _, status in ended] == [0, 0], ended
    return folders


def zipped(folder: Path) -> bytes:
    """As a tool would that takes times and rights from the files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def unpacked(packages, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(io.BytesIO(zipped(packages[0]))) as archive:
        archive.extractall(folder)
    return folder


def test_the_same_input_makes_the_same_package_to_the_byte(packages):
    first, second = map(zipped, packages)
    assert first == second


def test_it_is_small(packages):
    assert len(zipped(packages[0])) < 10_000_000  # 12 MB is the limit; what is over this came unnoticed


def test_every_module_comes_with_byte_code_that_is_not_checked(packages):
    for source in packages[0].rglob("*.py"):
        code = (source.parent / "__pycache__" / f"{source.stem}.cpython-311.pyc").read_bytes()[:8]
        assert int.from_bytes(code[4:], "little") == 0b01, source


def test_it_names_no_folder_of_the_machine_it_was_made_on(packages):
    for folder in packages:
        told = [str(path) for path in folder.rglob("*.pyc") if str(folder).encode() in path.read_bytes()]
        assert told == []


def started(folder: Path) -> dict:
    """As template.yml starts it, but from another folder, and without the packages of this machine (-S)."""
    function = load((TOP / "template.yml").read_text())["resources"]["bot"]["props"]
    paths = function["environmentVariables"]["PYTHONPATH"].replace("/code", str(folder))
    command = [sys.executable, "-S", *function["customRuntimeConfig"]["args"]]
    return {"command": command, "environment": {"PYTHONPATH": paths}, "directory": folder}


def test_it_answers_a_signed_command_from_an_empty_folder_with_no_other_packages(unpacked):
    with Stage(**started(unpacked)) as stage:
        [answer] = stage.ask(RUN, delayed=False)
        assert RUN in str(answer.blocks)
        assert answer.via == "response_url"
        assert stage.cloud.count("DescribeInvocationResults") > 0
        assert stage.slack.refused == []


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the package is for Python 3.11")
def test_it_prints_its_own_manifest(unpacked):
    how = started(unpacked)
    ended = subprocess.run(
        [*how["command"], "manifest", "--url", "https://bot.fcapp.run"],
        cwd=unpacked,
        env=how["environment"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("https://bot.fcapp.run/slack/events") == 3


def test_nothing_is_packed_over_a_folder_that_holds_something_else(tmp_path):
    (tmp_path / "letter.txt").touch()
    ended = subprocess.run([sys.executable, PACK, "--into", tmp_path], capture_output=True, text=True, check=False)
    assert (ended.returncode, list(tmp_path.iterdir())) == (1, [tmp_path / "letter.txt"])
    assert "holds something else" in ended.stderr or "no python3.11" in ended.stderr


@pytest.mark.parametrize("name", ["requirements", "requirements-tablestore"])
def test_each_required_version_is_locked_by_its_hash(name):
    [required] = [path for path in (TOP / f"{name}.txt", TOP / "deploy" / f"{name}.txt") if path.is_file()]
    locked = (TOP / "deploy" / f"{name}.lock").read_text().splitlines()[1:]
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in locked)
    versions = [line for line in required.read_text().splitlines() if line[:1] not in ("", "#")]
    assert [line.split(" ")[0] for line in locked] == versions
