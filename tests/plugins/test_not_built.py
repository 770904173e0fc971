"""Directives that CoreDNS knows and this server does not have: refused with CoreDNS's text."""

import pytest

from dnsserver.config import ConfigError
from tests.runtime.helpers import server_of

NOT_BUILT = (
    "azure clouddns dnstap etcd geoip grpc grpc_server https3 nomad on proxyproto quic route53 shed tsig"
).split()


@pytest.mark.parametrize("name", NOT_BUILT)
def test_no_action_found(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        server_of(f".:0 {{\n    {name}\n}}\n")
    text = f"no action found for directive '{name}' with server type 'dns' (missing a plugin?)"
    assert text in str(caught.value)
    assert "Corefile:2" in str(caught.value)
