"""cache: NXDOMAIN for a name and the names below it (RFC 8020)."""

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins import forward, kubernetes
from dnsserver.plugins.plugin import Handler, Plugin, Repeats
from dnsserver.wire.question import Question
from tests.plugins.cache.stage import SOA, Stage, reply
from tests.plugins.helpers import directive, site

VALIDATED = reply(rcode="NXDOMAIN", authority=[SOA], flags="AD RA")


def itself(following: Handler) -> Handler:
    return following


def knows_b(question: Question) -> bool:
    return not question.name.lower().endswith(b"\1b\4test\0")


TREE = Plugin(name="forward", wrap=itself, one_tree=True)
OTHER = Plugin(name="hosts", wrap=itself)
SHUFFLER = Plugin(name="loadbalance", wrap=itself, repeats=Repeats.SHUFFLED)
KNOWS_B = Plugin(name="kubernetes", wrap=itself, leaves_alone=knows_b)
UNWRAPPED = Plugin(name="bind")


async def asked_again(stage: Stage, first: str, second: str, flags: str = "DO", later: str = "DO") -> bool:
    """Whether the second question went to the plugins behind."""
    await stage.ask(first, flags=flags)
    before = len(stage.asked)
    found = await stage.ask(second, flags=later)
    assert found is not None
    assert found.rcode == 3
    return len(stage.asked) > before


@pytest.mark.parametrize(
    ("second", "again"),
    [
        ("a.test. AAAA", False),
        ("x.a.test. A", False),
        ("x.y.z.A.Test. MX", False),
        ("b.test. A", True),
        ("xa.test. A", True),
        ("test. A", True),
    ],
)
async def test_names_at_and_below_do_not_exist(second: str, again: bool) -> None:
    stage = Stage(says=VALIDATED, behind=(UNWRAPPED, SHUFFLER, TREE, OTHER))
    assert await asked_again(stage, "a.test. A", second) is again
    if not again:
        assert stage.metrics()["hits_total{dns://:53,denial,.,}"] == 1


@pytest.mark.parametrize(
    "came",
    [
        reply(rcode="NXDOMAIN", authority=[SOA]),
        reply(rcode="NXDOMAIN", authority=[". 60 IN SOA a. b. 1 1 1 1 1"], flags="AD"),
        reply(rcode="NXDOMAIN", authority=[SOA], flags="AD", plugin="template"),
    ],
    ids=["not validated", "of the root", "of another plugin"],
)
async def test_what_is_not_certain_is_asked(came: Reply) -> None:
    assert await asked_again(Stage(says=came, behind=(TREE,)), "a.test. A", "x.a.test. A")


@pytest.mark.parametrize(
    "behind",
    [(), (OTHER, TREE), (Plugin(name="forward", wrap=itself),)],
    ids=["nobody", "another may know", "several trees"],
)
async def test_where_another_has_a_say_it_is_asked(behind: tuple[Plugin, ...]) -> None:
    assert await asked_again(Stage(says=VALIDATED, behind=behind), "a.test. A", "x.a.test. A")


async def test_another_may_know_some_names() -> None:
    stage = Stage(says=VALIDATED, behind=(KNOWS_B, TREE))
    assert not await asked_again(stage, "a.test. A", "x.a.test. A")
    assert not await asked_again(stage, "a.test. A", "b.a.test. A")
    assert await asked_again(stage, "test. A", "x.b.test. A")
    assert not await asked_again(stage, "test. A", "x.c.test. A")


async def test_clients_with_other_wishes_ask_themselves() -> None:
    stage = Stage(says=VALIDATED, behind=(TREE,))
    assert await asked_again(stage, "a.test. A", "x.a.test. A", flags="DO", later="")
    assert await asked_again(stage, "b.test. A", "x.b.test. A", flags="", later="CD")
    assert not await asked_again(stage, "c.test. A", "x.c.test. A", flags="", later="")


async def test_until_it_ends() -> None:
    stage = Stage("serve_stale", says=VALIDATED, behind=(TREE,))
    await stage.ask("a.test. A")
    stage.later(59)
    await stage.ask("x.a.test. A")
    assert len(stage.asked) == 1
    stage.later(1)
    await stage.ask("x.a.test. A")
    assert len(stage.asked) == 2


async def test_not_where_denials_are_disabled() -> None:
    stage = Stage("disable denial a.test", says=VALIDATED, behind=(TREE,))
    assert await asked_again(stage, "a.test. A", "x.a.test. A")


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("forward . 192.0.2.1 192.0.2.2", True),
        ("forward a.test 192.0.2.1", True),
        ("forward . 192.0.2.1 {\nexcept b.test\n}", False),
        ("forward a.test 192.0.2.1\nforward . 192.0.2.2", False),
    ],
)
def test_which_forward_has_one_tree(text: str, one: bool) -> None:
    assert forward.setup(directive(text), site()).one_tree is one


def test_the_clusters_zones_are_another_matter() -> None:
    plugin = kubernetes.setup(directive("kubernetes cluster.local"), site())
    assert plugin.leaves_alone is not None
    assert not plugin.one_tree
    assert plugin.leaves_alone(Question(b"\1a\4test\0", 1))
    assert not plugin.leaves_alone(Question(b"\1a\7Cluster\5local\0", 1))
