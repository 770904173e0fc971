"""What cannot be used: told with file, line, object and reason, without harm to the rest."""

import contextlib
import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dnsserver.sources.manifests import ManifestError, ManifestSettings
from dnsserver.sources.manifests.building import build
from dnsserver.sources.manifests.jsontext import documents as json_documents
from dnsserver.sources.manifests.reading import BrokenError, read_documents, read_text
from dnsserver.sources.manifests.settings import MAX_ALIASED_VALUES, MAX_NESTING
from dnsserver.sources.manifests.source import ManifestSource
from dnsserver.sources.manifests.yamltext import TextError, documents
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed
from tests.sources.manifests.helpers import (
    following,
    joined,
    load,
    pod,
    service,
    services,
    source_of,
    until,
    workload,
    write,
)

GOOD = service("good", "clusterIP: 10.1.0.1")

CASES = {
    "a: [": "no YAML",
    "\tkind: Service": "no YAML",
    "a: 1\na: 2": "key 'a' stands twice",
    "metadata: {name: x}": "object default/x: kind is missing, so this is no Kubernetes object",
    "kind: Service\nmetadata: {name: x}": "Service default/x: apiVersion is missing",
    "- a\n- b": "document: an object with apiVersion and kind is expected, not a list",
    "just text": "document: an object with apiVersion and kind is expected, not text",
    "{{ if .Values.x }}\nkind: Service\n{{ end }}": "render the chart first",
    "kind: Service\nmetadata: {name: {{ .Release.Name }}}": "a template that is not rendered yet.*render the chart",
    "!!python/object/apply:os.system ['x']": "tag 'tag:yaml.org,2002:python/object/apply:os.system' is not known",
    "kind: !Ref x": "tag '!Ref' is not known",
    service(
        "x", "clusterIP: 10.1.0.256"
    ): "Service default/x: spec.clusterIPs: '10.1.0.256' is no IP address",
    service("x", "clusterIP: 7"): "Service default/x: spec.clusterIP: Expected str",
    service("x", "clusterIP: 10.1.1.1, clusterIPs: [10.1.1.2]"): "10.1.1.2 is not spec.clusterIP",
    service("x", "ports: [{port: '80'}]"): r"spec.ports\[0\].port: Expected int",
    service("x", "ports: [{port: 70000}]"): r"spec.ports\[0\].port: 70000 is no port number",
    service("x", "ports: [{name: a}]"): r"spec.ports\[0\].port is missing",
    service("x", "ports: [{port: 80, targetPort: '80'}]"): "targetPort: '80' is text; write the number",
    service("x", "selector: [a]"): "spec.selector: a mapping is expected, not a list",
    service(
        "x", "selector: {app: 7}"
    ): r"spec.selector.app: text is expected, not a number \(7\); put it in quotes",
    service("x", "selector: {app: yes}"): r"spec.selector.app: text is expected, not a truth value \(True\)",
    service("x", "type: Service"): "spec.type: 'Service' is unknown",
    service("x", "ipFamilies: [IPv5]"): "spec.ipFamilies: IPv5: use IPv4, IPv6",
    service("x", "ipFamilyPolicy: Dual"): "spec.ipFamilyPolicy: 'Dual' is not known; use SingleStack",
    service("x", "publishNotReadyAddresses: maybe"): "true or false is expected, not text",
    service("Not_A_Name"): "metadata.name: 'Not_A_Name' is no DNS label",
    service("x", namespace="a.b"): "metadata.namespace: 'a.b' is no name of a namespace",
    service("'7'", namespace="8"): "metadata.namespace: text is expected, not a number",
    "apiVersion: v1\nkind: Service\nmetadata: {labels: {}}": "Service: metadata.name is missing",
    "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: x-}": "generateName is not enough",
    pod("x", status="podIP: localhost"): "Pod default/x: status.podIP: 'localhost' is no IP address",
    pod("x", spec="hostname: a.b"): "spec.hostname: 'a.b' is no DNS label",
    pod("x", spec="containers: {}"): "spec.containers: a list is expected, not a mapping",
    pod("x", spec="containers: [{ports: [{containerPort: 0}]}]"): r"ports\[0\].containerPort: 0 is not in 1",
    workload("Deployment", spec="replicas: '3'"): "Deployment default/web: spec.replicas: a whole number is",
    workload("Deployment", spec="replicas: -1"): "spec.replicas: -1 is not in 0",
    workload("Deployment", spec="selector: {matchExpressions: [{operator: Is}]}"): "operator: use one of In",
    "apiVersion: v1\nkind: List\nitems: [7]": "an object with apiVersion and kind is expected, not a number",
    joined(service("x"), service("x")): "Service default/x: stands twice, first in line 6; remove one",
    joined(service("x"), service("x", namespace="default")): "stands twice",
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: e}\naddressType: IPv4\n"
    "endpoints: [{addresses: [10.0.0.300]}]": r"EndpointSlice default/e: endpoints\[0\]: '10.0.0.300' is no IP",
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: e, labels: "
    "{kubernetes.io/service-name: a.b}}": r"default/e: metadata.labels\[kubernetes.io/service-name\]: 'a.b' is no DNS",
    service("x", "ports: [{port: 80, name: a.b}]"): r"x: spec.ports\[0\].name: 'a.b' is no DNS label",
    service("x", "ports: [{port: 80, protocol: -TCP}]"): r"spec.ports\[0\].protocol: '-TCP' is no DNS label",
    "apiVersion: v1\nkind: Endpoints\nmetadata: {name: e}\nsubsets: [{addresses: [{ip: x}]}]": "'x' is no IP address",
}


