{{/* The Service that is there already: what is taken over from it, or joined. Without a cluster (helm template) it is empty. */}}

{{- define "dnsserver.liveService" -}}
{{- toJson (default dict (lookup "v1" "Service" .Release.Namespace (default (include "dnsserver.serviceName" .) .Values.service.joinExisting))) -}}
{{- end -}}

{{/*
service.joinExisting: the selector of that Service, whose endpoints our pods are to be. Where it cannot be looked up, the
label that kube-dns's Service has everywhere.
*/}}
{{- define "dnsserver.joinedSelector" -}}
{{- if .Values.service.joinExisting -}}
{{- $live := include "dnsserver.liveService" . | fromJson -}}
{{- toYaml (dig "spec" "selector" (dict "k8s-app" "kube-dns") $live) -}}
{{- end -}}
{{- end -}}

{{/*
The addresses of the Service, as fields: those of the values, else those of the live Service of its name, which is taken
over with them. An address cannot be changed afterwards, and kubelets have it in their clusterDNS.
*/}}
{{- define "dnsserver.addresses" -}}
{{- $live := dig "spec" dict (include "dnsserver.liveService" . | fromJson) -}}
{{- $fields := dict -}}
{{- if or .Values.service.clusterIP .Values.service.clusterIPs -}}
{{- with .Values.service.clusterIP }}{{ $_ := set $fields "clusterIP" . }}{{ end -}}
{{- with .Values.service.clusterIPs }}{{ $_ := set $fields "clusterIPs" . }}{{ end -}}
{{- else -}}
{{- range $field := list "clusterIP" "clusterIPs" "ipFamilies" -}}
{{- with get $live $field }}{{ $_ := set $fields $field . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- with default (get $live "ipFamilyPolicy") .Values.service.ipFamilyPolicy }}{{ $_ := set $fields "ipFamilyPolicy" . }}{{ end -}}
{{- if $fields }}{{ toYaml $fields }}{{ end -}}
{{- end -}}
