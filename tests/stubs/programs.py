"""Programs that do one look-up with a real library, and print what came of it."""

from pathlib import Path

from tests.support.tools import must_run, tool

#: Seconds. Go compiles its library as well, the first time.
BUILD_S = 120.0
#: MODE (4, 6, *) NAME: the addresses, or the code of getaddrinfo(3); the seconds that it took.
LOOKUP_C = """\
#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

static const char *code(int error) {
    switch (error) {
    case EAI_NONAME: return "EAI_NONAME";
    case EAI_AGAIN: return "EAI_AGAIN";
    case EAI_FAIL: return "EAI_FAIL";
    case EAI_NODATA: return "EAI_NODATA";
    case EAI_SYSTEM: return "EAI_SYSTEM";
    }
    return "another";
}

int main(int argc, char **argv) {
    char text[NI_MAXHOST];
    struct addrinfo hints = {0}, *found = NULL, *item;
    struct timespec begun, ended;
    if (argc != 3) return 2;
    hints.ai_family = argv[1][0] == '4' ? AF_INET : argv[1][0] == '6' ? AF_INET6 : AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    int error = getaddrinfo(argv[2], NULL, &hints, &found);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("seconds %.3f\\n", ended.tv_sec - begun.tv_sec + (ended.tv_nsec - begun.tv_nsec) / 1e9);
    if (error) printf("error %s\\ntext %s\\n", code(error), gai_strerror(error));
    for (item = found; item; item = item->ai_next)
        if (!getnameinfo(item->ai_addr, item->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST))
            printf("address %s\\n", text);
    return 0;
}
"""

LOOKUP_GO = """\
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	network := map[string]string{"4": "ip4", "6": "ip6", "*": "ip"}[os.Args[1]]
	begun := time.Now()
	found, err := net.DefaultResolver.LookupIP(context.Background(), network, os.Args[2])
	fmt.Printf("seconds %.3f\\n", time.Since(begun).Seconds())
	if err != nil {
		fmt.Printf("text %s\\n", err)
	}
	for _, address := range found {
		fmt.Printf("address %s\\n", address)
	}
}
"""


def glibc_program(folder: Path) -> Path:
    """The program, linked with this machine's glibc at run time."""
    return _compiled(folder, "glibc", tool("gcc"))


def musl_program(folder: Path) -> Path:
    """The program, linked statically with this machine's musl."""
    return _compiled(folder, "musl", tool("musl-gcc"), "-static")


def go_program(folder: Path) -> Path:
    """The program with Go's own resolver."""
    (folder / "lookup.go").write_text(LOOKUP_GO)
    must_run(
        (tool("env"), "CGO_ENABLED=0", tool("go"), "build", "-o", folder / "go", folder / "lookup.go"),
        cwd=folder,
        patience_s=BUILD_S,
    )
    return folder / "go"


def _compiled(folder: Path, name: str, *compiler: str) -> Path:
    (folder / "lookup.c").write_text(LOOKUP_C)
    must_run((*compiler, "-O1", "-Wall", "-o", folder / name, folder / "lookup.c"))
    return folder / name
