"""Limits of the protocol, each with its unit and source."""

#: Octets. A message's header (RFC 1035 section 4.1.1).
HEADER_SIZE = 12
#: Octets. One label without its length octet (RFC 1035 section 2.3.4).
LABEL_MAX = 63
#: Octets. A name with all length octets and the root (RFC 1035 section 2.3.4).
NAME_MAX = 255
#: Pointers followed in one name. A name of 255 octets has at most 127 labels, so an honest one needs no more.
POINTERS_MAX = 127
#: Octets. Highest offset that a compression pointer can name: 14 bits (RFC 1035 section 4.1.4).
POINTER_OFFSET_MAX = 0x3FFF
#: Octets. What a client without EDNS can take over UDP (RFC 1035 section 4.2.1).
UDP_PAYLOAD_CLASSIC = 512
#: Octets. The most that we send over UDP, whatever the client takes: beyond it fragments get lost and spoofed questions
#: pay off (RFC 6891 section 6.2.5 recommends 4096 as the starting point; TCP has the rest).
UDP_PAYLOAD_MAX = 4096
#: Octets. Any message: the length field of the TCP framing has 16 bits (RFC 1035 section 4.2.2).
MESSAGE_MAX = 65535
