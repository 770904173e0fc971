"""Octets that msgspec gives up on in its own way: they are no list, no event, no status, and nothing worse."""

import pytest

from dnsserver.sources.kubernetes.bodies import Status, read_event, read_page, read_status
from dnsserver.sources.structs import ObjectError, ServiceObject, decode

#: Levels of JSON that msgspec does not read.
TOO_DEEP = 5_000
DEEP = b'{"a":' * TOO_DEEP + b"1" + b"}" * TOO_DEEP


def test_deep_list() -> None:
    with pytest.raises(ObjectError, match=r"^list: nested too deep$"):
        read_page(b'{"metadata":{"resourceVersion":"1"},"items":[' + DEEP + b"]}")


def test_deep_event() -> None:
    with pytest.raises(ObjectError, match=r"^watch event: nested too deep$"):
        read_event(b'{"type":"ADDED","object":' + DEEP + b"}")


def test_deep_status() -> None:
    assert read_status(b'{"code":500,"details":' + DEEP + b"}") == Status()


@pytest.mark.parametrize("head", [b'{"metadata":{"name":"web"},"spec":', b'{"x":'])
def test_deep_object(head: bytes) -> None:
    with pytest.raises(ObjectError, match=r"^Service \?: nested too deep$"):
        decode(ServiceObject, head + DEEP + b"}")
