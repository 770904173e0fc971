"""Templates, rewrites and views: the answers of CoreDNS 1.14.7, but for what docs/differences.md lists.

COREDNS=/path/to/coredns python -m pytest tests/peers
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from tests.support.process import free_port

#: Seconds. For a server to answer at all.
START_S = 30.0

#: A reply to another question: the client's is not put back where a rule has nothing to do to replies.
UNUSABLE = ("no reply to the question",)
TEMPLATES = r"""
template ANY ANY internal.cloudapp.net {
  match "^(?:[^.]+\.){4,}internal\.cloudapp\.net\.$"
  rcode NXDOMAIN
  fallthrough
}
template ANY ANY reddog.microsoft.com {
  rcode NXDOMAIN
}
template IN A ip.test {
  match (^|[.])ip-(?P<a>[0-9]*)-(?P<b>[0-9]*)-(?P<c>[0-9]*)-(?P<d>[0-9]*)[.]ip[.]test[.]$
  answer "{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
  fallthrough
}
template IN TXT ip.test {
  match ^(?P<w>[a-z]+)-([0-9]+)[.]
ANSWERS
  additional "a.test. 5 A 192.0.2.1"
  authority "test. 5 NS ns.test."
}
template IN MX ip.test {
  match nothing
}
template IN SRV ip.test {
  var n int(group('n')) * 2
  match ^(?P<n>[0-9]+)[.]
  expr n > 10 && name() matches '^[0-9]+\\.ip\\.test\\.$' || type() in ['A']
  answer "{{ .Name }} 60 IN SRV 1 2 {{ .Var.n }} t.test"
  fallthrough
}
template IN ANY cname.test {
  answer "{{ .Name }} 60 IN CNAME ip-10-0-0-7.ip.test"
}
template IN A broken.test {
  answer "{{ .Name }} 60 IN A 300.1.1.1"
}
template ANY ANY target.test {
  answer "{{ .Name }} 60 IN TXT reached"
}
template IN CNAME chain.test {
  answer "{{ .Name }} 100 IN CNAME x.old.chain.test."
}
"""
#: Texts of TXT records.
ANSWERS = (
    """"{{ .Zone }} {{ .Class }} {{ .Type }} {{ printf "%05d" (parseInt (index .Group "2") 10 16) }}\"""",
    """"{{ range $i, $m := .Match }}{{ $i }}={{ $m }};{{ end }}\"""",
    """{{ if eq .Group.w "web" }}yes{{ else }}no{{ end }}{{- /* note */ -}}""",
    """"{{ .Match }} {{ .Group }} {{ len .Name }} {{ printf "%v %x %+d %6.2f|%-5s|" true "hi" 7 1.5 "x" }}\"""",
    """{{ .Question.Qtype }}{{ .Message.RecursionDesired }}{{ slice .Name 0 3 | printf "%s!" }}""",
    """"{{ printf "%d %s %q %c %U %t %08b %o %g" "a" 1 'a' 65 66 true 5 8 0.1 }}\"""",
    """"{{ print 1 2 "a" 3 }} {{ and 1 "" "x" }} {{ or 0 "" "y" }} {{ not 1 }} {{ eq "b" "a" "b" }}\"""",
    """"{{ with $x := .Remote }}{{ $x }}{{ end }}{{ $y := 1 }}{{ range .Match }}{{ $y = len . }}{{ end }}{{ $y }}\"""",
    """"{{ .Group.none }} {{ index .Group "none" }} {{ html "<&>" }} {{ urlquery "a b" }} {{ 1e3 }} {{ 2.5 }}\"""",
)
REWRITES = r"""
rewrite stop name exact exact.test a.target.test
rewrite stop name prefix pre new answer auto
rewrite stop name suffix .suf.test .target.test answer auto
rewrite stop name suffix .plain.test .target.test
rewrite stop name substring mid.sub other.target answer auto
rewrite stop {
  name regex ^(.*)\.re\.test\.?$ {1}.target.test
  answer name ^(.*)\.target\.test\.$ {1}.back.test
}
rewrite stop name regex ^bad\.name\.test\.$ a..b
rewrite continue type SPF TXT
rewrite continue ttl suffix ttl.test. 30-40
rewrite continue ttl regex ^short -10
rewrite stop rcode suffix reddog.microsoft.com. NXDOMAIN NOERROR
"""
TEMPLATES = TEMPLATES.replace(
    "ANSWERS",
    "\n".join('  answer "{{ .Name }} 60 TXT ' + each.replace('"', '\\"') + '"' for each in ANSWERS),
)
NAMES = """
a.internal.cloudapp.net. a.b.c.d.internal.cloudapp.net. A.B.c.d.e.Internal.cloudapp.net. x.reddog.microsoft.com.
ip-10-1-2-3.ip.test. x.ip-10-1-2-3.ip.test. IP-10-1-2-3.ip.test. ip-300-1-1-1.ip.test. nope.ip.test.
web-7.ip.test. app-12345.ip.test.
7.ip.test. 5.ip.test. 77.ip.test. a.cname.test. broken.test. t.target.test. exact.test. EXACT.test. a.exact.test.
pre.target.test. prefix.target.test. a.suf.test. A.Suf.test. suf.test. a.plain.test. x.mid.sub.test. mid.sub.test.
a.re.test. b.c.re.test.
bad.name.test. x.ttl.test. short.target.test. a.chain.test. nothing.example.
""".split()
TYPES = "A AAAA TXT SPF MX SRV CNAME ANY".split()


