"""Every option does what it says, and is in the table of effects."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.chart import node_local, options, scaling
from tests.chart.options import Batch, Effect
from tests.chart.rendering import CHART, RefusedError, Rendering, Values, render

pytestmark = pytest.mark.tool("helm")

BATCHES = (
    options.POD,
    options.NAMES,
    options.MONITORING,
    scaling.PROPORTIONAL,
    scaling.HORIZONTAL,
    scaling.SWITCHED_OFF,
    scaling.ONE_WITH_CLAIM,
    scaling.WITHOUT_DEPLOYMENT,
    node_local.FORWARDING,
    node_local.WATCHING,
)
SCHEMA: Values = json.loads((CHART / "values.schema.json").read_text())
EFFECTS = [(batch, effect) for batch in BATCHES for effect in batch.effects]


@functools.cache
def rendered(name: str) -> Rendering:
    (values,) = (batch.values for batch in BATCHES if batch.name == name)
    return render(values)


#: How the names of objects end that are not the server's own.
OTHERS = ("-autoscaler", "-node", "-upstream")


def target(rendering: Rendering, name: str) -> Any:
    if name in ("pod", "container"):
        return getattr(rendering, name)
    kind, _, own = name.partition("/")
    named = {each["metadata"]["name"]: each for each in rendering if each["kind"] == kind}
    found = [each for key, each in named.items() if key == own or not (own or key.endswith(OTHERS))]
    assert len(found) < 2, f"{name}: {rendering.kinds()}"
    return found[0] if found else None


def at(value: Any, place: str) -> Any:
    """What stands at *place*: keys and numbers with dots between; a key may have dots. None when there is nothing."""
    if not place or value is None:
        return value
    if isinstance(value, list):
        number, _, rest = place.partition(".")
        return at(value[int(number)], rest) if int(number) < len(value) else None
    for key, inner in value.items():
        if place == key or place.startswith(f"{key}."):
            found = at(inner, place[len(key) + 1 :])
            if found is not None:
                return found
    return None


def leaves(values: Values, prefix: str = "") -> Iterator[str]:
    """The options of values.yaml. Maps that hold whatever the user wants are one option."""
    for key, value in values.items():
        option = f"{prefix}{key}"
        if isinstance(value, dict) and value and option not in WHOLE:
            yield from leaves(value, f"{option}.")
        else:
            yield option


#: Maps of Kubernetes' own fields.
WHOLE = (
    *(
        "affinity",
        "nodeSelector",
        "resources",
        "podSecurityContext",
        "securityContext",
        "podDisruptionBudget",
    ),
    *(
        f"autoscaler.{name}"
        for name in ("nodeSelector", "resources", "podSecurityContext", "securityContext")
    ),
    *(f"nodeLocal.{name}" for name in ("nodeSelector", "resources")),
    "prometheus.service.annotations",
    "prometheus.dashboard.additionalLabels",
)


@pytest.mark.parametrize(("batch", "effect"), EFFECTS, ids=str)
def test_option(batch: Batch, effect: Effect) -> None:
    assert at(target(rendered(batch.name), effect.target), effect.place) == effect.expected


def test_each_option_has_its_effect() -> None:
    known = set(leaves(yaml.safe_load((CHART / "values.yaml").read_text())))
    assert known - {effect.option for _, effect in EFFECTS} == set()


@functools.cache
def baselines() -> tuple[Rendering, ...]:
    """The chart as it comes; and with the autoscaler and DNS on the nodes, whose objects are else not there."""
    return render(), render({"autoscaler": {"enabled": True}, "nodeLocal": {"enabled": True}})


@pytest.mark.parametrize("effect", [effect for _, effect in EFFECTS], ids=str)
def test_effect_is_none_of_the_defaults(effect: Effect) -> None:
    """What shows without the option too proves nothing."""
    found = [at(target(each, effect.target), effect.place) for each in baselines()]
    assert any(value != effect.expected for value in found)


def needed(schema: Values, place: str = "") -> set[str]:
    """What values.schema.json requires, as dotted names."""
    found = {f"{place}{key}" for key in schema.get("required", ())}
    for key, inner in schema.get("properties", {}).items():
        found |= needed(
            SCHEMA["$defs"][inner["$ref"].rpartition("/")[2]] if "$ref" in inner else inner, f"{place}{key}."
        )
    return found


def test_options_can_be_taken_away() -> None:
    """`null` takes a default away, as helm has it; what the chart cannot do without is said."""
    values: Values = {}
    for option in set(leaves(yaml.safe_load((CHART / "values.yaml").read_text()))) - needed(SCHEMA):
        *blocks, key = option.split(".")
        functools.reduce(lambda inner, block: inner.setdefault(block, {}), blocks, values)[key] = None
    assert "nil" not in render(values).text
    with pytest.raises(RefusedError, match="at '': missing property 'hpa'"):
        render({"hpa": None})
