"""Addresses for what states none: the same each time, and never one that is stated."""

import random
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from dnsserver.sources.manifests import ManifestError
from dnsserver.sources.manifests.addressing import Allocator, ShortageError
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ObjectKey
from tests.sources.manifests.helpers import (
    endpoints,
    everything,
    joined,
    load,
    pod,
    pods,
    service,
    services,
    workload,
)


async def test_clusterips_by_family_and_policy(tmp_path: Path) -> None:
    text = joined(
        service("plain"),
        service("none", "clusterIP: None"),
        service("empty", "clusterIP: ''"),
        service("six", "ipFamilies: [IPv6]"),
        service("single", "ipFamilyPolicy: SingleStack"),
        service("prefer", "ipFamilyPolicy: PreferDualStack"),
        service("require", "ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv6, IPv4]"),
        service("stated", "ipFamilyPolicy: RequireDualStack, clusterIP: 10.96.7.7"),
    )
    single = _families(await load(tmp_path, text))
    assert single == {
        "plain": "4",
        "none": "",
        "empty": "4",
        "six": "6",
        "single": "4",
        "prefer": "4",
        "require": "64",
        "stated": "46",
    }
    dual = _families(await load(tmp_path, text, families=("IPv6", "IPv4")))
    changed = {"plain": "6", "empty": "6", "single": "6", "prefer": "64"}
    assert dual == single | changed


def _families(state: ClusterState) -> dict[str, str]:
    networks = {"4": ip_network("10.96.0.0/16"), "6": ip_network("fd00:10:96::/112")}
    found = {}
    for item in state.services():
        families = [str(ip_address(ip).version) for ip in item.cluster_ips if ip != "None"]
        assert all(
            ip_address(ip) in networks[family] for ip, family in zip(item.cluster_ips, families, strict=False)
        )
        found[item.key.name] = "".join(families)
    return found


async def test_endpoints_in_both_families(tmp_path: Path) -> None:
    text = joined(
        service("web", "clusterIP: None, ipFamilyPolicy: RequireDualStack, selector: {app: web}"),
        workload("Deployment", spec="replicas: 2"),
        pod("four", status="podIP: 10.4.0.1"),
        pod("both", status="podIP: 10.4.0.2, podIPs: [{ip: 10.4.0.2}, {ip: 'fd00::2'}]"),
    )
    state = await load(tmp_path, text)
    by_family = {
        family: {item[2] for item in endpoints(state, "web") if (":" in item[0]) == (family == 6)}
        for family in (4, 6)
    }
    assert by_family == {4: {"four", "both"}, 6: {"both"}}
    fresh = await load(tmp_path, joined(*text.split("---\n")[:2]))
    assert [":" in item[0] for item in endpoints(fresh, "web")] == [False, False, True, True]
    assert all(ip_address(ip) in ip_network("10.244.0.0/16") for ip in pods(fresh).values())


MANY = [service(f"s{place}") for place in range(40)] + [
    workload("Deployment", f"d{place}") for place in range(10)
]


async def test_the_same_manifests_give_the_same_state(tmp_path: Path) -> None:
    order = list(range(len(MANY)))
    states = []
    for seed in range(3):
        random.Random(seed).shuffle(order)
        files = {f"f{place:03}.yaml": MANY[number] for place, number in enumerate(order)}
        states.append(everything(await load(tmp_path / str(seed), files)))
    assert states[0] == states[1] == states[2]


async def test_these_addresses_hold_from_version_to_version(tmp_path: Path) -> None:
    """People write them into their tests."""
    state = await load(tmp_path, joined(service("web"), workload("StatefulSet", spec="replicas: 1")))
    assert services(state) == {"default/web": ("10.96.10.84",)}
    assert pods(state) == {"default/web-0": "10.244.84.45"}


async def test_others_keep_their_addresses(tmp_path: Path) -> None:
    before = await load(tmp_path / "1", joined(*MANY))
    after = await load(tmp_path / "2", joined(*MANY, service("a-new-one"), workload("Deployment", "a-new-d")))
    assert services(before).items() <= services(after).items()
    assert pods(before).items() <= pods(after).items()
    fewer = await load(tmp_path / "3", joined(*MANY[5:]))
    assert services(fewer).items() <= services(before).items()


async def test_a_stated_address_is_never_given_again(tmp_path: Path) -> None:
    free = await load(tmp_path / "1", service("b"))
    address = services(free)["default/b"][0]
    state = await load(tmp_path / "2", joined(service("a", f"clusterIP: {address}"), service("b")))
    first, second = services(state).values()
    assert first == (address,)
    assert int(ip_address(second[0])) == int(ip_address(address)) + 1


def test_an_allocator_gives_every_address_once_and_then_says_so() -> None:
    allocator = Allocator("pods", "10.0.0.0/24", ["10.0.0.77", "10.0.0.1", "192.0.2.1"])
    given = {allocator.address(ObjectKey("n", str(number))) for number in range(256 - 16 - 1 - 1)}
    assert len(given) == 238
    assert not given & {"10.0.0.77", "10.0.0.1", "10.0.0.10", "10.0.0.255"}
    with pytest.raises(ShortageError, match=r"range 10\.0\.0\.0/24 for pods is full: set a wider one"):
        allocator.address(ObjectKey("n", "more"))


async def test_a_full_range(tmp_path: Path) -> None:
    ranges = ("10.0.0.0/29", "fd00::/64")
    with pytest.raises(ManifestError, match=r"all manifests together: the range 10\.0\.0\.0/29 for pods"):
        await load(tmp_path, workload("Deployment", spec="replicas: 7"), pod_ranges=ranges)
    assert len(pods(await load(tmp_path, workload("Deployment", spec="replicas: 6"), pod_ranges=ranges))) == 6


async def test_the_api_server_is_not_invented(tmp_path: Path) -> None:
    assert services(await load(tmp_path, "")) == {}
