"""The manifests source: folders and files of YAML or JSON become cluster state, and stay so while they change.

What is stated is served as it is. What a cluster's controllers would add is added, the same each time:

- Pods of Deployments, ReplicaSets, StatefulSets, DaemonSets (one per node; `ManifestSettings.nodes`, 1), Jobs and
  ReplicationControllers. Pods that are stated count: those that a workload owns (where one is, all are expected to
  be stated: a dump of a cluster), and those without owner that its selector matches. A Pod stated with the name of a
  StatefulSet's pod needs to state only what is special about it, for example `status.podIP`.
- Addresses of pods and Services, each from the hash of its name.
- EndpointSlices of Services with a selector, where no EndpointSlice and no Endpoints object is stated for them.
- Namespaces that any object names, and the four that every cluster starts with.

A Service `default/kubernetes` is not invented. Other kinds are counted (`ManifestSource.ignored`) and passed over.

`source.ManifestSource` is imported from its own module, and only where it is used: with its YAML it takes as long to
import as the rest of a server.
"""

from dnsserver.sources.manifests.settings import Documents, ManifestError, ManifestSettings

__all__ = ["Documents", "ManifestError", "ManifestSettings"]
