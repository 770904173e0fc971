{{/*
The ports that servers listen on, as a JSON list of {name, protocol, port (of the Service), target, nodePort, hostPort},
each protocol and port once, in the order of the server blocks.
*/}}
{{- define "dnsserver.ports" -}}
{{- $root := . -}}
{{- $ports := list -}}
{{- $seen := dict -}}
{{- range $server := .Values.servers -}}
{{- range default (list (dict "zone" ".")) .zones -}}
{{- $target := include "dnsserver.zonePort" (dict "server" $server "zone" .) | int -}}
{{- range include "dnsserver.protocols" (dict "root" $root "zone" .) | splitList " " -}}
{{- $key := printf "%d/%s" $target . -}}
{{- if not (hasKey $seen $key) -}}
{{- $_ := set $seen $key true -}}
{{- $port := default $target $server.servicePort | int -}}
{{- $name := include "dnsserver.portName" (dict "root" $root "port" $port "protocol" .) -}}
{{- $entry := dict "name" $name "protocol" . "port" $port "target" $target -}}
{{- with $server.nodePort }}{{ $_ := set $entry "nodePort" (int .) }}{{ end -}}
{{- with $server.hostPort }}{{ $_ := set $entry "hostPort" (int .) }}{{ end -}}
{{- $ports = append $ports $entry -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* The server block's port, or that of the zone's scheme. */}}
{{- define "dnsserver.zonePort" -}}
{{- $ports := dict "tls://" 853 "quic://" 853 "https://" 443 "https3://" 443 "grpc://" 443 -}}
{{- default (get $ports (default "" .zone.scheme)) .server.port | default 53 -}}
{{- end -}}

{{/* "UDP TCP", or one of them. Plain DNS has both unless use_tcp is false; a load balancer only if it is true. */}}
{{- define "dnsserver.protocols" -}}
{{- $scheme := default "dns://" .zone.scheme -}}
{{- if has $scheme (list "tls://" "https://" "grpc://") -}}
TCP
{{- else if ne $scheme "dns://" -}}
UDP
{{- else if ternary .zone.use_tcp (ne .root.Values.serviceType "LoadBalancer") (hasKey .zone "use_tcp") -}}
UDP TCP
{{- else -}}
UDP
{{- end -}}
{{- end -}}

{{/* dns and dns-tcp for port 53, as in kubeadm's Service and in others' policies; else udp-PORT and tcp-PORT. */}}
{{- define "dnsserver.portName" -}}
{{- if and (eq .port 53) (eq .root.Values.service.portNames "kubernetes") -}}
{{- eq .protocol "UDP" | ternary "dns" "dns-tcp" -}}
{{- else -}}
{{- printf "%s-%d" (lower .protocol) .port -}}
{{- end -}}
{{- end -}}
