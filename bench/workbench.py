"""The folder where everything is measured: copies of the code with and without byte code, a certificate, a Python.

Made when first needed, gone at the end. Byte code is compiled as deploy/pack does it (unchecked-hash), and no
program may write any.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import venv
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from bench import SOURCE, TOP, far_ends, sink
from bench.far_process import FarProcess
from bench.table import NotMeasured
from sandbox.fc import ENVIRONMENT_CREDENTIALS
from sandbox.slack_workspace import BOT_TOKEN, SIGNING_SECRET

GUNICORN = "gunicorn==27.0.1"
ECS_SDK = "alibabacloud-ecs20140526"


class Workbench:
    """Use as a context manager: at its end all processes beside it are stopped and the folder is removed.

    `lean` leaves out what only P1 and P2 need.
    """

    def __init__(self, *, lean: bool = False) -> None:
        self._lean = lean
        self._temporary = tempfile.TemporaryDirectory(prefix="bench-")
        self.folder = Path(self._temporary.name)
        self._beside: list[FarProcess] = []
        self.tree = cache(self._tree)

    @cached_property
    def python(self) -> str:
        """This Python without any packages: what it imports is what a copy holds."""
        venv.create(self.folder / "python", symlinks=True, with_pip=False)
        return str(self.folder / "python" / "bin" / "python")

    def _tree(self, byte_code: bool) -> Path:
        """A folder as deploy/pack makes it: bot/, peers/ and python/, which holds the packages."""
        tree = self.folder / ("with" if byte_code else "without")
        no_caches = shutil.ignore_patterns("__pycache__")
        shutil.copytree(SOURCE / "bot", tree / "bot", ignore=no_caches)
        shutil.copytree(TOP / "bench" / "peers", tree / "peers", ignore=no_caches)
        for name in [*requirements(), *([] if self._lean else [ECS_SDK])]:
            _copy_distribution(name, tree / "python")
        if self.gunicorn is not None:
            shutil.copytree(self.gunicorn, tree / "python", dirs_exist_ok=True, ignore=no_caches)
        if byte_code:
            self.compile(tree)
        return tree

    def compile(self, folder: Path) -> None:
        command = [self.python, "-m", "compileall", "-q", "-j0", "--invalidation-mode=unchecked-hash", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    @cached_property
    def gunicorn(self) -> Path | None:
        """gunicorn, fetched into a folder of ours; None where it cannot be fetched or is not needed."""
        if self._lean:
            return None
        target = self.folder / "gunicorn"
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        fetched = subprocess.run([*pip, "--no-compile", "-t", target, GUNICORN], capture_output=True, check=False)
        return target if fetched.returncode == 0 else None

    @cached_property
    def sink(self) -> FarProcess:
        return self._started(FarProcess(sink.run, *map(str, self.certificate)))

    @cached_property
    def far_ends(self) -> FarProcess:
        return self._started(FarProcess(far_ends.run))

    def _started(self, one: FarProcess) -> FarProcess:
        self._beside.append(one)
        return one

    @cached_property
    def certificate(self) -> tuple[Path, Path]:
        """A throwaway certificate for 127.0.0.1 and its key."""
        made, key = self.folder / "sink.pem", self.folder / "sink.key"
        if shutil.which("openssl") is None:
            raise NotMeasured("there is no openssl to make the queue's certificate with")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run([*command, "-keyout", key, "-out", made], check=True, capture_output=True)
        return made, key

    @cached_property
    def bundle(self) -> Path:
        """The system's certificate authorities and ours in one file, so that reading them costs what it costs."""
        bundle = self.folder / "authorities.pem"
        bundle.write_bytes(Path(_system_bundle()).read_bytes() + b"\n" + self.certificate[0].read_bytes())
        return bundle

    @cached_property
    def hashed(self) -> Path | None:
        """The same as a folder of hashed names, as Debian has it; None where the system has none."""
        system = os.environ.get("SSL_CERT_DIR") or ssl.get_default_verify_paths().openssl_capath
        known = sorted(Path(system).glob("*.[0-9]"))
        if not known:
            return None
        folder = self.folder / "authorities"
        folder.mkdir()
        for certificate in known:
            (folder / certificate.name).symlink_to(certificate.resolve())
        command = ["openssl", "x509", "-hash", "-noout", "-in", self.certificate[0]]
        name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        shutil.copy(self.certificate[0], folder / f"{name}.0")
        return folder

    def environment(self, *, byte_code: bool, one_bundle: bool = False) -> dict[str, str]:
        """What Function Compute and template.yml give the function, with the far ends on loopback.

        Certificate authorities are found where the system has them, in a folder if it can be; with `one_bundle` they
        are one file, which somebody has named.
        """
        slack, cloud = self.far_ends.ask("addresses")
        tree = self.tree(byte_code)
        as_folder = self.hashed is not None and not one_bundle
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": f"{tree}:{tree / 'python'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            **({"SSL_CERT_DIR": str(self.hashed)} if as_folder else {"SSL_CERT_FILE": str(self.bundle)}),
            "REQUESTS_CA_BUNDLE": str(self.bundle),  # the peers' client reads this one, wherever it is
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": f"{slack}/api/",
            "ECS_ENDPOINT": cloud,
            "FC_ENDPOINT": f"https://127.0.0.1:{self.sink.ask('address')}",
            "BOT_REGIONS": far_ends.REGION,
            **sink.FUNCTION.environment(ENVIRONMENT_CREDENTIALS),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._beside:
            one.__exit__(kind, error, trace)
        self._temporary.cleanup()


def _system_bundle() -> str:
    """The system's authorities in one file; where it has none, those that the peers' client brings."""
    if system := ssl.get_default_verify_paths().cafile:
        return system
    import certifi

    return certifi.where()


def requirements() -> list[str]:
    """The distributions that run in production."""
    lines = (TOP / "requirements.txt").read_text().splitlines()
    return [line.split("==")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


def _copy_distribution(name: str, folder: Path) -> None:
    """One installed distribution, without byte code and console scripts."""
    distribution = importlib.metadata.distribution(name)
    for file in distribution.files or ():
        source = Path(str(distribution.locate_file(file)))
        if file.suffix == ".pyc" or ".." in file.parts or not source.is_file():
            continue
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
