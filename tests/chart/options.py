"""What each option of values.yaml does: values that are no defaults, and where they show in the rendered objects."""

from dataclasses import dataclass
from typing import Any

from tests.chart.rendering import Values


@dataclass(frozen=True, slots=True)
class Effect:
    """*option* shows at *place* of the object *target*: KIND, KIND/NAME, or `pod` or `container` of the server."""

    option: str
    target: str
    place: str
    expected: Any

    def __str__(self) -> str:
        return f"{self.option} in {self.target}.{self.place}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Options that can be rendered together."""

    name: str
    values: Values
    effects: tuple[Effect, ...]


def probe_effects(option: str, target: str, place: str, numbers: dict[str, int]) -> tuple[Effect, ...]:
    return tuple(
        Effect(f"{option}.{key}", target, f"{place}.{key}", number) for key, number in numbers.items()
    )


LIVENESS = {
    "initialDelaySeconds": 61,
    "periodSeconds": 11,
    "timeoutSeconds": 6,
    "failureThreshold": 7,
    "successThreshold": 3,
}
READINESS = {
    "initialDelaySeconds": 31,
    "periodSeconds": 7,
    "timeoutSeconds": 3,
    "failureThreshold": 2,
    "successThreshold": 2,
}
TERM = {"matchExpressions": [{"key": "a", "operator": "Exists"}]}
NODES = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]}}}
VOLUME = {"name": "extra", "emptyDir": {}}
MOUNT = {"name": "extra", "mountPath": "/extra"}
SIDECAR = {"name": "side", "image": "example/side:1"}
INIT = {"name": "init", "image": "example/init:1"}
VARIABLE = {"name": "UPSTREAM", "value": "192.0.2.1"}
TOLERATION = {"key": "dns", "operator": "Exists"}
DNS_CONFIG = {"nameservers": ["192.0.2.1"]}

