"""What the cluster's controllers would add, and that what is stated is never changed."""

import re
from pathlib import Path

import pytest

from dnsserver.sources.manifests import ManifestError
from tests.sources.manifests.helpers import (
    endpoints,
    joined,
    load,
    pod,
    pods,
    ports,
    service,
    services,
    workload,
)

WEB = service("web", "clusterIP: None, selector: {app: web}, ports: [{name: http, port: 80}]")


# Pods of workloads.


@pytest.mark.parametrize(
    ("manifest", "count"),
    [
        (workload("Deployment"), 3),
        (workload("Deployment", spec="paused: true"), 1),
        (workload("Deployment", spec="replicas: 0"), 0),
        (workload("ReplicaSet"), 3),
        (workload("ReplicationController", spec="replicas: 2, selector: {app: web}"), 2),
        (workload("StatefulSet"), 3),
        (workload("DaemonSet", spec="minReadySeconds: 1"), 1),
        (workload("Job", spec="backoffLimit: 1"), 1),
        (workload("Job", spec="parallelism: 3, completions: 2"), 2),
        (workload("Job", spec="parallelism: 3, suspend: true"), 0),
        (workload("Deployment", status="observedGeneration: 1, replicas: 2"), 2),
        (workload("Deployment", status="observedGeneration: 1"), 0),
        (workload("DaemonSet", spec="a: b", status="observedGeneration: 1, currentNumberScheduled: 4"), 4),
        (workload("Job", spec="parallelism: 3", status="startTime: x, succeeded: 3"), 0),
    ],
)
async def test_how_many_pods(tmp_path: Path, manifest: str, count: int) -> None:
    state = await load(tmp_path, joined(WEB, manifest))
    assert len(endpoints(state, "web")) == len(pods(state)) == count


async def test_a_daemon_set_has_a_pod_per_node(tmp_path: Path) -> None:
    state = await load(tmp_path, joined(WEB, workload("DaemonSet", spec="a: b")), nodes=3)
    assert len(endpoints(state, "web")) == 3


async def test_names_of_pods_look_like_a_clusters(tmp_path: Path) -> None:
    kinds = ("Deployment", "ReplicaSet", "DaemonSet", "Job")
    text = joined(*(workload(kind, kind.lower(), "replicas: 1") for kind in kinds))
    names = [name.partition("/")[2] for name in pods(await load(tmp_path, text))]
    letters = "[bcdfghjklmnpqrstvwxz2456789]"
    patterns = [f"daemonset-{letters}{{5}}", f"deployment-{letters}{{10}}-{letters}{{5}}"]
    patterns += [f"job-{letters}{{5}}", f"replicaset-{letters}{{5}}"]
    for name, pattern in zip(names, patterns, strict=True):
        assert re.fullmatch(pattern, name), name


async def test_long_names_are_cut_as_the_api_does(tmp_path: Path) -> None:
    text = workload("Deployment", "a" * 63, "replicas: 2")
    names = [name.partition("/")[2] for name in pods(await load(tmp_path, text))]
    assert [len(name) for name in names] == [63, 63]
    assert len(set(names)) == 2


async def test_stateful_pods_have_names_of_their_own(tmp_path: Path) -> None:
    spec = "replicas: 2, serviceName: web, ordinals: {start: 5}"
    state = await load(
        tmp_path, joined(WEB, service("other", "selector: {app: web}"), workload("StatefulSet", spec=spec))
    )
    assert [item[1:] for item in endpoints(state, "web")] == [("web-5", "web-5"), ("web-6", "web-6")]
    assert [item[1] for item in endpoints(state, "other")] == ["", ""]


async def test_one_stateful_pod_by_its_label(tmp_path: Path) -> None:
    one = service("one", "selector: {statefulset.kubernetes.io/pod-name: web-1}")
    state = await load(tmp_path, joined(one, workload("StatefulSet")))
    assert [item[2] for item in endpoints(state, "one")] == ["web-1"]


async def test_a_stateful_pod_needs_to_state_only_what_is_special(tmp_path: Path) -> None:
    stated = "apiVersion: v1\nkind: Pod\nmetadata: {name: web-1}\nstatus: {podIP: 10.4.2.44}\n"
    template = "containers: [{name: c, ports: [{name: web, containerPort: 8080}]}]"
    text = joined(
        service("web", "selector: {app: web}, ports: [{name: http, port: 80, targetPort: web}]"),
        workload("StatefulSet", spec="replicas: 3, serviceName: web", template=template),
        stated,
    )
    state = await load(tmp_path, text)
    assert ("10.4.2.44", "web-1", "web-1") in endpoints(state, "web")
    assert len(pods(state)) == 3
    assert ports(state, "web") == [[("http", "tcp", 8080)]]


