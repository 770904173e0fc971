{{/* What the server may read of the cluster: what its Corefile needs. */}}

{{- define "dnsserver.coreResources" -}}
{{- $resources := list "services" "namespaces" -}}
{{- if include "dnsserver.needsPods" . }}{{ $resources = append $resources "pods" }}{{ end -}}
{{- toJson $resources -}}
{{- end -}}

{{/* Pods are watched for `pods verified` alone. A Corefile that the chart cannot read may have it. */}}
{{- define "dnsserver.needsPods" -}}
{{- $asked := toString .Values.rbac.pods -}}
{{- if eq $asked "auto" -}}
{{- if or (include "dnsserver.corefileUnknown" .) (regexMatch "(?m)^\\s*pods\\s+verified\\b" (include "dnsserver.corefile" .)) }}true{{ end -}}
{{- else if eq $asked "true" -}}
true
{{- end -}}
{{- end -}}

{{- define "dnsserver.needsServiceImports" -}}
{{- if or .Values.rbac.multiclusterEnable (regexMatch "(?m)^\\s*multicluster\\s" (include "dnsserver.corefile" .)) }}true{{ end -}}
{{- end -}}
