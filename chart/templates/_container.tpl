{{/* Parts of the server's container and pod. */}}

{{/* CoreDNS's arguments, then ours. With one process nothing is kept, so there is no state. */}}
{{- define "dnsserver.args" -}}
{{- $args := list "-conf" "/etc/coredns/Corefile" "--workers" (toString .Values.workers) -}}
{{- if include "dnsserver.keepsState" . -}}
{{- $args = concat $args (list "--state-dir" "/var/lib/dnsserver/state" "--state-max-age" .Values.state.maxAge) -}}
{{- end -}}
{{- toJson (concat $args (default list .Values.extraArgs)) -}}
{{- end -}}

{{- define "dnsserver.keepsState" -}}
{{- if and (ne .Values.state.type "none") (ne (toString .Values.workers) "0") -}}true{{- end -}}
{{- end -}}

{{/* A probe of the values, asked at (dict "probe" MAP "path" PATH "port" PORT). */}}
{{- define "dnsserver.probe" -}}
httpGet:
  path: {{ .path }}
  port: {{ .port }}
  scheme: HTTP
{{ toYaml (omit .probe "enabled") }}
{{- end -}}

{{/* The volume for the state, from the block `state` of the values. */}}
{{- define "dnsserver.stateVolume" -}}
name: state
{{- if eq .type "hostPath" }}
hostPath:
  path: {{ .hostPath | quote }}
  type: DirectoryOrCreate
{{- else if eq .type "persistentVolumeClaim" }}
persistentVolumeClaim:
  claimName: {{ .existingClaim | quote }}
{{- else }}
emptyDir:
  {{- $fields := dict }}
  {{- if eq .type "memory" }}{{ $_ := set $fields "medium" "Memory" }}{{ end }}
  {{- with .sizeLimit }}{{ $_ := set $fields "sizeLimit" . }}{{ end }}
  {{- toYaml $fields | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "dnsserver.containerPorts" -}}
{{- range include "dnsserver.ports" . | fromJsonArray }}
- name: {{ .name }}
  protocol: {{ .protocol }}
  containerPort: {{ .target }}
  {{- with .hostPort }}
  hostPort: {{ . }}
  {{- end }}
{{- end }}
{{- if include "dnsserver.hasPlugin" (dict "root" . "plugin" "prometheus") }}
- name: metrics
  protocol: TCP
  containerPort: {{ include "dnsserver.metricsPort" . }}
{{- end }}
{{- end -}}

{{- define "dnsserver.volumeMounts" -}}
- name: config-volume
  mountPath: /etc/coredns
  readOnly: true
{{- if include "dnsserver.keepsState" . }}
- name: state
  mountPath: /var/lib/dnsserver
{{- end }}
{{- range .Values.extraSecrets }}
- name: {{ .name }}
  mountPath: {{ .mountPath }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The mode of secrets is decimal in YAML's eyes: 292 is 0444, as the server is no root. Another's Corefile is mounted with all its keys. */}}
{{- define "dnsserver.volumes" -}}
- name: config-volume
  configMap:
    name: {{ include "dnsserver.configMapName" . }}
    {{- if not .Values.deployment.existingConfigMap }}
    items:
      - key: Corefile
        path: Corefile
      {{- range .Values.zoneFiles }}
      - key: {{ .filename | quote }}
        path: {{ .filename | quote }}
      {{- end }}
    {{- end }}
{{- if include "dnsserver.keepsState" . }}
- {{ include "dnsserver.stateVolume" .Values.state | indent 2 | trim }}
{{- end }}
{{- range .Values.extraSecrets }}
- name: {{ .name }}
  secret:
    secretName: {{ .name }}
    defaultMode: {{ default 292 .defaultMode }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
