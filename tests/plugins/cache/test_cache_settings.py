"""cache: Corefile text to settings."""

from dataclasses import replace

import pytest

from dnsserver.plugins.cache import setup
from dnsserver.plugins.cache.settings import CacheSettings, Half, Prefetch
from dnsserver.plugins.cache.stale_settings import Stale
from dnsserver.wire import names
from tests.plugins.helpers import directive, refused

PLAIN = CacheSettings(zones=frozenset((names.ROOT,)), label=".")
SUCCESS, DENIAL = PLAIN.success, PLAIN.denial


def settings_of(text: str, zones: tuple[str, ...] = (".",)) -> CacheSettings:
    return CacheSettings.from_directive(directive(text), zones)


def zone(text: str) -> bytes:
    return names.from_text(text)


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        ("", {}),
        ("30", {"success": replace(SUCCESS, ceiling_s=30), "denial": replace(DENIAL, ceiling_s=30)}),
        ("a.test", {"zones": frozenset((zone("a.test."),)), "label": "a.test."}),
        (
            "7200 B.test a.test",
            {
                "zones": frozenset((zone("a.test."), zone("b.test."))),
                "label": "b.test.,a.test.",
                "success": replace(SUCCESS, ceiling_s=7200),
                "denial": replace(DENIAL, ceiling_s=7200),
            },
        ),
        ("10.1.0.0/16", {"zones": frozenset((zone("1.10.in-addr.arpa."),)), "label": "1.10.in-addr.arpa."}),
        ("a.test 30", {"zones": frozenset((zone("a.test."), zone("30."))), "label": "a.test.,30."}),
    ],
)
def test_arguments(arguments: str, changed: dict[str, object]) -> None:
    assert settings_of(f"cache {arguments}") == replace(PLAIN, **changed)  # type: ignore[arg-type]


def test_zones_of_the_block() -> None:
    found = settings_of("cache", ("b.test.", "a.test."))
    assert (found.zones, found.label) == (frozenset((zone("a.test."), zone("b.test."))), "b.test.,a.test.")


EVERYWHERE = frozenset((names.ROOT,))


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ("success 5000", {"success": Half(capacity=5000)}),
        ("success 5000 60", {"success": Half(capacity=5000, ceiling_s=60)}),
        ("success 5000 60 0", {"success": Half(capacity=5000, ceiling_s=60, floor_s=0)}),
        ("denial 5000", {"denial": Half(capacity=5000, ceiling_s=1800)}),
        ("denial 5000 60 1", {"denial": Half(capacity=5000, ceiling_s=60, floor_s=1)}),
        ("prefetch 3", {"prefetch": Prefetch(amount=3)}),
        ("prefetch 3 10m", {"prefetch": Prefetch(amount=3, gap_s=600)}),
        ("prefetch 3 10m 25%", {"prefetch": Prefetch(amount=3, gap_s=600, percentage=25)}),
        ("serve_stale", {"stale": Stale(stale_s=3600)}),
        ("serve_stale 10m", {"stale": Stale(stale_s=600)}),
        ("serve_stale 10m IMMEDIATE", {"stale": Stale(stale_s=600)}),
        ("serve_stale 10m immediate 30s", {"stale": Stale(stale_s=600, ttl_s=30)}),
        ("serve_stale 10m immediate 30s 5s", {"stale": Stale(stale_s=600, ttl_s=30, recheck_s=5)}),
        ("serve_stale 10m verify", {"stale": Stale(stale_s=600, verify=True)}),
        ("serve_stale 10m verify 100ms", {"stale": Stale(stale_s=600, verify=True, timeout_s=0.1)}),
        ("serve_stale 10m verify 0 30s", {"stale": Stale(stale_s=600, verify=True, ttl_s=30)}),
        (
            "serve_stale 10m verify 1s 30s 5m",
            {"stale": Stale(stale_s=600, verify=True, timeout_s=1, ttl_s=30, recheck_s=300)},
        ),
        ("serve_stale 10m verify 1s 30s\nserve_stale 5m", {"stale": Stale(stale_s=300)}),
        (
            "serve_stale_policy PREFER_positive\nserve_stale",
            {"stale": Stale(stale_s=3600), "prefer_positive": True},
        ),
        ("servfail 0", {"servfail_s": 0.0}),
        ("servfail 5m", {"servfail_s": 300.0}),
        ("disable success", {"success": replace(SUCCESS, excepted=EVERYWHERE)}),
        (
            "disable denial A.test b.test",
            {"denial": replace(DENIAL, excepted=frozenset((zone("a.test."), zone("b.test."))))},
        ),
        (
            "disable denial a.test\ndisable denial b.test",
            {"denial": replace(DENIAL, excepted=frozenset((zone("b.test."),)))},
        ),
        ("keepttl", {"keep_ttl": True}),
        ("keepttl\nkeepttl", {"keep_ttl": True}),
    ],
)
def test_options(options: str, changed: dict[str, object]) -> None:
    assert settings_of(f"cache {{\n{options}\n}}") == replace(PLAIN, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("capacity", "entries"),
    [
        (10_000, 9_984),
        (9_984, 9_984),
        (1_024, 1_024),
        (1_279, 1_024),
        (5, 1_024),
        (0, 1_024),
        (-9_999, 1_024),
    ],
)
def test_capacity_comes_in_shards(capacity: int, entries: int) -> None:
    assert Half(capacity=capacity).entries_max == entries


