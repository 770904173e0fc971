"""From the ConfigMaps to the Corefile: variables, stub domains, upstream servers."""

import json
import re
from collections.abc import Mapping

import pytest

from dnsserver.node.errors import NodeError
from dnsserver.node.kube_dns import KubeDns
from dnsserver.node.template import filled

BASE = """\
cluster.local:53 {
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__CLUSTER__DNS__ {
            force_tcp
    }
}
.:53 {
    bind __PILLAR__LOCAL__DNS__
    forward . __PILLAR__UPSTREAM__SERVERS__ {
            force_tcp
    }
}
"""


def made(base: str = BASE, data: Mapping[str, object] | None = None, cluster_dns: str = "10.96.0.11") -> str:
    texts = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in (data or {}).items()
    }
    return filled(
        base,
        KubeDns.from_data(texts),
        addresses=("169.254.20.10", "10.96.0.10"),
        port=53,
        cluster_dns=cluster_dns,
        service="kube-dns-upstream",
    )


def test_variables() -> None:
    assert (
        made()
        == """\
cluster.local:53 {
    bind 169.254.20.10 10.96.0.10 \n\
    forward . 10.96.0.11 {
            force_tcp
    }
}
.:53 {
    bind 169.254.20.10 10.96.0.10
    forward . /etc/resolv.conf {
            force_tcp
    }
}
"""
    )


def test_stub_domains_are_blocks_of_their_own() -> None:
    text = made(
        data={"stubDomains": {"b.example": ["192.0.2.2:5353"], "a.example": ["192.0.2.1", "2001:db8::1"]}}
    )
    assert (
        text.removeprefix(made())
        == """
a.example:53 {
    errors
    cache 30
    bind 169.254.20.10 10.96.0.10
    forward . 192.0.2.1 2001:db8::1
}

b.example:53 {
    errors
    cache 30
    bind 169.254.20.10 10.96.0.10
    forward . 192.0.2.2:5353
}
"""
    )


@pytest.mark.parametrize("between", ["            ", "\t", " "])
def test_servers_of_the_config_map_are_asked_by_udp(between: str) -> None:
    """However the template is indented; the cluster's DNS is asked by TCP as before."""
    base = re.sub(r"^ +(?=force_tcp)", between, BASE, flags=re.MULTILINE)
    text = made(base, {"upstreamNameservers": ["192.0.2.53", "192.0.2.54:5353"]})
    assert "    forward . 192.0.2.53 192.0.2.54:5353\n}" in text
    assert text.count("force_tcp") == 1


def test_other_options_of_forward_stay() -> None:
    base = BASE.replace("force_tcp\n    }\n}\n", "force_tcp\n max_concurrent 1000\n    }\n}\n")
    assert "max_concurrent 1000" in made(base, {"upstreamNameservers": ["192.0.2.53"]})


def test_cluster_dns_that_is_not_known() -> None:
    with pytest.raises(NodeError, match="KUBE_DNS_UPSTREAM_SERVICE_HOST is not in the environment"):
        made(cluster_dns="")
    assert made(".:53 {\n whoami\n}\n", cluster_dns="")


def test_variable_that_the_installer_forgot() -> None:
    with pytest.raises(NodeError, match="__PILLAR__DNS__DOMAIN__ is for the installer to fill"):
        made(BASE.replace("cluster.local", "__PILLAR__DNS__DOMAIN__"))


@pytest.mark.parametrize(
    "data", [{}, {"stubDomains": ""}, {"stubDomains": "null"}, {"federations": "a=b.c"}], ids=str
)
def test_nothing_said(data: dict[str, str]) -> None:
    assert KubeDns.from_data(data) == KubeDns()


WRONG = {
    "no JSON": ({"stubDomains": "{"}, "stubDomains is no JSON"),
    "deep JSON": ({"stubDomains": "[" * 100_000}, "stubDomains"),
    "a list": ({"stubDomains": '["192.0.2.1"]'}, "stubDomains has to be like"),
    "no servers": ({"stubDomains": '{"a.example": []}'}, "a.example needs a list of servers"),
    "one server": ({"stubDomains": '{"a.example": "192.0.2.1"}'}, "a.example needs a list of servers"),
    "no domain": ({"stubDomains": '{"a b": ["192.0.2.1"]}'}, "'a b', which is no name of a domain"),
    "injected": ({"stubDomains": '{"a.example {\\n": ["192.0.2.1"]}'}, "no name of a domain"),
    "no address": (
        {"stubDomains": '{"a.example": ["dns.example"]}'},
        "'dns.example', which is no IP address",
    ),
    "no port": ({"stubDomains": '{"a.example": ["192.0.2.1:0"]}'}, "with or without a port"),
    "a number": ({"upstreamNameservers": "[1]"}, "1, which is no IP address"),
    "four servers": ({"upstreamNameservers": json.dumps(["192.0.2.1"] * 4)}, "has 4 servers; 3 may be there"),
}


@pytest.mark.parametrize(("data", "said"), WRONG.values(), ids=WRONG)
def test_config_map_that_is_wrong(data: dict[str, str], said: str) -> None:
    with pytest.raises(NodeError, match=re.escape(said)) as found:
        KubeDns.from_data(data)
    assert found.value.kind == "configmap"
