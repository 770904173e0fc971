{{/* Names and labels of the cluster-proportional-autoscaler, which is no pod of the server. */}}

{{- define "dnsserver.autoscaler.name" -}}
{{- include "dnsserver.suffixed" (list (include "dnsserver.fullname" .) "-autoscaler") -}}
{{- end -}}

{{- define "dnsserver.autoscaler.selectorLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/name: {{ include "dnsserver.suffixed" (list (include "dnsserver.name" .) "-autoscaler") }}
{{- if .Values.isClusterService }}
k8s-app: {{ include "dnsserver.suffixed" (list (include "dnsserver.k8sapplabel" .) "-autoscaler") }}
{{- end }}
{{- end -}}

{{- define "dnsserver.autoscaler.labels" -}}
{{- $own := include "dnsserver.autoscaler.selectorLabels" . | fromYaml -}}
{{- toYaml (merge (dict) (default dict .Values.customLabels) $own (include "dnsserver.labels" . | fromYaml)) -}}
{{- end -}}

{{/* metadata of its objects: (dict "root" $ "own" ANNOTATIONS "cluster" BOOL). */}}
{{- define "dnsserver.autoscaler.metadata" -}}
{{- $labels := include "dnsserver.autoscaler.labels" .root | fromYaml -}}
{{- include "dnsserver.metadata" (merge (dict "name" (include "dnsserver.autoscaler.name" .root) "labels" $labels) .) -}}
{{- end -}}