async def test_indexed_jobs_have_host_names(tmp_path: Path) -> None:
    spec = "completionMode: Indexed, completions: 2, parallelism: 2"
    state = await load(tmp_path, joined(WEB, workload("Job", spec=spec, template="subdomain: web")))
    assert sorted(item[1] for item in endpoints(state, "web")) == ["web-0", "web-1"]


async def test_stated_pods_that_a_workload_selects_count(tmp_path: Path) -> None:
    text = joined(WEB, workload("Deployment"), pod("mine", status="podIP: 10.4.1.32"), pod("else", "app: x"))
    state = await load(tmp_path, text)
    assert len(endpoints(state, "web")) == 3
    assert ("10.4.1.32", "", "mine") in endpoints(state, "web")
    assert len(pods(state)) == 4


async def test_a_selector_with_expressions(tmp_path: Path) -> None:
    spec = "replicas: 2, selector: {matchExpressions: [{key: app, operator: In, values: [web, x]}]}"
    state = await load(tmp_path, joined(WEB, workload("Deployment", spec=spec), pod("mine")))
    assert len(pods(state)) == 2


async def test_a_stated_pod_is_adopted_once(tmp_path: Path) -> None:
    both = [
        workload("ReplicaSet", spec="replicas: 1", meta="annotations: {a: b}"),
        workload("Deployment", spec="replicas: 1"),
    ]
    assert len(pods(await load(tmp_path, joined(*both, pod("mine"))))) == 2


OWNED = "ownerReferences: [{kind: ReplicaSet, name: web-abc, controller: true}]"


@pytest.mark.parametrize("with_replica_set", [True, False])
async def test_a_dump_is_not_added_to(tmp_path: Path, with_replica_set: bool) -> None:
    """Three replicas are asked for, one pod is there: as in a cluster that has no room."""
    owner = "ownerReferences: [{kind: Deployment, name: web, controller: true}]"
    label = "app: web" if with_replica_set else "app: web, pod-template-hash: abc"
    text = joined(
        WEB,
        workload("Deployment"),
        *([workload("ReplicaSet", "web-abc", meta=owner)] if with_replica_set else []),
        pod("web-abc-1", label, "phase: Running, podIP: 10.4.0.1", meta=OWNED),
        pod("web-abc-2", label, "phase: Pending", meta=OWNED),
    )
    state = await load(tmp_path, text)
    assert endpoints(state, "web") == [("10.4.0.1", "", "web-abc-1")]
    assert pods(state) == {"default/web-abc-1": "10.4.0.1", "default/web-abc-2": ""}


async def test_a_whole_dump_is_served_as_it_is(tmp_path: Path) -> None:
    slice_of_web = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-xyz, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
