"""What keeps models from being averaged: keys, shapes, dtypes, structure, values that are not finite."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from decentralml.core.errors import Refused
from decentralml.core.models.inspect import ModelInfo, inspect
from decentralml.core.models.limits import Limits
from decentralml.core.text import short
from decentralml.core.words import count

Named = Sequence[tuple[str, Path]]


class Finding(Struct, frozen=True):
    """Why the model of ``name`` cannot go in. ``tensor``: the one it is about, where it is about one."""

    name: str
    code: str
    message: str
    tensor: str | None = None


class Group(Struct, frozen=True):
    """Models of one structure, by name, in the order given."""

    structure: str
    names: tuple[str, ...]


def check(
    models: Named,
    base: Path | None = None,
    limits: Limits = Limits(),  # noqa: B008
    *,
    values: bool = True,
) -> list[Finding]:
    """Findings of all ``models`` (name, folder or file) against ``base``, or against the first of them.

    ``values`` False leaves unread whether all values are finite. Nothing found: they can be averaged. A
    model that is refused by inspection is a finding with its code; else "KeyMissing", "KeyAdded",
    "ShapeDiffers", "DtypeDiffers", "StructureDiffers". Raises `Refused` when it is ``base`` that inspection
    refuses.
    """
    reference = inspect(base, limits, values=values) if base else None
    findings: list[Finding] = []
    for name, info, refused in _inspected(models, limits, values):
        if refused:
            findings.append(refused)
        elif info is not None:
            reference = reference or info
            findings += compare(name, reference, info)
    return findings


def groups(models: Named, limits: Limits = Limits()) -> tuple[list[Group], list[Finding]]:  # noqa: B008
    """Models that can be averaged with each other, the largest group first; and what inspection refuses."""
    found: dict[str, list[str]] = {}
    findings = []
    for name, info, refused in _inspected(models, limits):
        if refused:
            findings.append(refused)
        elif info is not None:
            found.setdefault(info.structure, []).append(name)
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    return [Group(structure, tuple(names)) for structure, names in ordered], findings


def compare(name: str, reference: ModelInfo, info: ModelInfo) -> list[Finding]:
    """What keeps ``info``, of ``name``, from being averaged with ``reference``."""
    have, want = info.tensors, reference.tensors
    findings = [_finding(name, "KeyMissing", "lacks", key) for key in want if key not in have]
    findings += [_finding(name, "KeyAdded", "has besides", key) for key in have if key not in want]
    for key, tensor in have.items():
        other = want.get(key)
        if other is not None and tensor.shape != other.shape:
            what = f"has shape {tensor.shape} instead of {other.shape} in"
            findings.append(_finding(name, "ShapeDiffers", what, key))
        elif other is not None and tensor.dtype != other.dtype:
            what = f"has dtype {tensor.dtype} instead of {other.dtype} in"
            findings.append(_finding(name, "DtypeDiffers", what, key))
    if not findings and info.structure != reference.structure:
        message = (
            f"{name}: the weights fit, but the layers are set otherwise, so that they mean another thing."
        )
        findings.append(Finding(name, "StructureDiffers", message))
    return findings


def require(findings: Sequence[Finding]) -> None:
    """Raise `Refused` ("GateClosed") naming the first finding and how many there are."""
    if findings:
        more = f" ({count(len(findings) - 1, 'more finding')}.)" if len(findings) > 1 else ""
        raise Refused(
            "GateClosed",
            f"These models cannot be averaged. {findings[0].message}{more}",
            "Leave that model out, or federate models of its structure apart.",
        )


def _inspected(
    models: Named, limits: Limits, values: bool = True
) -> list[tuple[str, ModelInfo | None, Finding | None]]:
    """Each model with what inspection found or refused, on two threads: most of it is reading."""

    def one(named: tuple[str, Path]) -> tuple[str, ModelInfo | None, Finding | None]:
        name, path = named
        try:
            return name, inspect(path, limits, values=values), None
        except Refused as refused:
            return name, None, Finding(name, refused.code, f"{name}: {refused.message}")

    with ThreadPoolExecutor(2, "gate") as pool:
        return list(pool.map(one, models))


def _finding(name: str, code: str, what: str, key: str) -> Finding:
    return Finding(name, code, f"{name} {what} {short(key, 100)}.", key)
