"""Provenance as an RO-Crate (Process Run Crate): who read what with which software and what came out.

Convention: inputs are named by their content (RFC 6920), outputs by their path from the crate; both carry their
SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.results import FlowStep, InputFile

_CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_TYPES = {
    "html": "text/html",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "csv": "text/csv",
    "svg": "image/svg+xml",
    "png": "image/png",
    "json": "application/json",
    "bib": "application/x-bibtex",
    "ris": "application/x-research-info-systems",
    "yaml": "application/yaml",
    "cff": "application/yaml",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
    "log": "text/plain",
}
Entity = dict[str, Any]
_WORDS = Words("crate")


def write_crate(source: Source, outputs: Mapping[str, bytes], created: datetime | None) -> bytes:
    """Return ``ro-crate-metadata.json`` for a run that wrote these outputs."""
    inputs = [_input(item) for item in source.results.inputs]
    files = [_output(path, content) for path, content in outputs.items()]
    software = list(_software(source))
    plan = _plan(source)
    flow = [_step(step) for step in source.results.flow]
    action = _action(source, created, [*inputs, plan], files)
    root = _root(source, created, [*inputs, *files], [action, plan, *flow])
    entities = (_descriptor(), root, _profile(), _licence(), action, *software, plan, *flow, *inputs, *files)
    graph = list({entity["@id"]: entity for entity in entities}.values())  # a file read twice is one entity
    content = {"@context": _CONTEXT, "@graph": graph}
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _descriptor() -> Entity:
    return {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }


def _root(source: Source, created: datetime | None, parts: list[Entity], mentions: list[Entity]) -> Entity:
    return {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": {"@id": _PROFILE},
        "name": source.study.title,
        "description": source.study.description or _WORDS.text("results", study=source.study.id),
        "identifier": source.study.id,
        **({"keywords": _WORDS.text("synthetic")} if source.study.synthetic else {}),
        **_time("datePublished", created),
        "license": {"@id": "#licence"},
        "hasPart": _links(parts),
        "mentions": _links(mentions),
    }


def _profile() -> Entity:
    return {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}


def _licence() -> Entity:
    name, text = _WORDS.text("no_licence"), _WORDS.text("licence")
    return {"@id": "#licence", "@type": "CreativeWork", "name": name, "description": text}


def _action(source: Source, created: datetime | None, used: list[Entity], made: list[Entity]) -> Entity:
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": _WORDS.text("run", study=source.study.id),
        "description": _WORDS.text("seed", seed=source.study.analysis.seed),
        **_time("endTime", created),
        "instrument": {"@id": "#rarefactor"},
        "object": _links(used),
        "result": _links(made),
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }


def _software(source: Source) -> Iterator[Entity]:
    versions = source.results.software
    others = [name for name in versions if name != "rarefactor"]
    yield {
        "@id": "#rarefactor",
        "@type": "SoftwareApplication",
        "name": "rarefactor",
        "softwareVersion": versions.get("rarefactor", "unknown"),
        "softwareRequirements": [{"@id": f"#{_slug(name)}"} for name in others],
    }
    for name in others:
        yield {
            "@id": f"#{_slug(name)}",
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": versions[name],
        }


def _plan(source: Source) -> Entity:
    """The study file as it was read: an object of the run, with the seed."""
    seed = {"@type": "PropertyValue", "name": "seed", "value": source.study.analysis.seed}
    text = json.dumps(source.results.study.get("file"), ensure_ascii=False, sort_keys=True)
    return {
        "@id": "#plan",
        "@type": "CreativeWork",
        "name": _WORDS.text("plan"),
        "text": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "additionalProperty": [seed | {"@id": "#seed"}],
    }


def _step(step: FlowStep) -> Entity:
    return {
        "@id": f"#flow/{_slug(step.id)}",
        "@type": "PropertyValue",
        "name": f"{step.label}" + (f" ({step.landmark})" if step.landmark else ""),
        "value": step.n,  # who left before, and why, is in results.json
    }


def _input(item: InputFile) -> Entity:
    digest = base64.urlsafe_b64encode(bytes.fromhex(item.sha256)).decode().rstrip("=")
    return _file(f"ni:///sha-256;{digest}", item.path, item.sha256, item.bytes) | {"identifier": item.id}


def _output(path: str, content: bytes) -> Entity:
    return _file(f"../{path}", path, hashlib.sha256(content).hexdigest(), len(content))


def _file(identity: str, name: str, sha256: str, size: int) -> Entity:
    suffix = name.rsplit(".", 1)[-1].lower()
    return {
        "@id": identity,
        "@type": "File",
        "name": name,
        "encodingFormat": _TYPES.get(suffix, "application/octet-stream"),
        "contentSize": str(size),
        "sha256": sha256,
    }


def _time(name: str, created: datetime | None) -> Entity:
    """A time that is not known is left out, not invented."""
    return {name: created.isoformat()} if created else {}


def _links(entities: list[Entity]) -> list[Entity]:
    return [{"@id": entity["@id"]} for entity in entities]


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")
