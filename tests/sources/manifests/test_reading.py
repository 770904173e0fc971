"""Which files are read, and what is an object in them."""

import json
from pathlib import Path

import pytest

from dnsserver.sources.manifests import ManifestError, ManifestSettings
from dnsserver.sources.manifests.files import scan
from dnsserver.sources.manifests.source import ManifestSource
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed
from tests.sources.manifests.helpers import endpoints, joined, load, service, services, source_of, write

A, B, C = (service(name, f"clusterIP: 10.1.0.{place}") for place, name in enumerate("abc", 1))


async def test_a_folder_is_read_with_all_below_it(tmp_path: Path) -> None:
    names = {
        "a.yaml": A,
        "sub/deep/b.yml": B,
        "c.json": "",
        "notes.txt": "kind: [",
        ".hidden.yaml": "kind: [",
    }
    names["c.json"] = json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "c"}})
    names["kustomization.yaml"] = "resources: [a.yaml]"
    names[".git/x.yaml"] = "kind: ["
    assert list(services(await load(tmp_path, names))) == ["default/a", "default/b", "default/c"]


async def test_paths_within_paths_and_links_count_once(tmp_path: Path) -> None:
    write(tmp_path, {"all/a.yaml": A, "other/b.yaml": B})
    (tmp_path / "all/link.yaml").symlink_to(tmp_path / "all/a.yaml")
    (tmp_path / "all/loop").symlink_to(tmp_path)
    (tmp_path / "all/dead.yaml").symlink_to(tmp_path / "nowhere")
    source, state = source_of(tmp_path / "all/a.yaml", tmp_path / "all", tmp_path)
    await source.load()
    assert list(services(state)) == ["default/a", "default/b"]


async def test_a_named_file_may_have_any_name(tmp_path: Path) -> None:
    write(tmp_path, {".dump": A})
    source, state = source_of(tmp_path / ".dump")
    await source.load()
    assert list(services(state)) == ["default/a"]


async def test_the_files_of_a_mounted_configmap_count_once(tmp_path: Path) -> None:
    write(tmp_path, {"..2024_01/a.yaml": A, "..2024_01/b.yaml": B})
    (tmp_path / "..data").symlink_to("..2024_01")
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    source, state = source_of(tmp_path)
    await source.load()
    assert list(services(state)) == ["default/a", "default/b"]


def test_the_order_of_files_is_stable(tmp_path: Path) -> None:
    names = ["b.yaml", "a/z.yaml", "a.yaml", "c.yml", "B.yaml"]
    for name in names:
        write(tmp_path, {name: A})
    found = [str(path.relative_to(tmp_path)) for path in scan([tmp_path / "c.yml", tmp_path]).files]
    assert found == ["c.yml", "B.yaml", "a/z.yaml", "a.yaml", "b.yaml"]


async def test_documents_lists_and_empty_documents(tmp_path: Path) -> None:
    inner = "apiVersion: v1\nkind: List\nitems:\n" + "".join(f"- {line}\n" for line in [_flow(B), _flow(C)])
    text = "# only a comment\n---\n---\n" + A + "---\n" + inner + "---\nnull\n"
    assert list(services(await load(tmp_path, text))) == ["default/a", "default/b", "default/c"]


def _flow(manifest: str) -> str:
    lines = manifest.strip().splitlines()
    return "{" + ", ".join(lines) + "}"


async def test_typed_lists_need_not_repeat_the_kind(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: a, namespace: x}\n"
    state = await load(tmp_path, text)
    assert list(services(state)) == ["x/a"]


async def test_a_json_list(tmp_path: Path) -> None:
    item = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "a"},
        "spec": {"clusterIP": "10.1.1.1"},
    }
    text = json.dumps({"apiVersion": "v1", "items": [item], "kind": "List", "metadata": {"x": ""}}, indent=4)
    assert services(await load(tmp_path, {"dump.json": text})) == {"default/a": ("10.1.1.1",)}


async def test_yaml_features_that_charts_use(tmp_path: Path) -> None:
    text = """\
apiVersion: v1
kind: Service
metadata: &meta
  name: "a"
  labels: &labels {app: web, "on": 'yes', date: "2024-01-01"}
spec:
  selector:
    <<: *labels
    app: api
  ports:
  - {name: http, port: 0x50, targetPort: 8_080}
---
apiVersion: v1
kind: Pod
metadata:
  name: p
  labels: {app: api, "on": 'yes', date: "2024-01-01"}
status: {podIP: 10.9.9.9}
"""
    state = await load(tmp_path, text)
    assert endpoints(state, "a") == [("10.9.9.9", "", "p")]
    assert [port.number for port in next(state.services()).ports] == [80]


