"""Extended DNS Errors of other servers, of any length: the stored path has the octets of the plain one, or none."""

from random import Random

from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import Rcode
from dnsserver.wire.edns import extended_error
from tests.answering.packets import RD, message, opt
from tests.fast.test_lasting import LASTS_S, NAME, WITH_OPT, Memory, addresses, dispatcher, negative, plainly
from tests.fast.test_lasting import _with_ttl as with_ttl

ROUNDS = 400
#: Octets that clients offer by UDP.
PAYLOADS = (0, 512, 513, 600, 1232, 4096)


def test_texts_near_the_size_that_a_client_takes() -> None:
    rng = Random(29)
    given = 0
    for _ in range(ROUNDS):
        payload = rng.choice(PAYLOADS)
        records = rng.choice((0, 1, rng.randint(2, 60)))
        room = max(payload, 512) - 12 - (len(NAME) + 4) - 11 - 16 * records
        texts = [max(0, room - 6 + rng.randint(-12, 12)), rng.randint(0, 1400)]
        options = tuple(extended_error(22, "x" * length) for length in texts[: rng.randint(1, 2)])

        def reply(
            spelling: bytes, records: int = records, options: tuple[tuple[int, bytes], ...] = options
        ) -> Reply:
            if not records:
                return Reply(rcode=Rcode.NXDOMAIN, authority=negative().authority, options=options)
            return Reply(
                answer=addresses(spelling, *(f"192.0.2.{n}" for n in range(records))), options=options
            )

        octets = message(NAME + b"\0\1\0\1" + opt(payload), RD, WITH_OPT)
        found = dispatcher(Memory(reply)).answer_now(octets, "udp", ipv6=False)
        if found is not None:
            given += 1
            assert found == plainly(with_ttl(reply(NAME), LASTS_S), octets), (payload, records, texts)
    assert given > ROUNDS // 10
