{{/* Values that cannot work together end the rendering, with what to change. */}}

{{- define "dnsserver.refuse" -}}
{{- if and .Values.hpa.enabled .Values.autoscaler.enabled -}}
{{- fail "hpa.enabled and autoscaler.enabled: two autoscalers would undo each other's work; enable one of them" -}}
{{- end -}}
{{- if and .Values.hpa.enabled (gt (int .Values.hpa.minReplicas) (int .Values.hpa.maxReplicas)) -}}
{{- fail (printf "hpa.minReplicas %v is more than hpa.maxReplicas %v" .Values.hpa.minReplicas .Values.hpa.maxReplicas) -}}
{{- end -}}
{{- if .Values.deployment.enabled -}}
{{- include "dnsserver.refusePods" . -}}
{{- include "dnsserver.refuseFiles" . -}}
{{- include "dnsserver.refusePorts" . -}}
{{- include "dnsserver.refuseService" . -}}
{{- include "dnsserver.refuseTakeOver" . -}}
{{- include "dnsserver.refuseState" . -}}
{{- include "dnsserver.refuseNode" . -}}
{{- if not (include "dnsserver.corefileUnknown" .) }}{{ include "dnsserver.refuseCorefile" . }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "dnsserver.isZero" -}}
{{- if has (toString .) (list "0" "0%") }}true{{ end -}}
{{- end -}}

{{- define "dnsserver.refusePods" -}}
{{- if and (eq .Values.deployment.dnsPolicy "None") (not .Values.deployment.dnsConfig) -}}
{{- fail "deployment.dnsPolicy None needs deployment.dnsConfig: without it the pod has no upstream" -}}
{{- end -}}
{{- if and (include "dnsserver.isZero" .Values.rollingUpdate.maxSurge) (include "dnsserver.isZero" .Values.rollingUpdate.maxUnavailable) -}}
{{- fail "rollingUpdate: maxSurge and maxUnavailable are both 0, so no pod could ever be replaced; set one of them" -}}
{{- end -}}
{{- if and .Values.deployment.skipConfig .Values.deployment.existingConfigMap -}}
{{- fail "deployment.skipConfig is for a ConfigMap with the full name, deployment.existingConfigMap for one of another name; use one of them" -}}
{{- end -}}
{{- end -}}

