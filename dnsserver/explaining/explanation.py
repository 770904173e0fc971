"""An explanation as a value, and as JSON of a schema that stays (docs/explain.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dnsserver.explaining.cause import Cause, Rule
from dnsserver.explaining.evidence import Place
from dnsserver.explaining.verdict import Block, Did, Step, Verdict

#: Of the JSON. It goes up when a field changes its meaning or goes; new fields may come at any time.
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Attempt:
    """One name of a search list that was asked for, and what came: RCODE, and the number of records of the type."""

    name: str
    rcode: str
    data: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why `name` and `rtype` are answered as `verdict` says.

    `causes` are there when no record of the type came, the most telling one first; `rule` when one came; `notes` are
    what matters besides. `attempts`: the names that a pod's search list led to, in order. `unseen`: what could not be
    looked at, by kind, with the reason.
    """

    name: str
    rtype: str
    client: str
    verdict: Verdict
    block: Block | None = None
    steps: tuple[Step, ...] = ()
    rule: Rule | None = None
    causes: tuple[Cause, ...] = ()
    notes: tuple[Cause, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    unseen: Mapping[str, str] = field(default_factory=dict)

    @property
    def resolves(self) -> bool:
        return self.verdict.resolves


def as_json(found: Explanation) -> dict[str, Any]:
    """Plain values. What is absent is left out, but for the lists."""
    verdict = found.verdict
    return {
        "schema": SCHEMA,
        "name": found.name,
        "type": found.rtype,
        "client": found.client,
        "resolves": found.resolves,
        "answer": _without_nothing(
            {
                "rcode": verdict.rcode,
                "records": list(verdict.answer),
                "authority": list(verdict.authority),
                "data": verdict.data,
                "authoritative": verdict.authoritative,
                "truncated": verdict.truncated,
                "plugin": verdict.plugin,
                "error": verdict.error,
                "extended_errors": list(verdict.extended),
            }
        ),
        "block": None if found.block is None else _block(found.block),
        "trace": [_step(step) for step in found.steps],
        "rule": None if found.rule is None else _rule(found.rule),
        "causes": [_cause(each) for each in found.causes],
        "notes": [_cause(each) for each in found.notes],
        "attempts": [{"name": each.name, "rcode": each.rcode, "data": each.data} for each in found.attempts],
        "unseen": dict(found.unseen),
    }


def _block(block: Block) -> dict[str, Any]:
    return {
        "zone": block.zone,
        "listener": block.listener,
        "where": block.where,
        "plugins": list(block.plugins),
    }


def _step(step: Step) -> dict[str, Any]:
    return _without_nothing(
        {
            "plugin": step.plugin,
            "name": step.name,
            "type": step.rtype,
            "did": step.did.name.lower(),
            "passed": step.passed,
            "rcode": step.rcode,
            "depth": step.depth,
            "error": step.error,
        }
    )


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "sentence": rule.sentence,
        "docs": rule.docs,
        "objects": [_place(each) for each in rule.objects],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "code": cause.code,
        "short": cause.short,
        "sentence": cause.sentence,
        "advice": cause.advice,
        "docs": cause.docs,
        "objects": [_place(each) for each in cause.objects],
    }


def _place(place: Place) -> dict[str, Any]:
    found = {
        "kind": place.kind,
        "namespace": place.namespace,
        "name": place.name,
        "uid": place.uid,
        "resource_version": place.resource_version,
        "file": place.file,
        "line": place.line or "",
        "made_by": _place(place.made_by) if place.made_by else "",
    }
    return _without_nothing(found)


def _without_nothing(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value != ""}


def from_json(value: Mapping[str, Any]) -> Explanation:
    """What `as_json` made. Raises ValueError for another schema, KeyError and TypeError for what it never makes."""
    if value["schema"] != SCHEMA:
        raise ValueError(
            f"schema {value['schema']}, where {SCHEMA} is known: use programs of the same version"
        )
    answer = value["answer"]
    verdict = Verdict(
        answer.get("rcode", ""),
        tuple(answer["records"]),
        tuple(answer["authority"]),
        answer["data"],
        answer["authoritative"],
        answer["truncated"],
        answer.get("plugin", ""),
        answer.get("error", ""),
        tuple(answer["extended_errors"]),
    )
    block = value["block"]
    return Explanation(
        value["name"],
        value["type"],
        value["client"],
        verdict,
        None
        if block is None
        else Block(block["zone"], block["listener"], block["where"], tuple(block["plugins"])),
        tuple(map(_step_from, value["trace"])),
        None if value["rule"] is None else _rule_from(value["rule"]),
        tuple(map(_cause_from, value["causes"])),
        tuple(map(_cause_from, value["notes"])),
        tuple(Attempt(each["name"], each["rcode"], each["data"]) for each in value["attempts"]),
        dict(value["unseen"]),
    )


def _step_from(value: Mapping[str, Any]) -> Step:
    return Step(
        value["plugin"],
        value["name"],
        value["type"],
        Did[value["did"].upper()],
        value.get("passed", ""),
        value.get("rcode", ""),
        value["depth"],
        value.get("error", ""),
    )


def _rule_from(value: Mapping[str, Any]) -> Rule:
    return Rule(value["code"], value["sentence"], tuple(map(_place_from, value["objects"])))


def _cause_from(value: Mapping[str, Any]) -> Cause:
    return Cause(value["code"], value["sentence"], tuple(map(_place_from, value["objects"])), value["advice"])


def _place_from(value: Mapping[str, Any]) -> Place:
    made_by = value.get("made_by")
    return Place(
        value["kind"],
        value.get("namespace", ""),
        value["name"],
        value.get("uid", ""),
        value.get("resource_version", ""),
        value.get("file", ""),
        value.get("line", 0),
        _place_from(made_by) if made_by else None,
    )
