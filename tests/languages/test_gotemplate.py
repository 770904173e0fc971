"""Templates: texts, what they come to, and which are refused when they are read."""

import pytest

from dnsserver.languages.gotemplate import (
    ExecutionError,
    ListOf,
    MapOf,
    Plain,
    Struct,
    TemplateError,
    parse,
)

QUESTION = Struct(".Question", {"Name": Plain.SCALAR, "Qtype": Plain.SCALAR})
SHAPE = Struct(
    "the data",
    {
        "Name": Plain.SCALAR,
        "Number": Plain.SCALAR,
        "Yes": Plain.SCALAR,
        "Match": ListOf(Plain.SCALAR),
        "Empty": ListOf(Plain.SCALAR),
        "Group": MapOf(Plain.SCALAR),
        "Var": MapOf(Plain.UNKNOWN),
        "Question": QUESTION,
        "Questions": ListOf(QUESTION),
    },
    {"Meta": 1},
)
DATA = {
    "Name": "a.example.",
    "Number": 7,
    "Yes": True,
    "Match": ["abc", "b", "c"],
    "Empty": [],
    "Group": {"a": "10", "n": "x"},
    "Var": {"ttl": 60, "half": 0.5},
    "Question": {"Name": "A.example.", "Qtype": 28},
    "Questions": [{"Name": "A.example.", "Qtype": 28}],
    "Meta": lambda label: f"<{label}>",
}