async def test_other_kinds_are_counted_and_their_namespaces_exist(tmp_path: Path) -> None:
    text = joined(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: knative}\n",
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly}\n",
    )
    write(tmp_path, {"a.yaml": text})
    source, state = source_of(tmp_path)
    await source.load()
    assert source.ignored == {"ConfigMap": 1, "ClusterRole": 1, "Service": 1, "CronJob": 1}
    assert services(state) == {}
    assert state.has_namespace("shop")


async def test_namespaces(tmp_path: Path) -> None:
    text = joined(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: empty}\n", service("a", namespace="used"), B
    )
    state = await load(tmp_path, text)
    assert sorted(state.namespaces()) == [
        "default",
        "empty",
        "kube-node-lease",
        "kube-public",
        "kube-system",
        "used",
    ]


async def test_selectors_hide_what_a_watch_would_not_get(tmp_path: Path) -> None:
    text = joined(
        service("shown", "clusterIP: 10.1.0.1, selector: {app: web}", labels="team: a"),
        service("hidden", "clusterIP: 10.1.0.2, selector: {app: web}", labels="team: b"),
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: web}}\nstatus: {podIP: 10.9.9.9}\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: n1, labels: {dns: 'on'}}\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: n2}\n",
    )
    selectors = {"label_selector": "team=a", "namespace_selector": "dns=on"}
    state = await load(tmp_path, text, **selectors)
    assert list(services(state)) == ["default/shown"]
    assert endpoints(state, "shown") == [("10.9.9.9", "", "p")]
    assert endpoints(state, "hidden") == []
    assert state.count(Feed.PODS) == 0
    assert list(state.namespaces()) == ["n1"]
    named = await load(tmp_path, text, namespace_selector="kubernetes.io/metadata.name in (default, n2)")
    assert sorted(named.namespaces()) == ["default", "n2"]


async def test_feeds_that_are_not_wanted_are_left_alone(tmp_path: Path) -> None:
    feeds = frozenset({Feed.SERVICES, Feed.NAMESPACES})
    text = joined(service("a", "selector: {app: web}"), "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n")
    state = await load(tmp_path, text, feeds=feeds)
    assert [state.count(feed) for feed in (Feed.SERVICES, Feed.ENDPOINT_SLICES, Feed.PODS)] == [1, 0, 0]


async def test_manifests_from_memory() -> None:
    for manifests in (A, [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}]):
        settings = ManifestSettings.of(manifests)
        state = ClusterState(settings.feeds, 1.0)
        source = ManifestSource(settings, state)
        await source.load()
        assert list(services(state)) == ["default/a"]
        await source.set_documents(B)
        assert list(services(state)) == ["default/b"]
        with pytest.raises(ManifestError, match="<documents>:1: Service default/c: spec"):
            await source.set_documents(service("c", "clusterIP: nonsense"))
        assert list(services(state)) == ["default/b"]


async def test_a_path_and_documents_together(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": A})
    settings = ManifestSettings.of(tmp_path, documents=B)
    state = ClusterState(settings.feeds, 1.0)
    source = ManifestSource(settings, state)
    await source.load()
    assert list(services(state)) == ["default/a", "default/b"]
    with pytest.raises(ManifestError, match=r"Service default/a: stands in .*a\.yaml:1 too"):
        await source.set_documents(A)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"pod_ranges": ("10.0.0.1/8", "fd00::/64")}, "pod_ranges: .* host bits"),
        ({"service_ranges": ("10.0.0.0/8",)}, "service_ranges: .* one IPv4 and one IPv6"),
        ({"families": ()}, "families"),
        ({"label_selector": "a=("}, "label selector"),
        ({"nodes": -1}, "nodes"),
    ],
)
def test_settings_that_cannot_be(options: dict[str, object], match: str) -> None:
    with pytest.raises(ManifestError, match=match):
        ManifestSettings.of("", **options)


@pytest.mark.parametrize("scene", ["demo", "statefulset"])
async def test_the_scenes_load(scene: str) -> None:
    folder = Path(__file__).parents[3] / "zones" / scene
    source, state = source_of(folder)
    await source.load()
    found = services(state)
    assert found["default/kubernetes"] == ("10.8.0.1",)
    assert found["kube-system/kube-dns"] == ("10.8.0.10",)
    addresses = [item[:2] for item in endpoints(state, "headless-demo")]
    if scene == "demo":
        assert found["default/nginx"] == ("10.8.5.220",)
        assert found["default/nodeport-demo"] == ("10.8.0.16",)
        assert len(endpoints(state, "nginx")) == 5
        assert addresses == [("10.4.1.32", ""), ("10.4.2.41", ""), ("10.4.3.101", "")]
    else:
        assert ("10.4.2.44", "hello-kubernetes-0") in addresses
        assert len(addresses) == 3