POD = Batch(
    "pod",
    {
        "image": {
            "repository": "example/dns",
            "tag": "2",
            "digest": f"sha256:{'a' * 64}",
            "pullPolicy": "Always",
            "pullSecrets": [{"name": "pull"}],
        },
        "replicaCount": 3,
        "workers": 3,
        "extraArgs": ["--judge", "0.01"],
        "state": {"type": "memory", "sizeLimit": "64Mi", "maxAge": "1h"},
        "resources": {"limits": {"memory": "1Gi"}},
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 2},
        "terminationGracePeriodSeconds": 45,
        "podAnnotations": {"example.com/pod": "annotated"},
        "podLabels": {"example.com/pod": "labelled"},
        "automountServiceAccountToken": True,
        "priorityClassName": "high",
        "podSecurityContext": {"fsGroup": 7},
        "securityContext": {"runAsUser": 8},
        "livenessProbe": LIVENESS,
        "readinessProbe": READINESS,
        "affinity": NODES,
        "topologySpreadConstraints": [
            {"maxSkew": 2, "topologyKey": "{{ .Release.Name }}", "whenUnsatisfiable": "DoNotSchedule"}
        ],
        "nodeSelector": {"pool": "dns"},
        "tolerations": [TOLERATION],
        "extraContainers": [SIDECAR],
        "initContainers": [INIT],
        "extraVolumes": [VOLUME],
        "extraVolumeMounts": [MOUNT],
        "extraSecrets": [
            {"name": "tls", "mountPath": "/tls"},
            {"name": "tls2", "mountPath": "/tls2", "defaultMode": 256},
        ],
        "env": [VARIABLE],
        "zoneFiles": [{"filename": "a.db", "domain": "a.example", "contents": "a.example. IN A 192.0.2.1\n"}],
        "deployment": {
            "name": "other",
            "annotations": {"example.com/deployment": "x"},
            "dnsPolicy": "None",
            "dnsConfig": DNS_CONFIG,
        },
    },
    (
        Effect("image.repository", "container", "image", f"example/dns:2@sha256:{'a' * 64}"),
        Effect("image.tag", "Deployment", "metadata.labels.app.kubernetes.io/version", "2"),
        Effect("image.digest", "container", "image", f"example/dns:2@sha256:{'a' * 64}"),
        Effect("image.pullPolicy", "container", "imagePullPolicy", "Always"),
        Effect("image.pullSecrets", "pod", "spec.imagePullSecrets", [{"name": "pull"}]),
        Effect("image.pullSecrets", "ServiceAccount", "imagePullSecrets", [{"name": "pull"}]),
        Effect("replicaCount", "Deployment", "spec.replicas", 3),
        Effect("workers", "container", "args.3", "3"),
        Effect("state.maxAge", "container", "args.7", "1h"),
        Effect("extraArgs", "container", "args.9", "0.01"),
        Effect("state.type", "pod", "spec.volumes.1.emptyDir.medium", "Memory"),
        Effect("state.sizeLimit", "pod", "spec.volumes.1.emptyDir.sizeLimit", "64Mi"),
        Effect("resources", "container", "resources.limits.memory", "1Gi"),
        Effect("rollingUpdate.maxUnavailable", "Deployment", "spec.strategy.rollingUpdate.maxUnavailable", 0),
        Effect("rollingUpdate.maxSurge", "Deployment", "spec.strategy.rollingUpdate.maxSurge", 2),
        Effect("terminationGracePeriodSeconds", "pod", "spec.terminationGracePeriodSeconds", 45),
        Effect("podAnnotations", "pod", "metadata.annotations.example.com/pod", "annotated"),
        Effect("podLabels", "pod", "metadata.labels.example.com/pod", "labelled"),
        Effect("automountServiceAccountToken", "pod", "spec.automountServiceAccountToken", True),
        Effect("priorityClassName", "pod", "spec.priorityClassName", "high"),
        Effect("podSecurityContext", "pod", "spec.securityContext.fsGroup", 7),
        Effect("securityContext", "container", "securityContext.runAsUser", 8),
        *probe_effects("livenessProbe", "container", "livenessProbe", LIVENESS),
        *probe_effects("readinessProbe", "container", "readinessProbe", READINESS),
        Effect("affinity", "pod", "spec.affinity.nodeAffinity", NODES["nodeAffinity"]),
        Effect("topologySpreadConstraints", "pod", "spec.topologySpreadConstraints.0.topologyKey", "coredns"),
        Effect("nodeSelector", "pod", "spec.nodeSelector.pool", "dns"),
        Effect("tolerations", "pod", "spec.tolerations", [TOLERATION]),
        Effect("extraContainers", "pod", "spec.containers.1", SIDECAR),
        Effect("initContainers", "pod", "spec.initContainers", [INIT]),
        Effect("extraVolumes", "pod", "spec.volumes.4", VOLUME),
        Effect("extraVolumeMounts", "container", "volumeMounts.4", MOUNT),
        Effect("extraSecrets", "pod", "spec.volumes.2.secret", {"secretName": "tls", "defaultMode": 0o444}),
        Effect("extraSecrets", "pod", "spec.volumes.3.secret", {"secretName": "tls2", "defaultMode": 0o400}),
        Effect(
            "extraSecrets",
            "container",
            "volumeMounts.2",
            {"name": "tls", "mountPath": "/tls", "readOnly": True},
        ),
        Effect("env", "container", "env", [VARIABLE]),
        Effect("zoneFiles", "ConfigMap", "data.a.db", "a.example. IN A 192.0.2.1\n"),
        Effect("zoneFiles", "pod", "spec.volumes.0.configMap.items.1", {"key": "a.db", "path": "a.db"}),
        Effect("deployment.name", "Deployment", "metadata.name", "other"),
        Effect("deployment.annotations", "Deployment", "metadata.annotations.example.com/deployment", "x"),
        Effect("deployment.dnsPolicy", "pod", "spec.dnsPolicy", "None"),
        Effect("deployment.dnsConfig", "pod", "spec.dnsConfig", DNS_CONFIG),
    ),
)

