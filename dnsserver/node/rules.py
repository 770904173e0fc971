"""The rules by which packets of DNS on this node pass conntrack by, in an nftables table of their own [pyroute2].

The kernel looks at the tables of nftables and at those of iptables, be it legacy or not, in the order of their
priorities. So rules at the priority `raw` come before conntrack and before the address translation of every kube-proxy,
whatever that is written with; and what is not tracked is not translated (nf_nat_inet_fn in Linux).
"""

import asyncio
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nfnetlink import nfgen_msg
from pyroute2.netlink.nfnetlink import nftsocket as nft

from dnsserver.node.errors import ErrorType, NodeError
from dnsserver.node.settings import Address

#: NFPROTO_INET, IPv4, IPv6 (linux/netfilter.h): a table for both, and what its packets are.
_INET, _VERSION = 1, {4: b"\x02", 6: b"\x0a"}
#: NF_IP_PRI_RAW (linux/netfilter_ipv4.h), and the hooks NF_INET_PRE_ROUTING and NF_INET_LOCAL_OUT.
_RAW_PRIORITY = -300
_HOOKS = {"prerouting": 0, "output": 3}
#: Octets in the headers of IPv4 and IPv6 and their size: where the two addresses are (RFC 791 §3.1, RFC 8200 §3).
_ADDRESS_AT = {(4, "saddr"): (12, 4), (4, "daddr"): (16, 4), (6, "saddr"): (8, 16), (6, "daddr"): (24, 16)}
#: The same of the two ports (RFC 768, RFC 9293 §3.1).
_PORT_AT = {"sport": (0, 2), "dport": (2, 2)}
#: Of netlink(7) and linux/netfilter/nfnetlink.h: flags of requests, and how a batch of the nftables subsystem begins
#: and ends.
_REQUEST, _ACK, _CREATE, _APPEND = 0x1, 0x4, 0x400, 0x800
_SUBSYSTEM, _BATCH_BEGIN, _BATCH_END = 10, 0x10, 0x11
#: Of linux/netfilter/nf_tables.h: NFT_REG_1, NFT_CMP_EQ, the headers and what else of a packet is compared
#: (NFT_META_NFPROTO, NFT_META_L4PROTO).
_REGISTER, _EQUAL, _NETWORK, _TRANSPORT = 1, 0, 1, 2
_VERSION_OF_PACKET, _PROTOCOL_OF_PACKET = 15, 16
_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
#: NF_ACCEPT: what becomes of a packet to which no rule applies.
_ACCEPT = 1

#: What of a table, a chain and a rule is compared. A table that is switched off (NFT_TABLE_F_DORMANT) has a flag.
_TOLD = {
    nft.nft_table_msg: ("NFTA_TABLE_FLAGS",),
    nft.nft_chain_msg: ("NFTA_CHAIN_NAME", "NFTA_CHAIN_HOOK", "NFTA_CHAIN_POLICY"),
    nft.nft_rule_msg: ("NFTA_RULE_CHAIN", "NFTA_RULE_EXPRESSIONS"),
}

#: An expression of a rule as netlink has it.
Expression = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """In *chain*: packets of *protocol* whose address and port on one side are these are not tracked."""

    chain: str
    protocol: str
    side: str
    address: Address
    port: int

    def expressions(self) -> list[Expression]:
        version = self.address.version
        protocol = _PROTOCOLS[self.protocol]
        return [
            *_compared(_meta(_VERSION_OF_PACKET), _VERSION[version]),
            *_compared(_payload(_NETWORK, *_ADDRESS_AT[version, f"{self.side}addr"]), self.address.packed),
            *_compared(_meta(_PROTOCOL_OF_PACKET), bytes([protocol])),
            *_compared(_payload(_TRANSPORT, *_PORT_AT[f"{self.side}port"]), self.port.to_bytes(2, "big")),
            {"attrs": [("NFTA_EXPR_NAME", "notrack")]},
        ]


def wanted(addresses: Sequence[Address], port: int, health_port: int) -> tuple[Rule, ...]:
    """What comes to us from pods, what we reply, what the host's own processes ask, and kubelet's probes: the packets
    for which node-cache has rules too."""

    def of(address: Address) -> Iterator[Rule]:
        for protocol in ("tcp", "udp"):
            yield Rule("prerouting", protocol, "d", address, port)
            yield Rule("output", protocol, "s", address, port)
            yield Rule("output", protocol, "d", address, port)
        yield Rule("output", "tcp", "d", address, health_port)
        yield Rule("output", "tcp", "s", address, health_port)

    return tuple(rule for address in addresses for rule in of(address))


def ensure(table: str, rules: Sequence[Rule]) -> list[str]:
    """Make *table* have these *rules*, in one step, unless it has; what was done, in words. Raises NodeError."""
    return _with_socket(lambda sock: _ensure(sock, table, rules), f"rules in table inet {table}")


def remove(table: str) -> list[str]:
    """Remove *table* if it is there; what was done, in words. Raises NodeError."""
    return _with_socket(lambda sock: _remove(sock, table), f"removing table inet {table}")


def _with_socket(work: Any, what: str) -> list[str]:
    async def run() -> list[str]:
        async with nft.AsyncNFTSocket(nfgen_family=_INET) as sock:
            return list(await work(sock))

    try:
        return asyncio.run(run())
    except NetlinkError as error:
        raise NodeError(ErrorType.IPTABLES, f"{what}: {error}") from None
    except OSError as error:  # a kernel without nf_tables
        raise NodeError(ErrorType.IPTABLES, f"{what}: nftables cannot be asked: {error.strerror}") from None


