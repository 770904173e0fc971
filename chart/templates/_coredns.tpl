{{/*
The names of the official chart's helpers: values that go through tpl (affinity, topologySpreadConstraints) use them.
*/}}
{{- define "coredns.name" -}}{{ include "dnsserver.name" . }}{{- end -}}
{{- define "coredns.fullname" -}}{{ include "dnsserver.fullname" . }}{{- end -}}
{{- define "coredns.labels" -}}{{ include "dnsserver.labels" . }}{{- end -}}
{{- define "coredns.k8sapplabel" -}}{{ include "dnsserver.k8sapplabel" . }}{{- end -}}
{{- define "coredns.serviceAccountName" -}}{{ include "dnsserver.serviceAccountName" . }}{{- end -}}
{{- define "coredns.clusterRoleName" -}}{{ include "dnsserver.clusterRoleName" . }}{{- end -}}
