"""The interface that has the addresses, by rtnetlink [pyroute2]."""

import errno
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from dnsserver.node.errors import ErrorType, NodeError
from dnsserver.node.settings import Address

#: Kinds of interface that carry nothing, in the order in which they are tried. Kernels for small virtual machines may
#: have no dummy driver; a bridge without ports is as silent.
KINDS = ("dummy", "bridge")
#: No detection of others with the same address (IFA_F_NODAD, linux/if_addr.h): it would take a second, and there is
#: nobody else on this interface.
_NODAD = 0x02

_HINTS = {
    errno.EPERM: "run as user 0 with the capability NET_ADMIN (securityContext.runAsUser: 0), or leave the interface to"
    " others: -setupinterface=false",
    errno.EOPNOTSUPP: "this kernel has no driver for an interface of the kinds " + ", ".join(KINDS),
}


def ensure(name: str, addresses: Sequence[Address], *, alone: bool) -> list[str]:
    """Make the interface *name* if it is not there, with *addresses*; what was done, in words. Raises NodeError.

    One of that name that is there already is used, whoever made it, if it is of the same kind and has nothing but
    addresses of single hosts: anything else is in use by others, and would be removed at the end. *alone*: nobody else
    serves on it, so other addresses go; what is sent to them would be answered by nobody. With IPv4 alone it stays
    down: the kernel takes packets to its addresses as the host's own all the same, and nobody counts it as a network.
    """
    done = []
    with IPRoute() as route:
        index = _index(route, name)
        if index is None:
            done.append(_add(route, name))
            index = _index(route, name)
        if index is None:
            raise NodeError(
                ErrorType.INTERFACE_CHECK, f"interface {name} was removed at once by somebody else"
            )
        _refuse_others(route, index, name)
        try:
            if any(address.version == 6 for address in addresses):
                route.link("set", index=index, state="up")
            held = _held(route, index)
            for address in (each for each in addresses if each not in held):
                _add_address(route, index, address)
                done.append(f"added {address} to interface {name}")
            for address in sorted(held - set(addresses), key=str) if alone else ():
                route.addr("del", index=index, address=str(address), prefixlen=address.max_prefixlen)
                done.append(f"removed {address} from interface {name}")
        except NetlinkError as error:
            raise _error(ErrorType.INTERFACE_CHECK, f"interface {name}", error) from None
    return done


def remove(name: str) -> list[str]:
    """Remove the interface *name*, if it is there; what was done, in words. Raises NodeError."""
    with IPRoute() as route:
        index = _index(route, name)
        if index is None:
            return []
        _refuse_others(route, index, name)
        try:
            route.link("del", index=index)
        except NetlinkError as error:
            if error.code == errno.ENODEV:
                return []
            raise _error(ErrorType.INTERFACE_CHECK, f"removing interface {name}", error) from None
    return [f"removed interface {name}"]


def _index(route: IPRoute, name: str) -> int | None:
    return next(iter(route.link_lookup(ifname=name)), None)


def _refuse_others(route: IPRoute, index: int, name: str) -> None:
    """Raises NodeError for an interface that cannot have been made here."""
    (link,) = route.get_links(index)
    kind = link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND")
    ports = [each for each in route.get_links() if each.get_attr("IFLA_MASTER") == index]
    networks = [
        entry
        for entry in route.get_addr(index=index)
        if entry["prefixlen"] != _address(entry).max_prefixlen and not _address(entry).is_link_local
    ]
    if kind not in KINDS or ports or networks:
        raise NodeError(
            ErrorType.INTERFACE_CHECK,
            f"interface {name} is in use by others; give another name: -interfacename nodelocaldns",
        )


def _held(route: IPRoute, index: int) -> set[Address]:
    """The addresses of single hosts on the interface; the others are the kernel's own, of an interface that is up."""
    entries = route.get_addr(index=index)
    return {_address(entry) for entry in entries if entry["prefixlen"] == _address(entry).max_prefixlen}


def _address(entry: Any) -> Address:
    return ip_address(entry.get_attr("IFA_ADDRESS"))


def _add(route: IPRoute, name: str) -> str:
    for kind in KINDS:
        try:
            route.link("add", ifname=name, kind=kind)
        except NetlinkError as error:
            if error.code == errno.EEXIST:
                return f"interface {name} was added by somebody else meanwhile"
            if error.code != errno.EOPNOTSUPP or kind == KINDS[-1]:
                raise _error(ErrorType.INTERFACE_ADD, f"adding interface {name}", error) from None
        else:
            return f"added interface {name} ({kind})"
    raise AssertionError("KINDS is empty")


def _add_address(route: IPRoute, index: int, address: Address) -> None:
    flags = {"flags": _NODAD} if address.version == 6 else {}
    try:
        route.addr("add", index=index, address=str(address), prefixlen=address.max_prefixlen, **flags)
    except NetlinkError as error:
        if error.code != errno.EEXIST:
            raise


def _error(kind: ErrorType, what: str, error: NetlinkError) -> NodeError:
    hint = _HINTS.get(error.code)
    return NodeError(kind, f"{what}: {error}{f' ({hint})' if hint else ''}")