PARSING = "Corefile:3 - Error during parsing: "
COUNT = PARSING + "Wrong argument count or unexpected line ending after '{}'"
MIN_TTL = "cache min TTL can not be negative: -1 (Corefile:3)"
TTL_0 = "cache TTL can not be zero or negative: 0 (Corefile:3)"


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ("sucess 10", COUNT.format("sucess")),
        *(
            case
            for half in ("success", "denial")
            for case in (
                (half, COUNT.format(half)),
                (f"{half} many", 'strconv.Atoi: parsing "many": invalid syntax (Corefile:3)'),
                (f"{half} 1 1s", 'strconv.Atoi: parsing "1s": invalid syntax (Corefile:3)'),
                (f"{half} 1 0", TTL_0),
                (f"{half} 1 1 x", 'strconv.Atoi: parsing "x": invalid syntax (Corefile:3)'),
                (f"{half} 1 1 -1", MIN_TTL),
            )
        ),
        ("prefetch", COUNT.format("prefetch")),
        ("prefetch 1 1m 10% x", COUNT.format("x")),
        ("prefetch -1", "prefetch amount should be positive: -1 (Corefile:3)"),
        ("prefetch x", 'strconv.Atoi: parsing "x": invalid syntax (Corefile:3)'),
        ("prefetch 1 60", 'time: missing unit in duration "60" (Corefile:3)'),
        ("prefetch 1 1m 20", "last character of percentage should be `%`, but is: '0' (Corefile:3)"),
        ("prefetch 1 1m x%", 'strconv.Atoi: parsing "x": invalid syntax (Corefile:3)'),
        ("prefetch 1 1m 9%", "percentage should fall in range [10, 90]: 9 (Corefile:3)"),
        ("prefetch 1 1m 91%", "percentage should fall in range [10, 90]: 91 (Corefile:3)"),
        ("serve_stale 1h verify 1s 1s 1s x", COUNT.format("x")),
        ("serve_stale 1h immediate 1s 1s 1s", COUNT.format("1s")),
        ("serve_stale 60", 'time: missing unit in duration "60" (Corefile:3)'),
        ("serve_stale -1s", "invalid negative duration for serve_stale (Corefile:3)"),
        ("serve_stale 1h Later", "invalid value for serve_stale refresh mode: later (Corefile:3)"),
        (
            "serve_stale 1h verify x",
            'invalid serve_stale verify timeout: time: invalid duration "x" (Corefile:3)',
        ),
        ("serve_stale 1h verify -1s", "invalid negative timeout for serve_stale verify (Corefile:3)"),
        (
            "serve_stale 1h immediate x",
            'invalid serve_stale response TTL: time: invalid duration "x" (Corefile:3)',
        ),
        ("serve_stale 1h immediate -1s", "invalid negative response TTL for serve_stale (Corefile:3)"),
        (
            "serve_stale 1h verify 0 1.5s",
            "serve_stale response TTL must be a whole number of seconds (Corefile:3)",
        ),
        (
            "serve_stale 1h immediate 4294967296s",
            "serve_stale response TTL exceeds the DNS TTL range (Corefile:3)",
        ),
        (
            "serve_stale 1h immediate 1s x",
            'invalid serve_stale failure recheck: time: invalid duration "x" (Corefile:3)',
        ),
        ("serve_stale 1h immediate 1s -1s", "invalid negative failure recheck for serve_stale (Corefile:3)"),
        ("serve_stale 1h verify 0 1s 6m", "serve_stale failure recheck cannot exceed 5 minutes (Corefile:3)"),
        ("serve_stale_policy", COUNT.format("serve_stale_policy")),
        ("serve_stale_policy a b", COUNT.format("b")),
        ("serve_stale_policy prefer_Negative", "invalid serve_stale_policy: prefer_Negative (Corefile:3)"),
        ("serve_stale_policy prefer_positive", "serve_stale_policy requires serve_stale (Corefile:2)"),
        (
            "serve_stale\nserve_stale_policy prefer_positive\nserve_stale_policy prefer_positive",
            "serve_stale_policy can only be specified once (Corefile:5)",
        ),
        ("servfail", COUNT.format("servfail")),
        ("servfail 1s 2s", COUNT.format("2s")),
        ("servfail 5", 'time: missing unit in duration "5" (Corefile:3)'),
        ("servfail -1s", "invalid negative ttl for servfail (Corefile:3)"),
        ("servfail 5m1s", "caching SERVFAIL responses over 5 minutes is not permitted (Corefile:3)"),
        ("disable", COUNT.format("disable")),
        ("disable a.test", 'cache type for disable must be "success" or "denial" (Corefile:3)'),
        ("disable success a..b", "invalid disabled zone: a..b (Corefile:3)"),
        ("keepttl yes", COUNT.format("yes")),
    ],
)
def test_refused_options(option: str, error: str) -> None:
    assert refused(setup, f"cache {{\n{option}\n}}") == f"plugin/cache: {error}"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("cache 0", "cache TTL can not be zero or negative: 0 (Corefile:2)"),
        ("cache -5 a.test", "cache TTL can not be zero or negative: -5 (Corefile:2)"),
        ("cache a..b", "zone is not a valid domain name: a..b (Corefile:2)"),
        ("cache \\\\300.test", "zone is not a valid domain name: \\\\300.test. (Corefile:2)"),
        ("cache\ncache", "this plugin can only be used once per Server Block (Corefile:3)"),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text.replace("\\\\", "\\")) == "plugin/cache: " + error.replace("\\\\", "\\")


def test_a_duration_is_a_zone_and_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert settings_of("cache 3600s").zones == frozenset((zone("3600s."),))
    assert caplog.messages == [
        "Corefile:2: 'cache 3600s' caches the zone '3600s' only: a TTL is a number of seconds, without unit"
    ]


def test_what_has_no_meaning_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert settings_of("cache {\nsuccess 5000 60 5 extra\n}").success == Half(capacity=5000, ceiling_s=60)
    assert caplog.messages == ["Corefile:3: 'extra' behind the arguments of 'success' has no meaning"]