@pytest.mark.parametrize(("text", "reason"), CASES.items(), ids=range(len(CASES)))
async def test_the_first_load_tells_file_line_object_and_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    write(tmp_path, {"good.yaml": GOOD, "bad.yaml": joined(GOOD.replace("good", "first"), text)})
    source, state = source_of(tmp_path)
    with pytest.raises(ManifestError, match=rf"^{tmp_path}/bad\.yaml:\d+: .*{reason}") as caught:
        await source.load()
    assert len(caught.value.problems) == 1
    line = int(caught.value.problems[0].split(":")[1])
    assert line > 4, "the first document is good"
    assert (source.errors_total, list(source.broken)) == (1, [tmp_path / "bad.yaml"])
    assert not state.synced
    assert list(services(state)) == ["default/good"]


async def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"m/a.yaml": "a: [", "m/b.yaml": "kind: X", "m/c.yaml": GOOD})
    source, _ = source_of(tmp_path / "m", tmp_path / "none")
    with pytest.raises(ManifestError) as caught:
        await source.load()
    assert len(caught.value.problems) == 3
    assert f"{tmp_path}/none: no such file or folder" in str(caught.value)


async def test_a_caller_may_go_on_after_a_broken_first_load(tmp_path: Path) -> None:
    write(tmp_path, {"good.yaml": GOOD, "bad.yaml": "a: ["})
    source, state = source_of(tmp_path, tmp_path / "later.yaml")
    with pytest.raises(ManifestError):
        await source.load()
    async with following(source):
        write(tmp_path, {"bad.yaml": service("x")})
        await until(lambda: "default/x" in services(state))
        assert not state.synced
        write(tmp_path, {"later.yaml": service("y")})
        await until(lambda: state.synced)
        assert (
            list(services(state)) == ["default/good", "default/x", "default/y"] or len(services(state)) == 3
        )


async def test_lines_of_list_items(tmp_path: Path) -> None:
    bad = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"clusterIP": "?"}}
    good = {**bad, "spec": {}, "metadata": {"name": "y"}}
    text = json.dumps({"kind": "List", "apiVersion": "v1", "items": [good, bad]}, indent=1)
    with pytest.raises(ManifestError, match=r"d\.json:13: Service default/x"):
        await load(tmp_path / "json", {"d.json": text})
    with pytest.raises(ManifestError, match=r"d\.yaml:13: Service default/x"):
        await load(tmp_path / "yaml", {"d.yaml": text})


@pytest.mark.parametrize(
    "text", ['{"a": 1,}', "[1", '{"items": [1,]}', '{"a" 1}', "{", "[" * 100_000, "9" * 9_999]
)
def test_no_json(text: str) -> None:
    with pytest.raises(TextError, match="no JSON"):
        list(json_documents(text))


async def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    (tmp_path / "self.yaml").symlink_to("self.yaml")
    (tmp_path / "zero.yaml").write_bytes(b"a: \x00\n")
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    source, state = source_of(tmp_path)
    with pytest.raises(ManifestError) as caught:
        await source.load()
    text = str(caught.value)
    assert "latin.yaml: not UTF-8 (octet 9): save it as UTF-8" in text
    assert "self.yaml: cannot be read: Too many levels of symbolic links" in text
    assert "zero.yaml:1: no YAML: character #x0000" in text
    assert list(services(state)) == ["default/good"]


async def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dnsserver.sources.manifests.reading.MAX_FILE_OCTETS", 100)
    with pytest.raises(ManifestError, match=r"big\.yaml: 1000 octets are more than the 100"):
        await load(tmp_path, {"big.yaml": "#" * 1000})


def test_a_yaml_bomb_goes_off_without_harm() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    with pytest.raises(TextError, match=f"stand for more than {MAX_ALIASED_VALUES} values") as caught:
        list(documents("\n".join(lines)))
    assert caught.value.line < 8


