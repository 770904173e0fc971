{{/* The Corefile of extraConfig and servers, and what can be read out of it. */}}

{{- define "dnsserver.corefile" -}}
{{- range $name, $line := .Values.extraConfig -}}
{{ $name }}{{ with $line.parameters }} {{ . }}{{ end }}
{{ end -}}
{{- range .Values.servers -}}
{{ include "dnsserver.serverKeys" . }} {
{{- range .plugins }}
    {{ .name }}{{ if ne (toString (default "" .parameters)) "" }} {{ .parameters }}{{ end }}
{{- with .configBlock }} {
{{ . | trimSuffix "\n" | indent 8 }}
    }
{{- end }}
{{- end }}
}
{{ end -}}
{{- end -}}

{{/* The keys of one server block. Each zone has the port: a port after the last one alone leaves 53 to the others. */}}
{{- define "dnsserver.serverKeys" -}}
{{- $port := .port -}}
{{- $keys := list -}}
{{- range default (list (dict "zone" ".")) .zones -}}
{{- $key := printf "%s%s" (default "" .scheme) (default "." .zone) -}}
{{- if $port }}{{ $key = printf "%s:%v" $key $port }}{{ end -}}
{{- $keys = append $keys $key -}}
{{- end -}}
{{- join " " $keys -}}
{{- end -}}

{{/* "true" where the chart cannot know the whole Corefile: it is another's, or imports files. */}}
{{- define "dnsserver.corefileUnknown" -}}
{{- if or .Values.deployment.skipConfig .Values.deployment.existingConfigMap (regexMatch "(?m)^\\s*import\\s" (include "dnsserver.corefile" .)) -}}
true
{{- end -}}
{{- end -}}

{{/* "true" where some server block has the plugin: (dict "root" $ "plugin" NAME). */}}
{{- define "dnsserver.hasPlugin" -}}
{{- $plugin := .plugin -}}
{{- range .root.Values.servers -}}{{- range .plugins -}}{{- if eq .name $plugin }}true{{ end -}}{{- end -}}{{- end -}}
{{- end -}}

{{/* The parameters of the first such plugin: (dict "root" $ "plugin" NAME). */}}
{{- define "dnsserver.pluginAddress" -}}
{{- $found := list -}}
{{- $plugin := .plugin -}}
{{- range .root.Values.servers -}}{{- range .plugins -}}
{{- if eq .name $plugin }}{{ $found = append $found (toString (default "" .parameters)) }}{{ end -}}
{{- end -}}{{- end -}}
{{- default "" (first $found) -}}
{{- end -}}

{{/* "true" where these are an address that only the pod itself can ask: (dict "root" $ "plugin" NAME "default" ADDRESS). */}}
{{- define "dnsserver.pluginHidden" -}}
{{- $address := include "dnsserver.pluginAddress" . | default .default -}}
{{- if regexMatch "^(localhost|127\\.[0-9.]+|\\[::1\\])(:[0-9]+)?$" $address }}true{{ end -}}
{{- end -}}

{{/* The port in them, ADDRESS:PORT: (dict "root" $ "plugin" NAME "port" DEFAULT). */}}
{{- define "dnsserver.pluginPort" -}}
{{- include "dnsserver.pluginAddress" . | regexFind "[0-9]+$" | default (toString .port) -}}
{{- end -}}

{{- define "dnsserver.metricsPort" -}}{{ include "dnsserver.pluginPort" (dict "root" . "plugin" "prometheus" "port" 9153) }}{{- end -}}
{{- define "dnsserver.healthPort" -}}{{ include "dnsserver.pluginPort" (dict "root" . "plugin" "health" "port" 8080) }}{{- end -}}
{{- define "dnsserver.readyPort" -}}{{ include "dnsserver.pluginPort" (dict "root" . "plugin" "ready" "port" 8181) }}{{- end -}}