- {addresses: [10.4.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: web-0}}
- {addresses: [10.4.0.2], conditions: {ready: false, serving: true, terminating: true}}
"""
    mirror = (
        "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\nsubsets: [{addresses: [{ip: 10.4.0.1}]}]\n"
    )
    owned = "ownerReferences: [{kind: StatefulSet, name: web, controller: true}]"
    documents = [
        service("web", "clusterIP: 10.8.0.1, clusterIPs: [10.8.0.1], selector: {app: web}, type: ClusterIP"),
        slice_of_web,
        mirror,
        workload("StatefulSet", status="observedGeneration: 2, replicas: 3"),
        pod("web-0", status="phase: Running, podIP: 10.4.0.1, podIPs: [{ip: 10.4.0.1}]", meta=owned),
        pod("done", status="phase: Succeeded, podIP: 10.4.0.9", meta=owned),
    ]
    text = "apiVersion: v1\nkind: List\nitems:\n"
    for document in documents:
        lines = document.splitlines()
        text += "- " + "\n  ".join(lines) + "\n"
    state = await load(tmp_path, {"dump.yaml": text})
    assert services(state) == {"default/web": ("10.8.0.1",)}
    assert endpoints(state, "web") == [("10.4.0.1", "", "web-0")]
    assert pods(state) == {"default/web-0": "10.4.0.1"}


async def test_too_many_replicas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ManifestError, match=r"spec\.replicas: 2000000000 is not in 0\.\.\.150000"):
        await load(tmp_path, workload("Deployment", spec="replicas: 2000000000"))
    monkeypatch.setattr("dnsserver.sources.manifests.workloads.MAX_REPLICAS", 150)
    some = joined(*(workload("Deployment", f"d{place}", "replicas: 100") for place in range(2)))
    with pytest.raises(
        ManifestError, match="all manifests together: the workloads ask for more than 150 pods"
    ):
        await load(tmp_path, some)


# Endpoints.


@pytest.mark.parametrize(
    ("stated", "ready"),
    [
        (pod("p", status="podIP: 10.4.0.1"), True),
        (
            pod("p", status="podIP: 10.4.0.1, phase: Running, conditions: [{type: Ready, status: 'True'}]"),
            True,
        ),
        (
            pod("p", status="podIP: 10.4.0.1, phase: Running, conditions: [{type: Ready, status: 'False'}]"),
            False,
        ),
        (pod("p", status="podIP: 10.4.0.1, conditions: [{type: PodScheduled, status: 'True'}]"), False),
        (pod("p", status="podIP: 10.4.0.1", meta="deletionTimestamp: 2024-01-01T00:00:00Z"), False),
        (pod("p", status="podIP: 10.4.0.1, phase: Pending"), True),
    ],
)
async def test_readiness(tmp_path: Path, stated: str, ready: bool) -> None:
    tolerant = service("tolerant", "publishNotReadyAddresses: true, clusterIP: None, selector: {app: web}")
    state = await load(tmp_path, joined(WEB, tolerant, stated))
    assert bool(endpoints(state, "web")) is ready
    assert endpoints(state, "tolerant") == [("10.4.0.1", "", "p")]


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
async def test_finished_pods_are_never_endpoints(tmp_path: Path, phase: str) -> None:
    tolerant = service("web", "publishNotReadyAddresses: true, selector: {app: web}")
    state = await load(tmp_path, joined(tolerant, pod("p", status=f"podIP: 10.4.0.1, phase: {phase}")))
    assert endpoints(state, "web") == []
    assert pods(state) == {}


async def test_ports_by_number_and_by_name(tmp_path: Path) -> None:
    spec = (
        "[{name: a, port: 80}, {name: b, port: 81, targetPort: 8081}, {name: c, port: 82, targetPort: web}]"
    )
    first = "containers: [{ports: [{name: web, containerPort: 1, protocol: UDP}, {name: web, containerPort: 9000}]}]"
    side = "initContainers: [{restartPolicy: Always, ports: [{name: web, containerPort: 9001}]}]"
    text = joined(
        service("web", f"selector: {{app: web}}, ports: {spec}"),
        pod("p1", status="podIP: 10.4.0.1", spec=first),
        pod("p2", status="podIP: 10.4.0.2", spec=side),
        pod("p3", status="podIP: 10.4.0.3"),
    )
    state = await load(tmp_path, text)
    fixed = [("a", "tcp", 80), ("b", "tcp", 8081)]
    expected = [fixed, [*fixed, ("c", "tcp", 9000)], [*fixed, ("c", "tcp", 9001)]]
    assert sorted(ports(state, "web")) == expected


async def test_host_names_need_the_subdomain_of_the_service(tmp_path: Path) -> None:
    text = joined(
        WEB,
        pod("p1", status="podIP: 10.4.0.1", spec="hostname: one, subdomain: web"),
        pod("p2", status="podIP: 10.4.0.2", spec="hostname: two, subdomain: other"),
        pod("p3", status="podIP: 10.4.0.3", spec="hostname: three"),
    )
    assert [item[1] for item in endpoints(await load(tmp_path, text), "web")] == ["one", "", ""]


async def test_selectors_stay_in_their_namespace_and_need_all_labels(tmp_path: Path) -> None:
    text = joined(
        service("web", "selector: {app: web, tier: front}"),
        pod("p1", "app: web, tier: front", "podIP: 10.4.0.1"),
        pod("p2", "app: web", "podIP: 10.4.0.2"),
        pod("p3", "app: web, tier: front", "podIP: 10.4.0.3", meta="namespace: other"),
    )
    assert endpoints(await load(tmp_path, text), "web") == [("10.4.0.1", "", "p1")]


async def test_no_endpoints_without_selector_or_for_external_names(tmp_path: Path) -> None:
    text = joined(
        service("bare", "clusterIP: None"),
        service("outside", "type: ExternalName, externalName: example.com, selector: {app: web}"),
        pod("p", status="podIP: 10.4.0.1"),
    )
    state = await load(tmp_path, text)
    assert endpoints(state, "bare") == endpoints(state, "outside") == []
    assert services(state) == {"default/bare": ("None",), "default/outside": ()}


async def test_stated_endpoints_are_not_added_to(tmp_path: Path) -> None:
    subset = "{addresses: [{ip: 192.0.2.1}], ports: [{port: 1}]}"
    ends = f"apiVersion: v1\nkind: Endpoints\nmetadata: {{name: web%s}}\nsubsets: [{subset}]\n"
    skipped = ends.replace(
        "{name: web%s}", "{name: skip, labels: {endpointslice.kubernetes.io/skip-mirror: 'true'}}"
    )
    text = joined(WEB, pod("p"), ends % "", ends % "-orphan", skipped, service("skip"))
    state = await load(tmp_path, text)
    assert endpoints(state, "web") == [("192.0.2.1", "", "")]
    assert endpoints(state, "web-orphan") == endpoints(state, "skip") == []