async def _ensure(sock: Any, table: str, rules: Sequence[Rule]) -> list[str]:
    frame, messages = list(_frame(table)), [_rule(table, rule) for rule in rules]
    if await _held(sock, table) == _shown(_read(each) for each in (*frame, *messages)):
        return []
    await _commit(sock, [*_removal(table), *frame, *messages])
    return [f"set the {len(rules)} rules of table inet {table}"]


async def _remove(sock: Any, table: str) -> list[str]:
    tables = [each async for each in await sock.request_get(nfgen_msg(), nft.NFT_MSG_GETTABLE)]
    if not any(each.get_attr("NFTA_TABLE_NAME") == table for each in tables):
        return []
    await _commit(sock, _removal(table))
    return [f"removed table inet {table}"]


async def _held(sock: Any, table: str) -> list[str]:
    """What is in *table*, as the kernel tells it."""
    rules = nft.nft_rule_msg()
    # Others may have tens of thousands; a kernel before 4.9 tells all of them nevertheless.
    rules["attrs"] = [("NFTA_RULE_TABLE", table)]
    asked = (
        (nfgen_msg(), nft.NFT_MSG_GETTABLE, "NFTA_TABLE_NAME"),
        (nfgen_msg(), nft.NFT_MSG_GETCHAIN, "NFTA_CHAIN_TABLE"),
        (rules, nft.NFT_MSG_GETRULE, "NFTA_RULE_TABLE"),
    )
    found: list[Any] = []
    for message, number, name in asked:
        answers = [each async for each in await sock.request_get(message, number)]
        found += (answer for answer in answers if answer.get_attr(name) == table)
    return _shown(found)


def _read(message: Any) -> Any:
    """*message* as if the kernel had sent it."""
    message.encode()
    told = type(message)(message.data)
    told.decode()
    return told


def _shown(messages: Iterable[Any]) -> list[str]:
    """What table, chains and rules are, without what the kernel alone knows of them."""
    return sorted(
        " ".join(f"{name}={message.get_attr(name)}" for name in _TOLD[type(message)]) for message in messages
    )


def _removal(table: str) -> list[Any]:
    """It is made first, as removing one that is not there would be an error."""
    return [
        _message(nft.nft_table_msg, nft.NFT_MSG_NEWTABLE, _CREATE, NAME=table),
        _message(nft.nft_table_msg, nft.NFT_MSG_DELTABLE, NAME=table),
    ]


def _frame(table: str) -> Iterator[Any]:
    """The table and its chains."""
    yield _message(nft.nft_table_msg, nft.NFT_MSG_NEWTABLE, _CREATE, NAME=table, FLAGS=0)
    for chain, number in _HOOKS.items():
        hook = {"attrs": [("NFTA_HOOK_HOOKNUM", number), ("NFTA_HOOK_PRIORITY", _RAW_PRIORITY)]}
        attributes = {"TABLE": table, "NAME": chain, "HOOK": hook, "TYPE": "filter", "POLICY": _ACCEPT}
        yield _message(nft.nft_chain_msg, nft.NFT_MSG_NEWCHAIN, _CREATE, **attributes)


def _rule(table: str, rule: Rule) -> Any:
    attributes = {"TABLE": table, "CHAIN": rule.chain, "EXPRESSIONS": rule.expressions()}
    return _message(nft.nft_rule_msg, nft.NFT_MSG_NEWRULE, _CREATE | _APPEND, **attributes)


async def _commit(sock: Any, messages: Sequence[Any]) -> None:
    """All of them or none (linux/netfilter/nfnetlink.h)."""
    batch = [_edge(_BATCH_BEGIN), *messages, _edge(_BATCH_END)]
    async for _ in sock.nlm_request_batch(batch):
        pass


def _edge(kind: int) -> Any:
    message = nfgen_msg()
    message["res_id"] = _SUBSYSTEM
    message["header"]["type"], message["header"]["flags"] = kind, _REQUEST
    return message


def _message(kind: Any, number: int, flags: int = 0, **attributes: object) -> Any:
    message = kind()
    message["attrs"] = [(kind.prefix + name, value) for name, value in attributes.items()]
    message["nfgen_family"] = _INET
    message["header"]["type"] = _SUBSYSTEM << 8 | number
    message["header"]["flags"] = _REQUEST | _ACK | flags
    return message


def _expression(name: str, **attributes: object) -> Expression:
    data = [(f"NFTA_{name.upper()}_{key}", value) for key, value in attributes.items()]
    return {"attrs": [("NFTA_EXPR_NAME", name), ("NFTA_EXPR_DATA", {"attrs": data})]}


def _meta(key: int) -> Expression:
    return _expression("meta", KEY=key, DREG=_REGISTER)


def _payload(header: int, offset: int, size: int) -> Expression:
    return _expression("payload", DREG=_REGISTER, BASE=header, OFFSET=offset, LEN=size)


def _compared(load: Expression, octets: bytes) -> tuple[Expression, Expression]:
    data = {"attrs": [("NFTA_DATA_VALUE", octets)]}
    return load, _expression("cmp", SREG=_REGISTER, OP=_EQUAL, DATA=data)
