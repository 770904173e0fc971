{{/* Names and labels. They follow the official CoreDNS chart, so that nameOverride: coredns gives its objects. */}}

{{- define "dnsserver.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* RELEASE-NAME, or RELEASE where that already has the name in it; at most a DNS label (63). */}}
{{- define "dnsserver.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $full .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* A name and a suffix, together at most a DNS label: (list NAME SUFFIX). */}}
{{- define "dnsserver.suffixed" -}}
{{- $suffix := last . -}}
{{- printf "%s%s" (first . | trunc (sub 63 (len $suffix) | int) | trimSuffix "-") $suffix -}}
{{- end -}}

{{- define "dnsserver.deploymentName" -}}
{{- default (include "dnsserver.fullname" .) .Values.deployment.name -}}
{{- end -}}

{{- define "dnsserver.serviceName" -}}
{{- default (include "dnsserver.fullname" .) .Values.service.name -}}
{{- end -}}

{{- define "dnsserver.configMapName" -}}
{{- default (include "dnsserver.fullname" .) .Values.deployment.existingConfigMap -}}
{{- end -}}

{{- define "dnsserver.serviceAccountName" -}}
{{- $own := .Values.serviceAccount.create | ternary (include "dnsserver.fullname" .) "default" -}}
{{- default $own .Values.serviceAccount.name -}}
{{- end -}}

{{- define "dnsserver.clusterRoleName" -}}
{{- default (include "dnsserver.fullname" .) .Values.clusterRole.nameOverride -}}
{{- end -}}

{{/* The value of the label k8s-app, which NetworkPolicies and monitoring of others look for. */}}
{{- define "dnsserver.k8sapplabel" -}}
{{- default (include "dnsserver.name" .) .Values.k8sAppLabelOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* What every object has, as YAML. customLabels may replace them. */}}
{{- define "dnsserver.labels" -}}
{{- $labels := include "dnsserver.ownLabels" . | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_")) -}}
{{- $version := default .Chart.AppVersion .Values.image.tag | replace ":" "-" | replace "@" "_" -}}
{{- $_ := set $labels "app.kubernetes.io/version" ($version | trunc 63 | trimSuffix "-") -}}
{{- if .Values.isClusterService -}}
{{- $_ := set $labels "kubernetes.io/cluster-service" "true" -}}
{{- $_ := set $labels "kubernetes.io/name" "CoreDNS" -}}
{{- end -}}
{{- toYaml (merge (dict) (default dict .Values.customLabels) $labels) -}}
{{- end -}}

{{/* The labels that tell this release from others. A Deployment's selector cannot be changed: neither may these. */}}
{{- define "dnsserver.ownLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/name: {{ include "dnsserver.name" . | quote }}
{{- if .Values.isClusterService }}
k8s-app: {{ include "dnsserver.k8sapplabel" . | quote }}
{{- end }}
{{- end -}}

{{/* What chooses the server's pods: the labels of deployment.selector, else those of its own. */}}
{{- define "dnsserver.selectorLabels" -}}
{{- with dig "matchLabels" dict (default dict .Values.deployment.selector) }}{{ toYaml . }}{{ else }}{{ include "dnsserver.ownLabels" . }}{{ end -}}
{{- end -}}

{{/* The labels of the server's pods: what the Deployment, then the joined Service choose them by, then the others. */}}
{{- define "dnsserver.podLabels" -}}
{{- $chosen := include "dnsserver.selectorLabels" . | fromYaml -}}
{{- $joined := include "dnsserver.joinedSelector" . | fromYaml -}}
{{- $own := include "dnsserver.ownLabels" . | fromYaml -}}
{{- toYaml (merge $chosen $joined $own (default dict .Values.podLabels) (default dict .Values.customLabels)) -}}
{{- end -}}

{{/* The selector of a Service, or the one that the values have: (dict "root" $ "own" MAP). */}}
{{- define "dnsserver.selectorOr" -}}
{{- if .own }}{{ toYaml .own }}{{ else }}{{ include "dnsserver.selectorLabels" .root }}{{ end -}}
{{- end -}}

{{/*
metadata of an object: (dict "root" $ "name" NAME), and where they differ "labels" (instead of the common ones), "own"
(annotations besides customAnnotations, stronger than these), "namespace", and "cluster" true for objects without one.
*/}}
{{- define "dnsserver.metadata" -}}
{{- $found := dict "name" .name "labels" (default (include "dnsserver.labels" .root | fromYaml) .labels) -}}
{{- if not .cluster }}{{ $_ := set $found "namespace" (default .root.Release.Namespace .namespace) }}{{ end -}}
{{- with merge (dict) (default dict .own) (default dict .root.Values.customAnnotations) -}}
{{- $_ := set $found "annotations" . -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* REPOSITORY:TAG, with @DIGEST where one is given: the image block of the values and the default tag. */}}
{{- define "dnsserver.imageOf" -}}
{{- printf "%s:%s" .image.repository (default .tag .image.tag) -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "dnsserver.image" -}}
{{- include "dnsserver.imageOf" (dict "image" .Values.image "tag" .Chart.AppVersion) -}}
{{- end -}}
