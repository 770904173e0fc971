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
{{- $labels := include "dnsserver.selectorLabels" . | fromYaml -}}
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

{{/* The labels of the server's pods: what others choose them by, then what the values add. */}}
{{- define "dnsserver.podLabels" -}}
{{- $own := include "dnsserver.selectorLabels" . | fromYaml -}}
{{- $joined := include "dnsserver.joinedSelector" . | fromYaml -}}
{{- $chosen := merge (dict) (default dict .Values.deployment.selector.matchLabels) $own $joined -}}
{{- toYaml (merge $chosen (default dict .Values.podLabels) (default dict .Values.customLabels)) -}}
{{- end -}}

{{/* What chooses the server's pods. A Deployment's selector cannot be changed: neither may this. */}}
{{- define "dnsserver.selectorLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/name: {{ include "dnsserver.name" . | quote }}
{{- if .Values.isClusterService }}
k8s-app: {{ include "dnsserver.k8sapplabel" . | quote }}
{{- end }}
{{- end -}}

{{/* The selector of a Service, or the one that the values have: (dict "root" $ "own" MAP). */}}
{{- define "dnsserver.selectorOr" -}}
{{- if .own }}{{ toYaml .own }}{{ else }}{{ include "dnsserver.selectorLabels" .root }}{{ end -}}
{{- end -}}

{{/*
The field "annotations" of metadata on lines of its own, where there are any: customAnnotations and the object's own, which
come first: (dict "root" $ "own" MAP).
*/}}
{{- define "dnsserver.annotations" -}}
{{- with merge (dict) (default dict .own) (default dict .root.Values.customAnnotations) -}}
{{- dict "annotations" . | toYaml | nindent 2 -}}
{{- end -}}
{{- end -}}

{{/* REPOSITORY:TAG, with @DIGEST where one is given: the image block of the values and the default tag. */}}
{{- define "dnsserver.imageOf" -}}
{{- printf "%s:%s" .image.repository (default .tag .image.tag) -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "dnsserver.image" -}}
{{- include "dnsserver.imageOf" (dict "image" .Values.image "tag" .Chart.AppVersion) -}}
{{- end -}}
