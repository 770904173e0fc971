"""What the chart does not take, and what it says then."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import RefusedError, Values, render

pytestmark = pytest.mark.tool("helm")

HERE = Path(__file__).parent
ANTI_AFFINITY = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname"}]
    }
}


def servers(*names: str, **more: Any) -> Values:
    """One server block with these plugins, and none of the chart's own."""
    return {"servers": [{"plugins": [{"name": name} for name in names], **more}]}


def addressed(health: str, ready: str) -> Values:
    """The probes' plugins with these parameters."""
    plugins = [{"name": "health", "parameters": health}, {"name": "ready", "parameters": ready}]
    return {"servers": [{"plugins": plugins}]}


PROBED = ("health", "ready")
#: Values, and what the message has to say.
REFUSED: tuple[tuple[Values, str], ...] = (
    ({"replicas": 3}, "additional properties 'replicas' not allowed"),
    (
        {"service": {"clusterIp": "10.96.0.10"}},
        "at '/service': additional properties 'clusterIp' not allowed",
    ),
    ({"nodelocal": {"enabled": True}}, "additional properties 'nodelocal' not allowed"),
    ({"replicaCount": "2"}, "at '/replicaCount': got string, want integer"),
    ({"image": {"repository": ""}}, "at '/image/repository'"),
    ({"image": {"digest": "sha256:12"}}, "at '/image/digest'"),
    ({"workers": "many"}, "at '/workers'"),
    ({"state": {"type": "tmpfs"}}, "at '/state/type': value must be one of 'emptyDir', 'memory', 'hostPath'"),
    ({"state": {"maxAge": "24"}}, "at '/state/maxAge'"),
    ({"serviceType": "ExternalName"}, "at '/serviceType': value must be one of"),
    ({"customAnnotations": {"a": True}}, "at '/customAnnotations/a': got boolean, want string"),
    ({"servers": []}, "at '/servers'"),
    ({"servers": [{"plugin": []}]}, "at '/servers/0': additional properties 'plugin' not allowed"),
    ({"servers": [{"zones": [{"zone": ".", "scheme": "tls"}]}]}, "at '/servers/0/zones/0/scheme'"),
    ({"livenessProbe": {"path": "/x"}}, "at '/livenessProbe': additional properties 'path' not allowed"),
    ({"hpa": {"metrics": {"metrics": []}}}, "at '/hpa/metrics': got object, want array"),
    ({"hpa": {"enabled": True}, "autoscaler": {"enabled": True}}, "undo each other's work"),
    ({"deployment": {"dnsPolicy": "None"}}, "deployment.dnsPolicy None needs deployment.dnsConfig"),
    ({"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": 0}}, "maxSurge and maxUnavailable are both 0"),
    ({"deployment": {"skipConfig": True, "existingConfigMap": "coredns"}}, "use one of them"),
    (
        servers(*PROBED, port=53)
        | {"servers": servers(*PROBED)["servers"] + servers(port=5353, servicePort=53)["servers"]},
        "the port 53/UDP twice",
    ),
    (
        {"service": {"joinExisting": "kube-dns", "clusterIP": "10.96.0.10"}},
        "service.clusterIP is for a Service that the chart makes",
    ),
    (
        {"service": {"joinExisting": "kube-dns"}, "k8sAppLabelOverride": "coredns"},
        "the Service kube-dns selects by k8s-app=kube-dns, and the pods have k8s-app=coredns",
    ),
    ({"state": {"type": "hostPath"}}, "two pods on one node would share the folder"),
    ({"state": {"type": "hostPath"}, "rollingUpdate": {"maxSurge": 0}}, "a required podAntiAffinity"),
    ({"state": {"type": "persistentVolumeClaim"}}, "needs state.existingClaim"),
    ({"state": {"type": "persistentVolumeClaim", "existingClaim": "a"}}, "set replicaCount to 1"),
    ({"hpa": {"enabled": True, "minReplicas": 11}}, "hpa.minReplicas 11 is more than hpa.maxReplicas 10"),
    (
        {"zoneFiles": [{"filename": "a", "contents": ""}], "deployment": {"existingConfigMap": "coredns"}},
        "deployment.existingConfigMap makes none; add them to that ConfigMap",
    ),
    ({"zoneFiles": [{"filename": "Corefile", "contents": ""}]}, "at '/zoneFiles/0/filename': 'not' failed"),
    ({"extraSecrets": [{"name": "state", "mountPath": "/x"}]}, "extraSecrets: state is the name of a volume"),
    (
        {"nodeLocal": {"enabled": True}, "isClusterService": False},
        "nodeLocal: the nodes ask the pods with the label k8s-app=kube-dns",
    ),
    (
        addressed("127.0.0.1:8080", ""),
        "livenessProbe: the plugin health listens on localhost only",
    ),
    (
        addressed("", "localhost:8181"),
        "readinessProbe: the plugin ready listens on localhost only",
    ),
    (servers("ready"), "no server block has the plugin health"),
    (servers("health"), "no server block has the plugin ready"),
    (
        servers(*PROBED) | {"prometheus": {"monitor": {"enabled": True}}},
        "no server block has the plugin prometheus",
    ),
    (
        servers(*PROBED, "prometheus") | {"prometheus": {"service": {"enabled": True}}},
        "listens on localhost only",
    ),
)

