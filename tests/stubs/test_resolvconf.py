"""One resolv.conf, three readers."""

import pytest

from dnsserver.stubs.resolvconf import ResolvConf, read_by_glibc, read_by_go, read_by_musl

SERVERS = "nameserver 10.96.0.10\n"


def conf(**fields: object) -> ResolvConf:
    return ResolvConf(servers=("10.96.0.10",), **fields)  # type: ignore[arg-type]


def flags(*names: str) -> ResolvConf:
    return conf(flags=frozenset(names))


#: What follows the server's line; what glibc, musl and Go make of it.
READINGS = {
    "search a.test b.test": (conf(search=("a.test", "b.test")),) * 3,
    "search a.test\nsearch b.test": (conf(search=("b.test",)),) * 3,
    "search a.test\ndomain b.test": (conf(search=("b.test",)),) * 3,
    "search a.test\ndomain b.test c.test": (
        conf(search=("b.test",)),
        conf(search=("b.test", "c.test")),
        conf(search=("b.test",)),
    ),
    "search a.test\nsearch": (conf(search=("a.test",)), conf(), conf()),
    "options ndots:5": (conf(ndots=5),) * 3,
    "options ndots:99": (conf(ndots=15),) * 3,
    "options ndots:x": (conf(ndots=0), conf(), conf(ndots=0)),
    "options timeout:99 attempts:99": (
        conf(timeout=30, attempts=5),
        conf(timeout=60, attempts=10),
        conf(timeout=99, attempts=99),
    ),
    "options ndots:-1 timeout:-5 attempts:-1": (
        conf(ndots=15, timeout=-5, attempts=-1),
        conf(),
        conf(ndots=0, timeout=1, attempts=1),
    ),
    "options ndots:99999999999999999999 timeout:99999999999999999999": (
        conf(ndots=15, timeout=-1),
        conf(ndots=15, timeout=60),
        conf(ndots=15, timeout=0xFFFFFF),
    ),
    f"options ndots:4294967298\noptions attempts:{'0' * 5_000}2": (
        conf(ndots=2),
        conf(ndots=15),
        conf(ndots=15),
    ),
    "options ndots:+3": (conf(ndots=3), conf(), conf(ndots=0)),
    "options timeout:0 attempts:0": (
        conf(timeout=0, attempts=0),
        conf(timeout=0, attempts=0),
        conf(timeout=1, attempts=1),
    ),
    "options ndots:2\noptions timeout:3": (conf(ndots=2, timeout=3),) * 3,
    "options rotate": (flags("rotate"), conf(), flags("rotate")),
    "options single-request-reopen": (flags("single-request-reopen"), conf(), flags("single-request")),
    "options use-vc edns0": (flags("use-vc", "edns0"), conf(), flags("use-vc")),
    "options no-aaaa trust-ad": (flags("no-aaaa", "trust-ad"), conf(), flags("trust-ad")),
    "options rotate -rotate": (conf(), conf(), flags("rotate")),
    "options rotatesomehow": (flags("rotate"), conf(), conf()),
    "options\tndots:3": (conf(ndots=3),) * 3,
    "# options ndots:3\n; search a.test": (conf(),) * 3,
    "nameserver dns.test": (conf(),) * 3,
    "sortlist 10.0.0.0/8": (conf(),) * 3,
}


@pytest.mark.parametrize("text", READINGS, ids=lambda text: ascii(text)[:70])
def test_readers_differ(text: str) -> None:
    glibc, musl, go = READINGS[text]
    assert read_by_glibc(f"{SERVERS}{text}\n") == glibc
    assert read_by_musl(f"{SERVERS}{text}\n") == musl
    assert read_by_go(f"{SERVERS}{text}\n") == go


#: Search list, ndots, name; the names that are asked.
NAMES = (
    ("a.test b.test", 1, "web", ("web.a.test.", "web.b.test.", "web.")),
    ("a.test b.test.", 2, "web.shop", ("web.shop.a.test.", "web.shop.b.test.", "web.shop.")),
    ("a.test b.test", 1, "web.shop", ("web.shop.", "web.shop.a.test.", "web.shop.b.test.")),
    ("a.test", 5, "web.shop.", ("web.shop.",)),
    (".", 1, "web", ("web.", "web.")),
    ("", 5, "web", ("web.",)),
    ("a.test", 5, ".".join(["x" * 61] * 4), (".".join(["x" * 61] * 4) + ".",)),
    ("a.test", 5, "x" * 246, ("x" * 246 + ".a.test.", "x" * 246 + ".")),
    ("a.test", 5, "x" * 247, ("x" * 247 + ".",)),
)


@pytest.mark.parametrize(
    ("search", "ndots", "name", "asked"), NAMES, ids=[f"{case[0]} {case[1]} {case[2][:20]}" for case in NAMES]
)
def test_names_that_are_asked(search: str, ndots: int, name: str, asked: tuple[str, ...]) -> None:
    conf = read_by_glibc(f"search {search}\noptions ndots:{ndots}\n")
    assert tuple(conf.names(name)) == asked


def test_servers_beyond_the_third_are_ignored() -> None:
    text = "".join(f"nameserver 192.0.2.{number}\n" for number in range(1, 5))
    for read in (read_by_glibc, read_by_musl, read_by_go):
        assert read(text).servers == ("192.0.2.1", "192.0.2.2", "192.0.2.3")


def test_no_server_means_this_machine() -> None:
    assert read_by_glibc("").servers == read_by_musl("").servers == ("127.0.0.1",)
    assert read_by_go("").servers == ("127.0.0.1", "::1")


@pytest.mark.parametrize(("length", "read"), [(254, True), (255, False)])
def test_musl_passes_over_long_lines(length: int, read: bool) -> None:
    """Characters without the line's end: the buffer of 256 takes 254, the end and a zero."""
    line = "search a.test ".ljust(length, "b")
    assert len(read_by_musl(f"{line}\n").search) == (2 if read else 0)
    assert len(read_by_glibc(f"{line}\n").search) == 2


def test_older_glibc_knows_fewer_options() -> None:
    assert read_by_glibc(f"{SERVERS}options no-aaaa strict-error -rotate\n", recent=False) == conf()


def test_musl_ends_lines_at_line_feeds_alone() -> None:
    """fgets(3); other white space parts the words."""
    assert read_by_musl(f"{SERVERS}search a.test\x0bb.test\n").search == ("a.test", "b.test")