{{/* Files that would not be where the values say. */}}
{{- define "dnsserver.refuseFiles" -}}
{{- if and .Values.zoneFiles .Values.deployment.existingConfigMap -}}
{{- fail "zoneFiles are keys of the ConfigMap that the chart makes, and deployment.existingConfigMap makes none; add them to that ConfigMap" -}}
{{- end -}}
{{- range .Values.extraSecrets -}}
{{- if has .name (list "config-volume" "state") -}}
{{- fail (printf "extraSecrets: %s is the name of a volume of the chart's own; mount that Secret by extraVolumes and extraVolumeMounts" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "dnsserver.refusePorts" -}}
{{- $seen := dict -}}
{{- range include "dnsserver.ports" . | fromJsonArray -}}
{{- $key := printf "%v/%s" .port .protocol -}}
{{- if hasKey $seen $key -}}
{{- fail (printf "servers: the Service would have the port %s twice; give one of the server blocks another servicePort" $key) -}}
{{- end -}}
{{- $_ := set $seen $key true -}}
{{- end -}}
{{- end -}}

{{- define "dnsserver.refuseService" -}}
{{- if .Values.service.joinExisting -}}
{{- range $field := list "name" "clusterIP" "clusterIPs" "externalIPs" "loadBalancerIP" -}}
{{- if get $.Values.service $field -}}
{{- fail (printf "service.%s is for a Service that the chart makes, and service.joinExisting makes none; use one of them" $field) -}}
{{- end -}}
{{- end -}}
{{- $labels := include "dnsserver.podLabels" . | fromYaml -}}
{{- range $key, $value := include "dnsserver.joinedSelector" . | fromYaml -}}
{{- if ne (get $labels $key) $value -}}
{{- fail (printf "service.joinExisting: the Service %s selects by %s=%s, and the pods have %s=%s; set deployment.selector to labels of your own, such as matchLabels: {app: dnsserver}" $.Values.service.joinExisting $key $value $key (get $labels $key)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
A Service of the name service.name that another made, CoreDNS's, is taken over while clients ask it. Its selector changes at
once, so pods must be ready by then. Fields that Helm has never seen stay: a selector's other keys would match no pod.
*/}}
{{- define "dnsserver.refuseTakeOver" -}}
{{- $live := include "dnsserver.liveService" . | fromJson -}}
{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" $live -}}
{{- if and $live (not .Values.service.joinExisting) (ne $owner .Release.Name) -}}
{{- $name := include "dnsserver.serviceName" . -}}
{{- $old := dig "spec" "selector" dict $live -}}
{{- $new := include "dnsserver.selectorOr" (dict "root" . "own" .Values.service.selector) | fromYaml -}}
{{- range $key := keys $old | sortAlpha -}}
{{- if not (hasKey $new $key) -}}
{{- fail (printf "the live Service %s also selects by %s, which taking it over would leave in place, without a pod that has it; set service.selector to a selector with that key" $name $key) -}}
{{- end -}}
{{- end -}}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace (include "dnsserver.deploymentName" .) -}}
{{- if and (ne (toJson $old) (toJson $new)) (lt (dig "status" "readyReplicas" 0 (default dict $deployment) | int) 1) -}}
{{- fail (printf "the live Service %s would have no pod behind it until the new ones are ready: first install with service.joinExisting=%s, and take the Service over by an upgrade once they are" $name $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* DNS on each node asks what has the cluster's label, which these pods have to have. */}}
{{- define "dnsserver.refuseNode" -}}
{{- $label := include "dnsserver.k8sapplabel" . -}}
{{- if and .Values.nodeLocal.enabled (ne (get (include "dnsserver.podLabels" . | fromYaml) "k8s-app" | toString) $label) -}}
{{- fail (printf "nodeLocal: the nodes ask the pods with the label k8s-app=%s, and those of this release have it with isClusterService only" $label) -}}
{{- end -}}
{{- end -}}

{{/* Two servers cannot have one folder: a pod that finds it taken does not start. */}}
{{- define "dnsserver.refuseState" -}}
{{- if include "dnsserver.keepsState" . -}}
{{- $one := and (eq (int .Values.replicaCount) 1) (not .Values.hpa.enabled) (not .Values.autoscaler.enabled) -}}
{{- $inPlace := include "dnsserver.isZero" .Values.rollingUpdate.maxSurge -}}
{{- $apart := dig "podAntiAffinity" "requiredDuringSchedulingIgnoredDuringExecution" list (default dict .Values.affinity) -}}
{{- if eq .Values.state.type "hostPath" -}}
{{- if not (and $inPlace (or $one $apart)) -}}
{{- fail "state.type hostPath: two pods on one node would share the folder; set rollingUpdate.maxSurge to 0, and a required podAntiAffinity by kubernetes.io/hostname (or replicaCount 1)" -}}
{{- end -}}
{{- else if eq .Values.state.type "persistentVolumeClaim" -}}
{{- if not .Values.state.existingClaim -}}
{{- fail "state.type persistentVolumeClaim needs state.existingClaim" -}}
{{- end -}}
{{- if not (and $inPlace $one) -}}
{{- fail "state.type persistentVolumeClaim: all pods would share the claim; set replicaCount to 1 and rollingUpdate.maxSurge to 0, or use another type" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Probes and monitoring that nothing in the Corefile answers. */}}
{{- define "dnsserver.refuseCorefile" -}}
{{- if and .Values.livenessProbe.enabled (not (include "dnsserver.hasPlugin" (dict "root" . "plugin" "health"))) -}}
{{- fail "livenessProbe: no server block has the plugin health, so the kubelet would kill the pods; add it, or set livenessProbe.enabled to false" -}}
{{- end -}}
{{- if and .Values.readinessProbe.enabled (not (include "dnsserver.hasPlugin" (dict "root" . "plugin" "ready"))) -}}
{{- fail "readinessProbe: no server block has the plugin ready, so the pods would never be ready; add it, or set readinessProbe.enabled to false" -}}
{{- end -}}
{{- range $probe, $plugin := dict "livenessProbe" "health" "readinessProbe" "ready" -}}
{{- if and (get $.Values $probe).enabled (include "dnsserver.pluginHidden" (dict "root" $ "plugin" $plugin "default" "")) -}}
{{- fail (printf "%s: the plugin %s listens on localhost only, where the kubelet cannot ask it; leave its address out, or set %s.enabled to false" $probe $plugin $probe) -}}
{{- end -}}
{{- end -}}
{{- if or (include "dnsserver.metricsService" .) .Values.prometheus.podMonitor.enabled -}}
{{- if not (include "dnsserver.hasPlugin" (dict "root" . "plugin" "prometheus")) -}}
{{- fail "prometheus: no server block has the plugin prometheus, so there are no metrics to read; add it with `parameters: :9153`" -}}
{{- end -}}
{{- if include "dnsserver.pluginHidden" (dict "root" . "plugin" "prometheus" "default" "localhost") -}}
{{- fail "prometheus: the plugin prometheus listens on localhost only, where nobody can read it; give it `parameters: :9153`" -}}
{{- end -}}
{{- end -}}
{{- end -}}
