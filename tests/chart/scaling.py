"""What the options of scaling, budgets, policies and server blocks do (see `options`)."""

from tests.chart.options import SIDECAR, TOLERATION, Batch, Effect, probe_effects
from tests.chart.rendering import Values

AUTOSCALER = "Deployment/coredns-dnsserver-autoscaler"
TEMPLATE = "spec.template.spec"
LIVENESS = {
    "initialDelaySeconds": 11,
    "periodSeconds": 6,
    "timeoutSeconds": 4,
    "failureThreshold": 5,
    "successThreshold": 1,
}
LINEAR = (
    '{"coresPerReplica":128,"includeUnschedulableNodes":true,"max":9,"min":3,'
    '"nodesPerReplica":8,"preventSinglePointFailure":false}'
)
NODE: Values = {"nodeAffinity": {}}

PROPORTIONAL = Batch(
    "proportional",
    {
        "autoscaler": {
            "enabled": True,
            "coresPerReplica": 128,
            "nodesPerReplica": 8,
            "min": 3,
            "max": 9,
            "includeUnschedulableNodes": True,
            "preventSinglePointFailure": False,
            "customFlags": ["--nodelabels=a=b"],
            "podAnnotations": {"example.com/pod": "x"},
            "podSecurityContext": {"fsGroup": 7},
            "securityContext": {"runAsUser": 8},
            "image": {
                "repository": "example/cpa",
                "tag": "v2",
                "digest": "",
                "pullPolicy": "Always",
                "pullSecrets": [{"name": "pull"}],
            },
            "priorityClassName": "high",
            "affinity": NODE,
            "nodeSelector": {"pool": "dns"},
            "tolerations": [TOLERATION],
            "resources": {"limits": {"memory": "64Mi"}},
            "configmap": {"annotations": {"example.com/map": "x"}},
            "livenessProbe": LIVENESS,
            "extraContainers": [SIDECAR],
        }
    },
    (
        Effect("autoscaler.enabled", "Deployment/coredns-dnsserver", "spec.replicas", None),
        *(
            Effect(f"autoscaler.{option}", "ConfigMap/coredns-dnsserver-autoscaler", "data.linear", LINEAR)
            for option in (
                "coresPerReplica",
                "nodesPerReplica",
                "min",
                "max",
                "includeUnschedulableNodes",
                "preventSinglePointFailure",
            )
        ),
        Effect(
            "autoscaler.customFlags", AUTOSCALER, f"{TEMPLATE}.containers.0.command.6", "--nodelabels=a=b"
        ),
        Effect(
            "autoscaler.podAnnotations", AUTOSCALER, "spec.template.metadata.annotations.example.com/pod", "x"
        ),
        Effect("autoscaler.podSecurityContext", AUTOSCALER, f"{TEMPLATE}.securityContext.fsGroup", 7),
        Effect(
            "autoscaler.securityContext", AUTOSCALER, f"{TEMPLATE}.containers.0.securityContext.runAsUser", 8
        ),
        Effect("autoscaler.image.repository", AUTOSCALER, f"{TEMPLATE}.containers.0.image", "example/cpa:v2"),
        Effect("autoscaler.image.tag", AUTOSCALER, f"{TEMPLATE}.containers.0.image", "example/cpa:v2"),
        Effect(
            "autoscaler.image.pullPolicy", AUTOSCALER, f"{TEMPLATE}.containers.0.imagePullPolicy", "Always"
        ),
        Effect(
            "autoscaler.image.pullSecrets", AUTOSCALER, f"{TEMPLATE}.imagePullSecrets", [{"name": "pull"}]
        ),
        Effect("autoscaler.priorityClassName", AUTOSCALER, f"{TEMPLATE}.priorityClassName", "high"),
        Effect("autoscaler.affinity", AUTOSCALER, f"{TEMPLATE}.affinity", NODE),
        Effect("autoscaler.nodeSelector", AUTOSCALER, f"{TEMPLATE}.nodeSelector.pool", "dns"),
        Effect("autoscaler.tolerations", AUTOSCALER, f"{TEMPLATE}.tolerations", [TOLERATION]),
        Effect(
            "autoscaler.resources", AUTOSCALER, f"{TEMPLATE}.containers.0.resources.limits.memory", "64Mi"
        ),
        Effect(
            "autoscaler.configmap.annotations",
            "ConfigMap/coredns-dnsserver-autoscaler",
            "metadata.annotations.example.com/map",
            "x",
        ),
        *probe_effects(
            "autoscaler.livenessProbe", AUTOSCALER, f"{TEMPLATE}.containers.0.livenessProbe", LIVENESS
        ),
        Effect("autoscaler.extraContainers", AUTOSCALER, f"{TEMPLATE}.containers.1", SIDECAR),
    ),
)

METRIC = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
}
PEER: Values = {"namespaceSelector": {}}
RULE = {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}

