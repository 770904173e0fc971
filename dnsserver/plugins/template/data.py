"""What a template may name."""

from dnsserver.languages.gotemplate import ListOf, MapOf, Plain, Struct

_QUESTION = Struct(".Question", dict.fromkeys(("Name", "Qtype", "Qclass"), Plain.SCALAR))
#: Of the message: the header, by miekg/dns's names, and the question.
HEADER_FIELDS = (
    "Id",
    "Response",
    "Opcode",
    "Authoritative",
    "Truncated",
    "RecursionDesired",
    "RecursionAvailable",
    "Zero",
    "AuthenticatedData",
    "CheckingDisabled",
    "Rcode",
)
_MESSAGE = Struct(".Message", {**dict.fromkeys(HEADER_FIELDS, Plain.SCALAR), "Question": ListOf(_QUESTION)})
DATA = Struct(
    "the data of a template",
    {
        **dict.fromkeys(("Zone", "Name", "Regex", "Class", "Type", "Remote"), Plain.SCALAR),
        "Match": ListOf(Plain.SCALAR),
        "Group": MapOf(Plain.SCALAR),
        "Question": _QUESTION,
        "Message": _MESSAGE,
        "Var": MapOf(Plain.UNKNOWN),
    },
    {"Meta": 1},
)
