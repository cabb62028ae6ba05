"""Where mapping files are.

    CONNECTOR_MAPPINGS        a directory, if set; else
    ./mappings                in the working directory, if it is there; else
    the copy in the package   (a wheel carries one), else the one beside the package (a checkout).

A company's own folder may hold its tenants alone: what it does not have under `systems/` comes from the shipped copy.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from connector.errors import Misconfigured, Missing

_PACKAGE = Path(__file__).resolve().parent.parent
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")

FOLDERS = {"shared": "shared", "system": "systems", "office": "offices", "tenant": "tenants"}


def shipped(folder: str) -> Path:
    """The `mappings` or `schemas` folder that belongs to this version of the program."""
    inside = _PACKAGE / "shipped" / folder
    return inside if inside.is_dir() else _PACKAGE.parent / folder


def own() -> Path:
    """The folder of this installation's own files; raises `Misconfigured` where one is named that is none."""
    told = os.environ.get("CONNECTOR_MAPPINGS")
    if told and not Path(told).is_dir():
        raise Misconfigured(f"CONNECTOR_MAPPINGS names {told}, which is no directory.", code="mappings-folder-missing")
    return Path(told) if told else Path.cwd() / "mappings"


def roots() -> list[Path]:
    """Folders that are searched, best first."""
    found = [folder for folder in (own(), shipped("mappings")) if folder.is_dir()]
    return found[:1] if len(found) > 1 and found[0].resolve() == found[1].resolve() else found


def find(layer: str, name: str, folders: list[Path] | None = None) -> Path:
    """The file of a system, office or tenant. `Missing` if there is none, with the folders that were searched."""
    searched = roots() if folders is None else folders
    if _NAME.fullmatch(name):
        for root in searched:
            path = root / FOLDERS[layer] / f"{name}.yaml"
            if path.is_file():
                return path
    raise Missing(
        f"There is no {layer} file for `{name}` in {', '.join(str(root) for root in searched) or 'any folder'}.",
        code=f"{layer}-unknown",
        do=f"Write {FOLDERS[layer]}/{name}.yaml, or name one of: {', '.join(names(layer, searched)) or 'none yet'}.",
    )


def names(layer: str, folders: list[Path] | None = None) -> list[str]:
    """Names of the systems, offices or tenants that have a file. Tenants are those of the first folder alone."""
    searched = roots() if folders is None else folders
    if layer == "tenant":
        searched = searched[:1]
    return sorted({path.stem for root in searched for path in (root / FOLDERS[layer]).glob("*.yaml")})


def shown(path: Path) -> str:
    """The path as people see it: relative to the working directory where it is below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except ValueError:
        return str(path)
