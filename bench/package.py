"""What is deployed, zipped, byte code included."""

from __future__ import annotations

import importlib.metadata
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from bench import TOP
from bench.options import Options
from bench.table import OURS, P1, P2, P3, Line, NotMeasured, at_most
from bench.workbench import ECS_SDK, Workbench, requirements

_WEB = {"Flask", "Werkzeug", "Jinja2", "MarkupSafe", "itsdangerous", "blinker", "click", "waitress"}


def package(workbench: Workbench, options: Options) -> list[Line]:
    own, note = _ours()
    notes = [note, "package: the peers' are as pip installs them, with byte code, not trimmed"]
    if options.quick:
        return [Line("deployed package, zipped", "MB", own, at_most(12, "MB"), notes=notes[:1])]
    python = workbench.tree(True) / "python"
    everything = set(requirements())
    sizes = {
        **own,
        P1: [zipped(_files(everything | {ECS_SDK}, python), python)],
        P3: [zipped(_files(everything, python), python)],
    }
    if workbench.gunicorn is not None:
        server = [python / name.name for name in workbench.gunicorn.iterdir()]
        sizes[P2] = [zipped([*_files(everything - _WEB, python), *_within(server)], python)]
    return [Line("deployed package, zipped", "MB", sizes, at_most(12, "MB"), notes=notes)]


def _ours() -> tuple[dict[str, list[float]], str]:
    """The size of dist/, else of one packed in a folder of its own; and a sentence that says which."""
    dist = TOP / "dist"
    if dist.is_dir():
        return {OURS: [zipped(_within([dist]), dist)]}, "package: ours is dist/ as it lies there"
    try:
        with tempfile.TemporaryDirectory(prefix="bench-pack-") as folder:
            dist = _packed(Path(folder))
            return {OURS: [zipped(_within([dist]), dist)]}, "package: ours is packed now, by deploy/pack"
    except NotMeasured as error:
        return {}, f"package: ours not measured: {error}"


def _packed(folder: Path) -> Path:
    """deploy/pack builds beside itself, so that it is copied first."""
    python = shutil.which("python3.11") if sys.version_info[:2] != (3, 11) else sys.executable
    if python is None:
        raise NotMeasured("there is no dist/ and no python3.11 to pack it with")
    shutil.copytree(TOP / "src" / "bot", folder / "src" / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TOP / "deploy", folder / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "src" / "index.py", folder / "src")
    shutil.copy(TOP / "requirements.txt", folder)
    run = subprocess.run([python, folder / "deploy" / "pack"], cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode:
        raise NotMeasured(f"deploy/pack failed: {(run.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    return folder / "dist"


def _files(distributions: Iterable[str], folder: Path) -> list[Path]:
    """The files of some distributions and their byte code."""
    found: set[Path] = set()
    for name in distributions:
        for file in importlib.metadata.distribution(name).files or ():
            path = folder / file
            found.add(path)
            if file.suffix == ".py":
                found.add(path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc")
    return [path for path in sorted(found) if path.is_file()]


def _within(places: Iterable[Path]) -> list[Path]:
    return [path for place in places for path in (sorted(place.rglob("*")) if place.is_dir() else [place])]


def zipped(files: Iterable[Path], root: Path) -> float:
    """MB of a zip file that holds them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            if path.is_file():
                archive.write(path, path.relative_to(root))
    return len(buffer.getvalue()) / 1e6
