{{/* Where metrics are read from. */}}

{{/* "true" where a Service of its own has the metrics: asked for, or needed by the ServiceMonitor. */}}
{{- define "dnsserver.metricsService" -}}
{{- if and .Values.deployment.enabled (or .Values.prometheus.service.enabled .Values.prometheus.monitor.enabled) }}true{{ end -}}
{{- end -}}

{{/* The labels that tell that Service from others, whatever customLabels say. */}}
{{- define "dnsserver.metricsLabels" -}}
{{- toYaml (merge (dict "app.kubernetes.io/component" "metrics") (include "dnsserver.ownLabels" . | fromYaml)) -}}
{{- end -}}

{{/*
"true" where the Service for DNS has the port `metrics`, as kubeadm's: inside of the cluster only, and never in two Services,
as those who choose by k8s-app=kube-dns would read everything twice.
*/}}
{{- define "dnsserver.metricsOnService" -}}
{{- $inside := eq (default "ClusterIP" .Values.serviceType) "ClusterIP" -}}
{{- $there := include "dnsserver.hasPlugin" (dict "root" . "plugin" "prometheus") -}}
{{- if and .Values.service.metricsPort $inside $there (not (include "dnsserver.metricsService" .)) }}true{{ end -}}
{{- end -}}

{{/* What is read of ServiceMonitor and PodMonitor alike, from their block of the values. */}}
{{- define "dnsserver.scraping" -}}
{{- range $field := list "interval" "scrapeTimeout" "scheme" "honorLabels" "tlsConfig" "relabelings" "metricRelabelings" }}
{{- with get $ $field }}
{{ dict $field . | toYaml }}
{{- end }}
{{- end }}
{{- end -}}

{{/* metadata of a monitoring object: (dict "root" $ "block" MAP "suffix" TEXT). */}}
{{- define "dnsserver.monitoringMetadata" -}}
{{- $labels := merge (dict) (default dict .block.additionalLabels) (include "dnsserver.labels" .root | fromYaml) -}}
{{- $name := include "dnsserver.suffixed" (list (include "dnsserver.fullname" .root) .suffix) -}}
{{- include "dnsserver.metadata" (dict "root" .root "name" $name "labels" $labels "own" .block.annotations "namespace" .block.namespace) -}}
{{- end -}}
