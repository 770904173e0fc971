"""What a cause is, and all codes that there are (docs/causes.md has a section for each)."""

from dataclasses import dataclass

from dnsserver.explaining.evidence import Place

#: The page that has a section for each code.
PAGE = "docs/causes.md"
#: Octets. The text that goes with Extended DNS Errors (RFC 8914 section 2, EXTRA-TEXT): it shall fit beside the answer.
SHORT_MAX = 64

#: Every code, and its text of SHORT_MAX octets at most. Codes stay: programs compare them.
SHORT = {
    # The name.
    "no-such-namespace": "no such namespace",
    "namespace-hidden": "namespace not served by option namespaces or namespace_labels",
    "no-such-service": "no such Service in this namespace",
    "service-in-another-namespace": "no such Service here, one of this name elsewhere",
    "service-hidden": "Service not served: its labels do not match option labels",
    "svc-label-missing": "label svc is missing between namespace and zone",
    "names-swapped": "Service and namespace stand in the wrong order",
    "pod-name-without-service": "a pod is named below its Service: POD.SERVICE.NAMESPACE.svc",
    "not-a-cluster-name": "below the cluster's zone only svc and pod exist",
    "too-many-labels": "too many labels for a name of the cluster",
    "search-list-suffix": "a search list put its suffix behind this name",
    "name-not-complete": "the name is not complete: it would need a search list",
    "final-dot": "the final dot keeps search lists away from this name",
    "another-zone": "the cluster has another zone than the one in the name",
    "no-such-address": "no Service and no ready endpoint has this address",
    "not-a-reverse-name": "not the reverse name of one address",
    # Services and what is behind them.
    "no-ready-endpoint": "headless Service without a ready endpoint",
    "terminating-only": "all pods of the headless Service are terminating",
    "selector-matches-nothing": "the selector of the Service matches no pod",
    "workload-without-pods": "the workload behind the Service keeps no pods at present",
    "service-without-selector": "headless Service without selector and EndpointSlice",
    "no-endpoint-slice": "ready pods, but no EndpointSlice lists them",
    "slices-of-host-names": "EndpointSlices of names (addressType FQDN) have no records",
    "slices-hidden": "EndpointSlices not served: labels do not match option labels",
    "endpoints-not-watched": "option noendpoints: nothing is known of endpoints",
    "empty-service-ignored": "Service without ready endpoint, left out by ignore empty_service",
    "no-such-port": "the Service has no port of this name",
    "wrong-protocol": "the port has another protocol",
    "port-and-protocol-swapped": "port and protocol stand in the wrong order",
    "port-without-name": "a port without a name has no SRV name of its own",
    "target-port-missing": "the pods have no port of the name in targetPort",
    "no-such-endpoint": "no ready endpoint of the Service has this name",
    "endpoint-not-ready": "the pod of this name is not ready",
    "service-name-mismatch": "the StatefulSet's serviceName is another Service",
    "ordinal-beyond-replicas": "the StatefulSet has fewer replicas",
    "pod-without-subdomain": "the pod has no hostname and subdomain for this name",
    "pod-not-selected": "the Service's selector does not match the pod",
    "family-not-present": "no address of this IP family",
    "type-not-present": "the name exists, but has no records of this type",
    "external-name-is-address": "externalName is an IP address",
    "external-name-invalid": "externalName is no domain name",
    "external-name-not-complete": "externalName is not the whole name of the Service it means",
    "external-name-target-missing": "the target of the ExternalName does not resolve",
    "external-name-loop": "the ExternalName leads back to itself",
    "below-external-name": "nothing exists below an ExternalName Service",
    # Names of pods by address.
    "pods-disabled": "pod names are off (option pods)",
    "malformed-pod-name": "not a pod name: write the address with dashes",
    "no-pod-with-address": "no known pod has this address (pods verified)",
    # The server's state.
    "not-synced": "the cluster's objects are not all known yet",
    "restored-state": "answered from an earlier run's state",
    "out-of-date": "the API server cannot be followed at present",
    "not-arrived-yet": "the API has it, this server does not yet",
    # Other plugins, other servers.
    "zone-not-served": "no server block has a zone for this name",
    "no-next-plugin": "no plugin of the server block answers this name",
    "another-block-answers": "another server block has a longer zone for this name",
    "answered-by-plugin": "another plugin answered first",
    "rewritten": "plugin rewrite asked for another name or type",
    "blocked-by-acl": "refused by plugin acl",
    "answered-from-cache": "an answer that was stored earlier",
    "stale-from-cache": "a stored answer that is out of date: upstream fails",
    "offline": "offline: no name outside of the cluster is resolved",
    "upstream-timeout": "no reply from upstream in time",
    "upstream-unreachable": "upstream cannot be reached",
    "upstream-servfail": "upstream answered SERVFAIL",
    "upstream-refused": "upstream answered REFUSED",
    "upstream-nxdomain": "upstream says that the name does not exist",
    "upstream-nodata": "upstream has the name, without this type",
    "upstream-failed": "upstream answered with an error",
    "no-answer": "the server sent nothing",
    "said-by-server": "the server says so itself, in an Extended DNS Error",
    "unexplained": "none of the known causes holds",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why there is no answer, or not the one that is wanted. `objects` are those to look at, the one to mend first;
    `advice` says what to do."""

    code: str
    sentence: str
    objects: tuple[Place, ...] = ()
    advice: str = ""

    @property
    def short(self) -> str:
        """SHORT_MAX octets at most, for Extended DNS Errors; of ASCII characters."""
        return SHORT[self.code]

    @property
    def docs(self) -> str:
        return f"{PAGE}#{self.code}"


@dataclass(frozen=True, slots=True)
class Rule:
    """By which rule a name has its records: `docs` is a section of docs/names.md."""

    code: str
    sentence: str
    objects: tuple[Place, ...] = ()

    @property
    def docs(self) -> str:
        return f"docs/names.md#{self.code}"