NAMES = Batch(
    "names",
    {
        "nameOverride": "named",
        "customLabels": {"example.com/team": "dns", "kubernetes.io/name": "DNS"},
        "customAnnotations": {"example.com/owner": "dns"},
        "k8sAppLabelOverride": "other-dns",
        "serviceAccount": {"name": "account", "annotations": {"example.com/account": "x"}},
        "clusterRole": {"nameOverride": "role"},
        "rbac": {"pods": True, "multiclusterEnable": True},
        "service": {
            "name": "kube-dns",
            "annotations": {"example.com/service": "x"},
            "selector": {"app": "x"},
            "clusterIP": "10.96.0.10",
            "clusterIPs": ["10.96.0.10", "fd00::10"],
            "externalIPs": ["192.0.2.7"],
            "externalTrafficPolicy": "Local",
            "ipFamilyPolicy": "PreferDualStack",
            "loadBalancerIP": "192.0.2.8",
            "loadBalancerClass": "example.com/class",
            "trafficDistribution": "PreferClose",
            "portNames": "official-chart",
            "keep": False,
        },
        "serviceType": "LoadBalancer",
        "deployment": {"selector": {"matchLabels": {"app": "x"}}, "existingConfigMap": "coredns"},
        "state": {"type": "hostPath", "hostPath": "/srv/dns"},
        "rollingUpdate": {"maxSurge": 0},
        "replicaCount": 1,
    },
    (
        Effect("nameOverride", "ServiceAccount", "metadata.labels.app.kubernetes.io/name", "named"),
        Effect("nameOverride", "Deployment", "metadata.name", "coredns-named"),
        Effect("customLabels", "Service", "metadata.labels.example.com/team", "dns"),
        Effect("customLabels", "Service", "metadata.labels.kubernetes.io/name", "DNS"),
        Effect("customLabels", "pod", "metadata.labels.example.com/team", "dns"),
        Effect("customAnnotations", "ClusterRole", "metadata.annotations", {"example.com/owner": "dns"}),
        Effect("k8sAppLabelOverride", "ServiceAccount", "metadata.labels.k8s-app", "other-dns"),
        Effect("serviceAccount.name", "ServiceAccount", "metadata.name", "account"),
        Effect("serviceAccount.name", "pod", "spec.serviceAccountName", "account"),
        Effect(
            "serviceAccount.annotations", "ServiceAccount", "metadata.annotations.example.com/account", "x"
        ),
        Effect("clusterRole.nameOverride", "ClusterRole", "metadata.name", "role"),
        Effect("clusterRole.nameOverride", "ClusterRoleBinding", "roleRef.name", "role"),
        Effect("rbac.pods", "ClusterRole", "rules.0.resources.2", "pods"),
        Effect("rbac.multiclusterEnable", "ClusterRole", "rules.2.resources", ["serviceimports"]),
        Effect("service.name", "Service", "metadata.name", "kube-dns"),
        Effect("service.annotations", "Service", "metadata.annotations.example.com/service", "x"),
        Effect("service.keep", "Service", "metadata.annotations.helm.sh/resource-policy", None),
        Effect("service.selector", "Service", "spec.selector", {"app": "x"}),
        Effect("service.clusterIP", "Service", "spec.clusterIP", "10.96.0.10"),
        Effect("service.clusterIPs", "Service", "spec.clusterIPs", ["10.96.0.10", "fd00::10"]),
        Effect("service.externalIPs", "Service", "spec.externalIPs", ["192.0.2.7"]),
        Effect("service.externalTrafficPolicy", "Service", "spec.externalTrafficPolicy", "Local"),
        Effect("service.ipFamilyPolicy", "Service", "spec.ipFamilyPolicy", "PreferDualStack"),
        Effect("service.loadBalancerIP", "Service", "spec.loadBalancerIP", "192.0.2.8"),
        Effect("service.loadBalancerClass", "Service", "spec.loadBalancerClass", "example.com/class"),
        Effect("service.trafficDistribution", "Service", "spec.trafficDistribution", "PreferClose"),
        Effect("service.portNames", "Service", "spec.ports.0.name", "udp-53"),
        Effect("serviceType", "Service", "spec.type", "LoadBalancer"),
        Effect("deployment.selector", "Deployment", "spec.selector", {"matchLabels": {"app": "x"}}),
        Effect("deployment.selector", "pod", "metadata.labels.app", "x"),
        Effect("deployment.existingConfigMap", "pod", "spec.volumes.0.configMap", {"name": "coredns"}),
        Effect("state.hostPath", "pod", "spec.volumes.1.hostPath.path", "/srv/dns"),
    ),
)

