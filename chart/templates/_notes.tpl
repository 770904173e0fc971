{{/* Texts of NOTES.txt. */}}

{{/* key=value,... as kubectl's -l takes it, from a map. */}}
{{- define "dnsserver.selectorText" -}}
{{- $pairs := list -}}
{{- range $key, $value := . }}{{ $pairs = append $pairs (printf "%s=%s" $key $value) }}{{ end -}}
{{- join "," $pairs -}}
{{- end -}}

{{/* The merge patch that makes our selector that of CoreDNS's pods: JSON. */}}
{{- define "dnsserver.oldSelector" -}}
{{- $patch := dict "k8s-app" "kube-dns" -}}
{{- range $key := keys . }}{{ if ne $key "k8s-app" }}{{ $_ := set $patch $key nil }}{{ end }}{{ end -}}
{{- toJson $patch -}}
{{- end -}}

{{/* What works, and is still not what most want. */}}
{{- define "dnsserver.warnings" -}}
{{- $limits := default dict (dig "limits" dict (default dict .Values.resources)) -}}
{{- if $limits.cpu }}
- resources.limits.cpu: the kernel stops the server in the middle of answers when it is used up; leave it out.
{{- end }}
{{- $memory := toString (default "" $limits.memory) -}}
{{- if and (regexMatch "^[0-9]+Mi$" $memory) (lt (trimSuffix "Mi" $memory | int) 170) }}
- resources.limits.memory: {{ $memory }} is less than a reload of the Corefile takes; see docs/operations.md for sizes.
{{- end }}
{{- if and .Values.isClusterService (ne (include "dnsserver.k8sapplabel" .) "kube-dns") }}
- k8sAppLabelOverride: NetworkPolicies and monitoring of others look for the label k8s-app=kube-dns, and do not find these pods.
{{- end }}
{{- if and .Values.service.trafficDistribution (semverCompare "<1.30-0" .Capabilities.KubeVersion.Version) }}
- service.trafficDistribution: Kubernetes has it since 1.30; it is left out.
{{- end }}
{{- if .Values.rbac.pspEnable }}
- rbac.pspEnable: PodSecurityPolicies are gone since Kubernetes 1.25; it has no effect.
{{- end }}
{{- if and .Values.prometheus.monitor.enabled .Values.prometheus.podMonitor.enabled }}
- prometheus.monitor and prometheus.podMonitor are both enabled: every pod is read twice.
{{- end }}
{{- end -}}
