"""The software bill of materials of a release, in CycloneDX 1.6: the crates in its binaries.

`cargo tree` resolves features for exactly these packages and this target, as the build does. `cargo
metadata`, which other generators read, resolves them for the whole workspace and every platform.
The document has no time and no random number, so the same sources give the same bytes.
"""

from __future__ import annotations

import json
import re
import subprocess
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from config import ROOT, StackError, function_names

LINE = re.compile(r"(\d+) (\S+) v(\S+)(?: \(.*\))?\|(.*?)(?: \(\*\))?")
LOCKED = re.compile(r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"')
VERSION = re.compile(r'^version = "(.+)"$', re.MULTILINE)
LICENCE = "MIT OR Apache-2.0"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "waypost.sbom")

Json = dict[str, Any]


@dataclass
class Crate:
    """A crate in a binary, and the crates that it uses."""

    name: str
    version: str
    licence: str
    uses: set[str] = field(default_factory=set)

    @property
    def id(self) -> str:
        return _purl(self.name, self.version)


def tree(target: str) -> str:
    """What is linked: neither build scripts and procedural macros nor crates for tests."""
    packages = [option for name in function_names() for option in ("--package", name)]
    command = ["cargo", "tree", "--locked", "--target", target, *packages]
    command += ["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", " {p}|{l}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise StackError(f"cargo tree failed: {done.stderr}")
    return done.stdout


def read(tree: str) -> dict[str, Crate]:
    """The crates by their id."""
    crates: dict[str, Crate] = {}
    above: list[Crate] = []
    for line in filter(None, tree.splitlines()):
        found = LINE.fullmatch(line)
        if not found:
            raise StackError(f"cargo tree printed an unexpected line: {line}")
        depth, name, version, licence = found.groups()
        new = Crate(name, version, licence.replace("/", " OR "))
        if not licence:
            raise StackError(f"{name} {version} names no licence")
        crate = crates.setdefault(new.id, new)
        above[int(depth) :] = [crate]
        if len(above) > 1:
            above[-2].uses.add(crate.id)
    return crates


def document(crates: dict[str, Crate], target: str) -> Json:
    manifest = (ROOT / "Cargo.toml").read_text()
    locked = LOCKED.findall((ROOT / "Cargo.lock").read_text())
    checksums = {(name, version): checksum for name, version, checksum in locked}
    version = VERSION.findall(manifest)[0]
    described = [crates[key] for key in sorted(crates)]
    content = {
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "waypost",
                "name": "waypost",
                "version": version,
                "licenses": [{"expression": LICENCE}],
            },
            "properties": [{"name": "waypost:target", "value": target}],
        },
        "components": [
            _component(crate, checksums.get((crate.name, crate.version))) for crate in described
        ],
        "dependencies": [
            {"ref": "waypost", "dependsOn": sorted(_functions(crates))},
            *({"ref": crate.id, "dependsOn": sorted(crate.uses)} for crate in described),
        ],
    }
    serial = uuid.uuid5(NAMESPACE, json.dumps(content, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": serial.urn}
    return head | {"version": 1} | content


def _component(crate: Crate, checksum: str | None) -> Json:
    component = {
        "type": "library",
        "bom-ref": crate.id,
        "name": crate.name,
        "version": crate.version,
        "licenses": [{"expression": crate.licence}],
    }
    if checksum is None:
        return component  # a crate of this repository
    return component | {
        "purl": crate.id,
        "hashes": [{"alg": "SHA-256", "content": checksum}],
    }


def _functions(crates: dict[str, Crate]) -> Iterable[str]:
    names = function_names()
    return (crate.id for crate in crates.values() if crate.name in names)


def compiled(messages: str, target: str) -> set[str]:
    """The ids of the crates that a build compiled for the target, from cargo's messages.

    What runs during the build is compiled for this machine, into another folder.
    """
    found = [json.loads(line) for line in messages.splitlines() if line.startswith("{")]
    return {
        _id(message["package_id"])
        for message in found
        if message["reason"] == "compiler-artifact"
        and any(f"/{target}/" in file for file in message["filenames"])
    }


def _id(package: str) -> str:
    """`registry+…#name@version`, or `path+…/name#version`."""
    place, _, rest = package.rpartition("#")
    name, _, version = rest.rpartition("@")
    return _purl(name or place.rsplit("/", 1)[1], version)


def _purl(name: str, version: str) -> str:
    return f"pkg:cargo/{name}@{quote(version)}"


def render(crates: dict[str, Crate], target: str) -> str:
    return json.dumps(document(crates, target), indent=2) + "\n"


def differences(crates: dict[str, Crate], built: set[str]) -> list[str]:
    """How the list differs from what the build compiled."""
    missing = [f"{crate} is in the binaries, not in the list" for crate in built - crates.keys()]
    unbuilt = [f"{crate} is in the list, not in the binaries" for crate in crates.keys() - built]
    return sorted(missing + unbuilt)