async def test_a_bomb_of_lists(tmp_path: Path) -> None:
    lines = ["a0: &a0 {kind: List, items: [{}, {}, {}, {}]}"]
    lines += [f"a{n}: &a{n} {{kind: List, items: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 30)]
    lines += ["kind: List", "items: [*a29]"]
    with pytest.raises(ManifestError, match="the aliases stand for more"):
        await load(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    "text",
    ["[" * (MAX_NESTING + 1), "\n".join(" " * n + "a:" for n in range(MAX_NESTING + 2)), "- " * 10_000],
)
def test_deep_nesting(text: str) -> None:
    with pytest.raises(TextError, match=f"nested more than {MAX_NESTING} levels"):
        list(documents(text))


@pytest.mark.parametrize("text", ["&a [*a]", "a: *b", "a: &a {b: *a}"])
def test_aliases_of_nothing(text: str) -> None:
    with pytest.raises(TextError, match="nothing is called"):
        list(documents(text))


SCALARS = {
    "~": None,
    "null": None,
    "yes": True,
    "off": False,
    "y": "y",
    "12": 12,
    "-1_000": -1000,
    "0x1f": 31,
    "0b11": 3,
    "0o17": 15,
    "017": 15,
    "09": 9.0,
    "1.50": 1.5,
    "1e3": 1000.0,
    "22:22": "22:22",
    "2024-01-01": "2024-01-01",
    "10.0.0.1": "10.0.0.1",
    "0x": "0x",
    "'12'": "12",
    "!!str 12": "12",
    "!!int '12'": 12,
    "! 12": "12",
    "1" * 100: "1" * 100,
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalars(text: str, value: object) -> None:
    found = next(documents(f"a: {text}")).value["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["a: \ud800", "\n\ud800", "'\udfff'"])
async def test_text_in_memory_with_half_a_character(text: str) -> None:
    source = ManifestSource(ManifestSettings.of(text), ClusterState(frozenset(Feed), 1.0))
    with pytest.raises(ManifestError, match=r"^<documents>:\d: no YAML: half a character"):
        await source.load()
    with pytest.raises(ManifestError, match="half a character"):
        await source.set_documents(text)


# Two files, one object.


async def test_an_object_in_two_files(tmp_path: Path) -> None:
    match = r"b\.yaml:1: Service default/good: stands in .*a\.yaml:1 too; remove one of the two"
    with pytest.raises(ManifestError, match=match):
        await load(tmp_path, {"a.yaml": GOOD, "b.yaml": GOOD})


async def test_an_object_that_is_stated_again_later(tmp_path: Path) -> None:
    write(tmp_path, {"b.yaml": GOOD, "a.yaml": service("old")})
    source, state = source_of(tmp_path)
    await source.load()
    async with following(source):
        write(tmp_path, {"a.yaml": joined(service("new"), service("good", "clusterIP: 10.9.9.9"))})
        await until(lambda: bool(source.broken))
        assert "stands in" in source.broken[tmp_path / "a.yaml"]
        assert set(services(state)) == {"default/good", "default/old"}
        assert services(state)["default/good"] == ("10.1.0.1",)
        (tmp_path / "b.yaml").unlink()
        await until(lambda: services(state).get("default/good") == ("10.9.9.9",))
        assert set(services(state)) == {"default/good", "default/new"}
        assert not source.broken


async def test_an_object_moves_from_file_to_file(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": GOOD, "b.yaml": service("other")})
    source, state = source_of(tmp_path)
    await source.load()
    async with following(source):
        write(tmp_path, {"a.yaml": service("third"), "b.yaml": joined(service("other"), GOOD)})
        await until(lambda: len(services(state)) == 3)
        assert not source.broken


# Anything at all.


def test_any_text_gives_content_or_a_broken_error() -> None:
    seeds = [text for text in CASES if "apiVersion" in text]
    seeds += [pod("p", status="podIP: 10.4.0.1"), workload("StatefulSet", spec="serviceName: web"), GOOD]
    rng = random.Random(7)
    pieces = [
        "{",
        "}",
        "[",
        "]",
        ": ",
        ", ",
        "null",
        "7",
        "- ",
        "\n",
        "&a ",
        "*a",
        "<<: ",
        "'",
        "kind",
        "items",
    ]
    for number in range(3_000):
        text = rng.choice(seeds)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(text))
            text = text[:place] + rng.choice(pieces) + text[place + rng.randint(0, 3) :]
        with contextlib.suppress(BrokenError):
            build([read_text(Path(("x.yaml", "x.json")[number % 2]), text)], ManifestSettings())


VALUES: tuple[Any, ...] = (None, True, 7, 1.5, "x", "", "\ud800")
VALUES += ([], [7], [None], [[]], {}, {"a": 7}, {"a": None}, {"a": "\ud800"})


def test_any_values_give_content_or_a_broken_error() -> None:
    """Every field of a good object, given a value of every other type."""
    for text in (
        pod("p", status="podIP: 10.4.0.1"),
        workload("Deployment"),
        service("s", "ports: [{port: 1}]"),
    ):
        good = next(documents(text)).value
        for path in _paths(good):
            for value in VALUES:
                changed = copy.deepcopy(good)
                holder = changed
                for part in path[:-1]:
                    holder = holder[part]
                holder[path[-1]] = value
                with contextlib.suppress(BrokenError):
                    build([read_documents([changed])], ManifestSettings())


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from _paths(item, (*path, key))
