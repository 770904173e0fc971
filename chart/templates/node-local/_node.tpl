{{/* DNS on each node: its names, labels and Corefile. The program fills the variables (docs/node-local.md, "Variables"). */}}

{{- define "dnsserver.node.name" -}}
{{- include "dnsserver.suffixed" (list (include "dnsserver.fullname" .) "-node") -}}
{{- end -}}

{{/* The Service by which the node's pods reach the cluster's DNS, whose own address they may have taken. */}}
{{- define "dnsserver.node.upstream" -}}
{{- include "dnsserver.suffixed" (list (include "dnsserver.fullname" .) "-upstream") -}}
{{- end -}}

{{/* Not those of the cluster's DNS: its Service must not find these pods. */}}
{{- define "dnsserver.node.selectorLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/name: {{ include "dnsserver.suffixed" (list (include "dnsserver.name" .) "-node") | quote }}
k8s-app: node-local-dns
{{- end -}}

{{- define "dnsserver.node.metadata" -}}
{{- $labels := merge (include "dnsserver.node.selectorLabels" .root | fromYaml) (omit (include "dnsserver.labels" .root | fromYaml) "kubernetes.io/name" "kubernetes.io/cluster-service") -}}
{{- include "dnsserver.metadata" (merge (dict "labels" $labels) .) -}}
{{- end -}}

{{- define "dnsserver.node.watches" -}}
{{- if eq .Values.nodeLocal.clusterZone "watch" }}true{{ end -}}
{{- end -}}

{{- define "dnsserver.node.args" -}}
{{- $node := .Values.nodeLocal -}}
{{- $addresses := list $node.localIP -}}
{{- with $node.clusterIP }}{{ $addresses = append $addresses . }}{{ end -}}
{{- $args := list "node-cache" "-localip" (join "," $addresses) "-conf" "/run/dnsserver/Corefile" "-pidfile" "/run/dnsserver/pid" "-upstreamsvc" (include "dnsserver.node.upstream" .) -}}
{{- if not $node.setupNetwork }}{{ $args = concat $args (list "-setupinterface=false" "-setupiptables=false") }}{{ end -}}
{{- toJson (concat $args $node.extraArgs) -}}
{{- end -}}

{{- define "dnsserver.node.corefile" -}}
{{- $domain := .Values.nodeLocal.clusterDomain -}}
{{- $health := contains ":" .Values.nodeLocal.localIP | ternary (printf "[%s]:8080" .Values.nodeLocal.localIP) (printf "%s:8080" .Values.nodeLocal.localIP) -}}
{{- if include "dnsserver.node.watches" . -}}
{{ $domain }}:53 in-addr.arpa:53 ip6.arpa:53 {
    errors
    bind __PILLAR__LOCAL__DNS__
    health {{ $health }}
    kubernetes {{ $domain }} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
        startup_timeout 15s
    }
    cache 30 {
        disable success {{ $domain }}
        disable denial {{ $domain }}
    }
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
    reload
    loop
    loadbalance
}
{{- else -}}
{{ $domain }}:53 {
    errors
    bind __PILLAR__LOCAL__DNS__
    health {{ $health }}
    cache {
        success 9984 30
        denial 9984 5
    }
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
    reload
    loop
}
in-addr.arpa:53 ip6.arpa:53 {
    errors
    bind __PILLAR__LOCAL__DNS__
    cache 30
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
    reload
    loop
}
{{- end }}
.:53 {
    errors
    bind __PILLAR__LOCAL__DNS__
    cache 30
    forward . __PILLAR__UPSTREAM__SERVERS__
    prometheus :9253
    reload
    loop
}
{{- end -}}
