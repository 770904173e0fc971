"""A program in a pod that resolves one name over and over: `python -m tests.node.pod NAME SERVER...`.

By UDP, and by TCP with a connection for each question. When its standard input ends it prints how many answers it got,
then a line for each question without one.
"""

import sys
import threading

import dns.exception
import dns.message
import dns.query
import dns.rcode

#: Seconds that a question may take: what resolv.conf(5) gives a server.
LOST_S = 5.0
#: Seconds between two questions.
PAUSE_S = 0.005


class _Clients:
    def __init__(self, name: str) -> None:
        self._name = name
        self._ending = threading.Event()
        self.answered = 0
        self.failures: list[str] = []

    def ask_on(self, server: str, tcp: bool) -> None:
        way = dns.query.tcp if tcp else dns.query.udp
        while not self._ending.wait(PAUSE_S):
            try:
                reply = way(dns.message.make_query(self._name, "A"), server, timeout=LOST_S)
            except (OSError, EOFError, dns.exception.DNSException) as error:
                self.failures.append(f"{server} {way.__name__}: {error!r}")
                continue
            if reply.rcode() == dns.rcode.NOERROR and reply.answer:
                self.answered += 1
            else:
                self.failures.append(f"{server} {way.__name__}: {reply}")

    def end(self) -> None:
        self._ending.set()


def main(name: str, *servers: str) -> None:
    clients = _Clients(name)
    threads = [
        threading.Thread(target=clients.ask_on, args=(server, tcp))
        for server in servers
        for tcp in (False, True)
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    clients.end()
    for thread in threads:
        thread.join()
    sys.stdout.write("\n".join((str(clients.answered), *clients.failures)) + "\n")


main(*sys.argv[1:])