#: The same with what was asked for, or where the chart cannot know.
TAKEN: tuple[Values, ...] = (
    {"state": {"type": "hostPath"}, "rollingUpdate": {"maxSurge": 0}, "affinity": ANTI_AFFINITY},
    servers("ready") | {"livenessProbe": {"enabled": False}},
    servers("import") | {"prometheus": {"monitor": {"enabled": True}}},
    {"deployment": {"skipConfig": True}, **servers("whoami")},
    servers(*PROBED, "prometheus"),
    addressed("10.0.0.1:8080", "[::]:8181"),
    addressed("localhost:8080", "") | {"livenessProbe": {"enabled": False}},
    {"nodeLocal": {"enabled": True}, "isClusterService": False, "service": {"joinExisting": "kube-dns"}},
)


@pytest.mark.parametrize(("values", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refused(values: Values, message: str) -> None:
    with pytest.raises(RefusedError) as caught:
        render(values)
    assert message in str(caught.value)


@pytest.mark.parametrize("values", TAKEN, ids=[str(number) for number in range(len(TAKEN))])
def test_taken(values: Values) -> None:
    assert render(values).has("Deployment")


def test_every_block_refuses_what_it_does_not_know() -> None:
    """A misspelt key of any block is an error, not an option that does nothing."""
    known = yaml.safe_load((HERE / "official" / "every-key.yaml").read_text())
    misspelt = copy.deepcopy(known)
    places = [place for place in blocks(known) if place not in OPEN]
    for place in places:
        inner = misspelt
        for key in place:
            inner = inner[key]
        inner["misspelt"] = 1
    with pytest.raises(RefusedError) as caught:
        render(misspelt)
    for place in places:
        where = "".join(f"/{key}" for key in place)
        assert f"at '{where}': additional properties 'misspelt' not allowed" in str(caught.value)


#: Maps that hold what the user wants.
OPEN = {
    ("global",),
    *(
        (key,)
        for key in (
            "affinity",
            "nodeSelector",
            "podAnnotations",
            "podLabels",
            "customLabels",
            "customAnnotations",
        )
    ),
    *((key,) for key in ("resources", "podSecurityContext", "securityContext", "extraConfig")),
}


def blocks(values: Values, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The maps of the first two levels whose keys the chart has names for."""
    found = [prefix]
    for key, value in values.items():
        place = (*prefix, key)
        if isinstance(value, dict) and place not in OPEN and key not in FREE and len(place) < 3:
            found += blocks(value, place)
    return found


#: Their names at any place.
FREE = {
    *(
        "annotations",
        "selector",
        "resources",
        "affinity",
        "nodeSelector",
        "podAnnotations",
        "podSecurityContext",
    ),
    *("securityContext", "behavior", "dnsConfig", "additionalLabels", "tlsConfig"),
}