SCRAPING = {
    "additionalLabels": {"release": "prometheus"},
    "namespace": "monitoring",
    "jobLabel": "app.kubernetes.io/name",
    "interval": "15s",
    "scrapeTimeout": "10s",
    "scheme": "https",
    "honorLabels": True,
    "tlsConfig": {"insecureSkipVerify": True},
    "relabelings": [{"sourceLabels": ["__address__"], "targetLabel": "instance"}],
    "metricRelabelings": [{"sourceLabels": ["__name__"], "action": "keep", "regex": "coredns_.*"}],
}
IN_METADATA = {
    "namespace": "metadata.namespace",
    "additionalLabels": "metadata.labels.release",
    "jobLabel": "spec.jobLabel",
}


def _scraping(block: str, kind: str, endpoints: str) -> tuple[Effect, ...]:
    found = []
    for key, value in SCRAPING.items():
        place = IN_METADATA.get(key, f"spec.{endpoints}.0.{key}")
        found.append(
            Effect(f"{block}.{key}", kind, place, "prometheus" if key == "additionalLabels" else value)
        )
    return tuple(found)


METRICS = "Service/coredns-dnsserver-metrics"
DASHBOARD = "ConfigMap/coredns-dnsserver-dashboard"
MONITORING = Batch(
    "monitoring",
    {
        "prometheus": {
            "service": {"annotations": {"example.com/metrics": "x"}, "selector": {"app": "x"}},
            "monitor": {"enabled": True, "selector": {"matchLabels": {"app": "x"}}, **SCRAPING},
            "podMonitor": {"enabled": True, **SCRAPING},
            "rules": {
                "enabled": True,
                "additionalLabels": {"role": "alerts"},
                "annotations": {"a": "b"},
                "namespace": "monitoring",
                "job": "other",
                "disabled": ["CoreDNSLatencyHigh"],
            },
            "dashboard": {
                "enabled": True,
                "additionalLabels": {"grafana_dashboard": "yes"},
                "annotations": {"folder": "DNS"},
                "namespace": "grafana",
            },
        }
    },
    (
        Effect("prometheus.service.annotations", METRICS, "metadata.annotations.example.com/metrics", "x"),
        Effect("prometheus.service.selector", METRICS, "spec.selector", {"app": "x"}),
        Effect("prometheus.monitor.enabled", METRICS, "spec.ports.0.name", "metrics"),
        Effect("prometheus.monitor.enabled", "ServiceMonitor", "spec.endpoints.0.port", "metrics"),
        Effect(
            "prometheus.monitor.selector", "ServiceMonitor", "spec.selector", {"matchLabels": {"app": "x"}}
        ),
        *_scraping("prometheus.monitor", "ServiceMonitor", "endpoints"),
        Effect("prometheus.podMonitor.enabled", "PodMonitor", "spec.podMetricsEndpoints.0.port", "metrics"),
        *_scraping("prometheus.podMonitor", "PodMonitor", "podMetricsEndpoints"),
        Effect("prometheus.rules.enabled", "PrometheusRule", "spec.groups.0.rules.0.alert", "CoreDNSDown"),
        Effect(
            "prometheus.rules.job",
            "PrometheusRule",
            "spec.groups.0.rules.0.expr",
            'absent(up{job="other"} == 1)',
        ),
        Effect(
            "prometheus.rules.disabled", "PrometheusRule", "spec.groups.0.rules.1.alert", "CoreDNSErrorsHigh"
        ),
        Effect("prometheus.rules.additionalLabels", "PrometheusRule", "metadata.labels.role", "alerts"),
        Effect("prometheus.rules.annotations", "PrometheusRule", "metadata.annotations.a", "b"),
        Effect("prometheus.rules.namespace", "PrometheusRule", "metadata.namespace", "monitoring"),
        Effect("prometheus.dashboard.enabled", DASHBOARD, "metadata.name", "coredns-dnsserver-dashboard"),
        Effect(
            "prometheus.dashboard.additionalLabels", DASHBOARD, "metadata.labels.grafana_dashboard", "yes"
        ),
        Effect("prometheus.dashboard.annotations", DASHBOARD, "metadata.annotations.folder", "DNS"),
        Effect("prometheus.dashboard.namespace", DASHBOARD, "metadata.namespace", "grafana"),
    ),
)