def run(text: str) -> str:
    return parse(text, SHAPE, ("parseInt",)).run(DATA)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{{ .Name }} 60 IN A {{.Group.a}}.1", "a.example. 60 IN A 10.1"),
        ('{{ index .Match 1 }}{{ index .Group "a" }}{{ index .Group "no" }}', "b10"),
        ("{{ .Group.no }}", "<no value>"),
        ("{{ .Match }}{{ .Group }}{{ .Yes }}{{ .Number }}{{ .Var.half }}", "[abc b c]map[a:10 n:x]true70.5"),
        ("{{ .Question.Name }} {{ (index .Questions 0).Qtype }}", "A.example. 28"),
        ('{{ .Meta "x/y" }}{{ "x/y" | .Meta }}', "<x/y><x/y>"),
        ("{{ \"\\x41\\u0042\\n\" }}{{ `raw\\n` }}{{ 'a' }}", "AB\nraw\\n97"),
        ("{{ 0x1F }} {{ -1 }} {{ 0b11 }} {{ 1_000 }} {{ 1.5 }} {{ 017 }}", "31 -1 3 1000 1.5 15"),
        ("a  {{- .Number -}}  b", "a7b"),
        ("a {{/* note */}} b{{- /* trims */ -}} c", "a  bc"),
        ('{{ $x := .Name }}{{ $x }}{{ $x = "y" }}{{ $x }}{{ $.Number }}', "a.example.y7"),
        ("{{ if .Yes }}y{{ else }}n{{ end }}{{ if .Empty }}y{{ end }}", "y"),
        ('{{ if eq .Name "b" }}1{{ else if eq .Number 7 }}2{{ else }}3{{ end }}', "2"),
        ("{{ if $n := .Number }}{{ $n }}{{ end }}", "7"),
        ("{{ with .Question }}{{ .Name }}{{ $.Name }}{{ end }}", "A.example.a.example."),
        (
            "{{ with .Empty }}y{{ else }}n{{ end }}{{ with .Empty }}y{{ else with .Name }}{{ . }}{{ end }}",
            "na.example.",
        ),
        ("{{ range .Match }}{{ . }},{{ end }}{{ range .Empty }}x{{ else }}none{{ end }}", "abc,b,c,none"),
        (
            "{{ range $i, $v := .Match }}{{ $i }}{{ $v }}{{ end }}{{ range $v := .Match }}{{ $v }}{{ end }}",
            "0abc1b2cabcbc",
        ),
        ("{{ range $k, $v := .Group }}{{ $k }}={{ $v }};{{ end }}", "a=10;n=x;"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ('{{ range .Match }}{{ if eq . "b" }}{{ continue }}{{ end }}{{ . }}{{ end }}', "abcc"),
        ("{{ range .Match }}{{ . }}{{ break }}{{ end }}", "abc"),
        ('{{ and .Yes .Name }} {{ or .Empty "d" }} {{ not .Yes }}', "a.example. d false"),
        ("{{ and .Empty (index .Match 9) }}", "[]"),
        (
            '{{ eq .Number 1 7 }}{{ ne "a" "b" }}{{ lt 1 2 }}{{ le 2 2 }}{{ gt "b" "a" }}{{ ge 1 2 }}',
            "truetruetruetruetruefalse",
        ),
        ("{{ len .Name }}{{ len .Match }}{{ slice .Name 0 3 }}{{ slice .Match 1 }}", "103a.e[b c]"),
        ('{{ print 1 2 "a" 3 }}|{{ println 1 "a" }}', "1 2a3|1 a\n"),
        ('{{ html "<a&\'>" }}{{ urlquery "a b/c" }}', "&lt;a&amp;&#39;&gt;a+b%2Fc"),
        (
            '{{ parseInt .Group.a 16 8 }}{{ parseInt "0x1f" 0 64 }}{{ .Group.a | parseInt "7" 8 | print }}',
            None,
        ),
        ('{{ parseInt .Group.a 16 8 | printf "%03d" }}', "016"),
        (
            '{{ printf "%s-%q-%v-%d-%x-%X-%o-%b-%c-%U-%t-%%" .Name "a\\"" .Match 5 255 "az" 8 5 65 65 true }}',
            'a.example.-"a\\""-[abc b c]-5-ff-617A-10-101-A-U+0041-true-%',
        ),
        (
            '{{ printf "%5d|%-5d|%05d|%+d|%.3d|%6.2f|%-4s|%.2s|%#x|% x" 1 1 -1 1 1 1.5 "a" "abc" 255 "ab" }}',
            "    1|1    |-0001|+1|001|  1.50|a   |ab|0xff|61 62",
        ),
        (
            '{{ printf "%d %z %s" "a" 1 }}{{ printf "a" 1 }}{{ printf "%" }}',
            "%!d(string=a) %!z(int=1) %!s(MISSING)a%!(EXTRA int=1)%!(NOVERB)",
        ),
        ('{{ printf "%e %g %T" 1500.0 0.00001 .Name }}', "1.500000e+03 1e-05 string"),
        ("{{ (.Group).a }}{{ ((print 1)) }}", "101"),
    ],
)
def test_text(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ExecutionError):
            run(text)
    else:
        assert run(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ .Foo }}", "can't evaluate field Foo in the data"),
        ("{{ .Name.x }}", "can't evaluate field x"),
        ("{{ .Match.x }}", "can't evaluate field x in a list"),
        ("{{ range .Questions }}{{ .Foo }}{{ end }}", "can't evaluate field Foo in .Question"),
        ("{{ foo }}", 'function "foo" not defined'),
        ("{{ js 1 }}", 'function "js" is not supported'),
        ("{{ call .Name }}", 'function "call" is not supported'),
        ('{{ define "x" }}{{ end }}', "{{define}} is not supported"),
        ('{{ template "x" }}', "{{template}} is not supported"),
        ('{{ block "x" . }}{{ end }}', "{{block}} is not supported"),
        ("{{ . }}", "the data is no text"),
        ("{{ .Name", "unclosed action"),
        ("{{ /* a }}", "unclosed comment"),
        ("{{/* a */ }}", "comment ends before closing delimiter"),
        ('{{ "a }}', "unterminated quoted string"),
        ('{{ "\\z" }}', "unknown escape sequence"),
        ("{{ @ }}", "unexpected character"),
        ("{{ if .Yes }}", "an {{end}} is missing"),
        ("{{ end }}", "unexpected {{end}}"),
        ("{{ else }}", "unexpected {{else}}"),
        ("{{ break }}", "{{break}} outside {{range}}"),
        ("{{ }}", "missing value"),
        ("{{ (print 1 }}", "unclosed left paren"),
        ("{{ print 1) }}", "unexpected ')'"),
        ("{{ $x }}", 'undefined variable "$x"'),
        ("{{ if .Yes }}{{ $x := 1 }}{{ end }}{{ $x }}", 'undefined variable "$x"'),
        ("{{ $x := 1 }}{{ $x = .Question }}", "another kind of value"),
        ("{{ $x, $y := .Match }}", "too many declarations"),
        ("{{ .Name 1 }}", "can't give argument to non-function .Name"),
        ("{{ .Name | 1 }}", "can't give argument to non-function 1"),
        ("{{ .Meta }}", "wrong number of args for Meta: want 1 got 0"),
        ("{{ index }}", "wrong number of args for index"),
        ("{{ eq 1 }}", "wrong number of args for eq"),
        ("{{ parseInt }}", "wrong number of args for parseInt: want 3 got 0"),
        ("{{ nil }}", "nil is not a command"),
        ("{{ 99999999999999999999 }}", "larger than"),
        ("{{ 'ab' }}", "unterminated quoted string"),
        ("{{" + "(" * 60 + "1}}", "parentheses inside each other"),
        ("{{ if 1 }}" * 60, "actions inside each other"),
        ("{{ 1" + "|print" * 60 + "}}", "commands in a pipeline"),
        ("{{ range .Question }}{{ end }}", "range can't iterate"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text, SHAPE, ("parseInt",))
    assert reason in str(caught.value)