@asynccontextmanager
async def running(command: list[str], text: str, folder: Path) -> AsyncIterator[int]:
    """A server of this block; gives its port once it answers."""
    port = free_port()
    corefile = folder / f"{port}.Corefile"
    corefile.write_text(text.replace("PORT", str(port)))
    with (folder / f"{port}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, "-conf", str(corefile), stdout=log, stderr=log
        )
        try:
            await asyncio.wait_for(_answering(port), START_S)
            yield port
        finally:
            process.terminate()
            await process.wait()


async def _answering(port: int) -> None:
    while True:
        try:
            await ask(port, "t.target.test.", "TXT")
        except (OSError, dns.exception.Timeout):
            await asyncio.sleep(0.1)
        else:
            return


async def ask(port: int, name: str, rtype: str) -> tuple[str, ...]:
    """The reply as compared: RCODE, flags, and the sections as sorted lines."""
    query = dns.message.make_query(name, rtype)
    try:
        reply = await dns.asyncquery.udp(query, "127.0.0.1", port=port, timeout=2, ignore_trailing=True)
    except dns.query.BadResponse:
        return UNUSABLE
    sections = (
        "\n".join(sorted(line for rrset in section for line in rrset.to_text().splitlines()))
        for section in (reply.answer, reply.authority, reply.additional)
    )
    return (dns.rcode.to_text(reply.rcode()), dns.flags.to_text(reply.flags), *sections)


@pytest.mark.parametrize("rules", ["", REWRITES], ids=["templates", "rewrites"])
async def test_answers_are_coredns_answers(rules: str, tmp_path: Path) -> None:
    text = f".:PORT {{\nbind 127.0.0.1\n{rules}\n{TEMPLATES}\n}}\n"
    await compare(text, tmp_path)


async def test_views_are_coredns_views(tmp_path: Path) -> None:
    conditions = (
        "type() in ['A', 'MX'] && name() startsWith 'ip'",
        "size() % 2 == 0 ? incidr(client_ip(), '127.0.0.0/8') : false",
        r"name() matches '^(a|b)\\.' && not (name() contains 'suf')",
        "any(split(name(), '.'), # == 'test') && len(name()) > 12 || lower(class()) == 'ch'",
    )
    text = "".join(
        f'.:PORT {{\nbind 127.0.0.1\nview v{number} {{\nexpr "{condition}"\n}}\n'
        f'template ANY ANY {{\nanswer "{{{{ .Name }}}} 60 IN TXT v{number}"\n}}\n}}\n'
        for number, condition in enumerate(conditions)
    )
    await compare(text + f".:PORT {{\nbind 127.0.0.1\n{TEMPLATES}\n}}\n", tmp_path)


async def compare(text: str, folder: Path) -> None:
    differing = []
    async with (
        running([os.environ["COREDNS"]], text, folder) as theirs_port,
        running([sys.executable, "-m", "dnsserver"], text, folder) as port,
    ):
        for name in NAMES:
            for rtype in TYPES:
                theirs, own = await asyncio.gather(ask(theirs_port, name, rtype), ask(port, name, rtype))
                if theirs not in (own, UNUSABLE):
                    differing.append(f"{name} {rtype}\n  theirs {theirs}\n  ours   {own}")
    assert not differing, "\n".join(differing[:20])