HORIZONTAL = Batch(
    "horizontal",
    {
        "fullnameOverride": "dns",
        "hpa": {
            "enabled": True,
            "minReplicas": 3,
            "maxReplicas": 6,
            "metrics": [METRIC],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 5}},
        },
        "podDisruptionBudget": {"minAvailable": 2},
        "networkPolicy": {"enabled": True, "dnsFrom": [PEER], "metricsFrom": [PEER], "egress": [RULE]},
        "livenessProbe": {"enabled": False},
        "readinessProbe": {"enabled": False},
        "prometheus": {"service": {"enabled": True}},
        "state": {"type": "emptyDir"},
        "serviceType": "NodePort",
        "servers": [
            {
                "zones": [{"zone": "a.example", "scheme": "dns://", "use_tcp": False}, {"zone": "b.example"}],
                "port": 1053,
                "servicePort": 53,
                "nodePort": 30053,
                "hostPort": 1053,
                "plugins": [{"name": "whoami"}, {"name": "prometheus", "parameters": ":9253"}],
            }
        ],
        "extraConfig": {"import": {"parameters": "/x/*.server"}},
    },
    (
        Effect("fullnameOverride", "Deployment", "metadata.name", "dns"),
        Effect("hpa.enabled", "Deployment", "spec.replicas", None),
        Effect("hpa.minReplicas", "HorizontalPodAutoscaler", "spec.minReplicas", 3),
        Effect("hpa.maxReplicas", "HorizontalPodAutoscaler", "spec.maxReplicas", 6),
        Effect("hpa.metrics", "HorizontalPodAutoscaler", "spec.metrics", [METRIC]),
        Effect(
            "hpa.behavior", "HorizontalPodAutoscaler", "spec.behavior.scaleDown.stabilizationWindowSeconds", 5
        ),
        Effect("podDisruptionBudget.minAvailable", "PodDisruptionBudget", "spec.minAvailable", 2),
        Effect("podDisruptionBudget.maxUnavailable", "PodDisruptionBudget", "spec.maxUnavailable", None),
        Effect(
            "networkPolicy.enabled",
            "NetworkPolicy",
            "spec.ingress.0.ports.0",
            {"protocol": "UDP", "port": 1053},
        ),
        Effect("networkPolicy.dnsFrom", "NetworkPolicy", "spec.ingress.0.from", [PEER]),
        Effect(
            "networkPolicy.metricsFrom",
            "NetworkPolicy",
            "spec.ingress.1",
            {"from": [PEER], "ports": [{"protocol": "TCP", "port": 9253}]},
        ),
        Effect("networkPolicy.egress", "NetworkPolicy", "spec.egress", [RULE]),
        Effect("networkPolicy.egress", "NetworkPolicy", "spec.policyTypes", ["Ingress", "Egress"]),
        Effect("livenessProbe.enabled", "container", "livenessProbe", None),
        Effect("readinessProbe.enabled", "container", "readinessProbe", None),
        Effect("prometheus.service.enabled", "Service/dns-metrics", "spec.ports.0.port", 9253),
        Effect(
            "servers",
            "Service/dns",
            "spec.ports.0",
            {"name": "dns", "protocol": "UDP", "port": 53, "targetPort": 1053, "nodePort": 30053},
        ),
        Effect(
            "servers",
            "container",
            "ports.1",
            {"name": "dns-tcp", "protocol": "TCP", "containerPort": 1053, "hostPort": 1053},
        ),
        Effect(
            "servers",
            "ConfigMap",
            "data.Corefile",
            "import /x/*.server\ndns://a.example:1053 b.example:1053 {\n    whoami\n    prometheus :9253\n}\n",
        ),
        Effect("extraConfig", "ClusterRole", "rules.0.resources.2", "pods"),
    ),
)

SWITCHED_OFF = Batch(
    "switched off",
    {
        "isClusterService": False,
        "serviceAccount": {"create": False},
        "rbac": {"create": False},
        "service": {"metricsPort": False},
        "podDisruptionBudget": None,
        "autoscaler": {
            "enabled": True,
            "livenessProbe": {"enabled": False},
            "image": {"digest": f"sha256:{'b' * 64}", "repository": "cpa"},
        },
        "deployment": {"skipConfig": True},
        "state": {"type": "persistentVolumeClaim", "existingClaim": "claim"},
        "workers": 0,
    },
    (
        Effect("isClusterService", "Service", "metadata.labels.k8s-app", None),
        Effect("isClusterService", "pod", "metadata.labels.k8s-app", None),
        Effect("serviceAccount.create", "pod", "spec.serviceAccountName", "default"),
        Effect("rbac.create", "ClusterRole", "", None),
        Effect("service.metricsPort", "Service", "spec.ports.2", None),
        Effect("podDisruptionBudget", "PodDisruptionBudget", "", None),
        Effect(
            "autoscaler.livenessProbe.enabled", AUTOSCALER, f"{TEMPLATE}.containers.0.livenessProbe", None
        ),
        Effect(
            "autoscaler.image.digest",
            AUTOSCALER,
            f"{TEMPLATE}.containers.0.image",
            f"cpa:v1.9.0@sha256:{'b' * 64}",
        ),
        Effect("deployment.skipConfig", "ConfigMap/coredns-dnsserver", "", None),
        Effect("workers", "container", "args", ["-conf", "/etc/coredns/Corefile", "--workers", "0"]),
        Effect("workers", "pod", "spec.volumes.1", None),
    ),
)

ONE_WITH_CLAIM = Batch(
    "one with a claim",
    {
        "replicaCount": 1,
        "rollingUpdate": {"maxSurge": 0},
        "state": {"type": "persistentVolumeClaim", "existingClaim": "claim"},
        "service": {"joinExisting": "kube-dns"},
    },
    (
        Effect("state.existingClaim", "pod", "spec.volumes.1.persistentVolumeClaim.claimName", "claim"),
        Effect("service.joinExisting", "Service", "", None),
    ),
)

WITHOUT_DEPLOYMENT = Batch(
    "without deployment",
    {"deployment": {"enabled": False, "name": "coredns"}, "hpa": {"enabled": True}},
    (
        Effect("deployment.enabled", "Deployment", "", None),
        Effect("deployment.enabled", "Service", "", None),
        Effect("deployment.name", "HorizontalPodAutoscaler", "spec.scaleTargetRef.name", "coredns"),
    ),
)