def test_functions_that_go_lacks_are_allowed_one_by_one() -> None:
    with pytest.raises(TemplateError, match='function "parseInt" not defined'):
        parse('{{ parseInt "1" 10 8 }}', SHAPE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ index .Match 9 }}", "index out of range"),
        ('{{ index .Match "a" }}', "cannot index with a string"),
        ("{{ index .Number 1 }}", "can't index an integer"),
        ("{{ index .Group 1 }}", "map index of an integer"),
        ("{{ slice .Name 3 1 }}", "invalid slice index"),
        ("{{ slice .Name 99 }}", "slice index out of range"),
        ("{{ len .Number }}", "len of an integer"),
        ("{{ eq .Name 1 }}", "incompatible types"),
        ("{{ lt true false }}", "invalid type"),
        ('{{ parseInt "x" 10 8 }}', 'parsing "x": invalid syntax'),
        ('{{ parseInt "256" 10 8 }}', "value out of range"),
        ('{{ parseInt "+1" 10 8 }}', "invalid syntax"),
        ('{{ parseInt "0x1" 16 8 }}', "invalid syntax"),
        ('{{ parseInt "1" 99 8 }}', "invalid base"),
        ("{{ printf 1 }}", "printf needs a string"),
        ('{{ printf "%2000d" 1 }}', "larger than 1000"),
        ("{{ range .Name }}{{ end }}", "range can't iterate"),
        ("{{ .Meta 1 }}", "Meta needs a string"),
        ("{{ range 100000 }}{{ end }}", "takes more than 10000 steps"),
        ("{{ range 9000 }}{{ $.Name }}{{ end }}", "takes more than"),
        ('{{ $x := "aaaaaaaa" }}{{ range 99 }}{{ $x = printf "%s%s" $x $x }}{{ end }}', "characters"),
        ('{{ $x := printf "%999d" 1 }}{{ range 99 }}{{ $x }}{{ end }}', "characters"),
    ],
)
def test_fails_when_it_runs(text: str, reason: str) -> None:
    template = parse(text, SHAPE, ("parseInt",))
    with pytest.raises(ExecutionError) as caught:
        template.run(DATA)
    assert reason in str(caught.value)
