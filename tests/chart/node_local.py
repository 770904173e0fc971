"""What the options of DNS on each node do (see `options`)."""

from tests.chart.options import TOLERATION, Batch, Effect
from tests.chart.rendering import Values

NAME = "coredns-dnsserver-node"
DAEMONSET = f"DaemonSet/{NAME}"
POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"
#: In front of a DNS that is not this release's.
ALONE: Values = {
    "deployment": {"enabled": False},
    "nodeLocal": {"enabled": True, "clusterIP": "10.96.0.10", "clusterZone": "watch"},
}
SURGE = {"maxSurge": 0, "maxUnavailable": "10%"}

FORWARDING = Batch(
    "forwarding",
    {
        "nodeLocal": {
            "enabled": True,
            "localIP": "169.254.25.10",
            "clusterIP": "10.96.0.10",
            "corefile": ".:53 {\n}\n",
            "setupNetwork": False,
            "extraArgs": ["-syncinterval=30s"],
            "resources": {"limits": {"memory": "96Mi"}},
            "rollingUpdate": SURGE,
            "priorityClassName": "high",
            "podAnnotations": {"example.com/pod": "x"},
            "nodeSelector": {"pool": "dns"},
            "tolerations": [TOLERATION],
        }
    },
    (
        Effect("nodeLocal.enabled", DAEMONSET, "kind", "DaemonSet"),
        Effect("nodeLocal.localIP", DAEMONSET, f"{CONTAINER}.livenessProbe.httpGet.host", "169.254.25.10"),
        Effect("nodeLocal.clusterIP", DAEMONSET, f"{CONTAINER}.args.2", "169.254.25.10,10.96.0.10"),
        Effect("nodeLocal.corefile", f"ConfigMap/{NAME}", "data.Corefile", ".:53 {\n}\n"),
        Effect("nodeLocal.setupNetwork", DAEMONSET, f"{CONTAINER}.args.9", "-setupinterface=false"),
        Effect("nodeLocal.setupNetwork", DAEMONSET, f"{CONTAINER}.args.10", "-setupiptables=false"),
        Effect("nodeLocal.extraArgs", DAEMONSET, f"{CONTAINER}.args.11", "-syncinterval=30s"),
        Effect("nodeLocal.resources", DAEMONSET, f"{CONTAINER}.resources.limits.memory", "96Mi"),
        *(
            Effect(
                f"nodeLocal.rollingUpdate.{key}", DAEMONSET, f"spec.updateStrategy.rollingUpdate.{key}", value
            )
            for key, value in SURGE.items()
        ),
        Effect("nodeLocal.priorityClassName", DAEMONSET, f"{POD}.priorityClassName", "high"),
        Effect(
            "nodeLocal.podAnnotations",
            DAEMONSET,
            "spec.template.metadata.annotations",
            {"example.com/pod": "x"},
        ),
        Effect("nodeLocal.nodeSelector", DAEMONSET, f"{POD}.nodeSelector.pool", "dns"),
        Effect("nodeLocal.tolerations", DAEMONSET, f"{POD}.tolerations", [TOLERATION]),
    ),
)

WATCHING = Batch(
    "watching",
    {"nodeLocal": {"enabled": True, "clusterZone": "watch", "clusterDomain": "k8s.example"}},
    (
        Effect("nodeLocal.clusterZone", f"ClusterRole/{NAME}", "rules.1.resources", ["endpointslices"]),
        Effect("nodeLocal.clusterZone", DAEMONSET, f"{POD}.automountServiceAccountToken", True),
        Effect(
            "nodeLocal.clusterDomain",
            f"ConfigMap/{NAME}",
            "data.Corefile",
            """\
k8s.example:53 in-addr.arpa:53 ip6.arpa:53 {
    errors
    bind __PILLAR__LOCAL__DNS__
    health 169.254.20.10:8080
    kubernetes k8s.example in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
        startup_timeout 15s
    }
    cache 30 {
        disable success k8s.example
        disable denial k8s.example
    }
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
    reload
    loop
    loadbalance
}
.:53 {
    errors
    bind __PILLAR__LOCAL__DNS__
    cache 30
    forward . __PILLAR__UPSTREAM__SERVERS__
    prometheus :9253
    reload
    loop
}
""",
        ),
    ),
)
