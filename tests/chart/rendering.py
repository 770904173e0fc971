"""The chart, rendered by helm."""

import functools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.tools import run, tool

CHART = Path(__file__).resolve().parents[2] / "chart"
NAMESPACE = "kube-system"
#: A version that the chart supports; helm's own default depends on how it was built.
KUBE_VERSION = "1.30"

Values = dict[str, Any]
#: An object of Kubernetes, as YAML has it.
Manifest = dict[str, Any]


class RefusedError(Exception):
    """helm renders nothing; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What helm made of the chart and some values."""

    text: str

    def __iter__(self) -> Iterator[Manifest]:
        return iter(_parsed(self.text))

    def kinds(self) -> list[str]:
        return sorted(f"{found['kind']}/{found['metadata']['name']}" for found in self)

    def get(self, kind: str, name: str = "") -> Manifest:
        """The only object of *kind* (and *name*)."""
        found = [each for each in self if each["kind"] == kind and name in ("", each["metadata"]["name"])]
        assert len(found) == 1, f"{kind} {name}: {self.kinds()}"
        return found[0]

    def has(self, kind: str) -> bool:
        return any(each["kind"] == kind for each in self)

    @property
    def pod(self) -> Manifest:
        """The pod template of the server's Deployment."""
        for found in self:
            if found["kind"] == "Deployment" and self._serves(found):
                template: Manifest = found["spec"]["template"]
                return template
        raise AssertionError(f"no Deployment of the server: {self.kinds()}")

    @property
    def container(self) -> Manifest:
        """The server's container."""
        container: Manifest = self.pod["spec"]["containers"][0]
        return container

    @property
    def corefile(self) -> str:
        text: str = self.get("ConfigMap", self.pod["spec"]["volumes"][0]["configMap"]["name"])["data"][
            "Corefile"
        ]
        return text

    @staticmethod
    def _serves(deployment: Manifest) -> bool:
        return bool(deployment["spec"]["template"]["spec"]["containers"][0]["name"] == "coredns")


@functools.cache
def _parsed(text: str) -> tuple[Manifest, ...]:
    return tuple(found for found in yaml.load_all(text, yaml.CSafeLoader) if found)


def helm(*words: str | Path, kubeconfig: str | Path = os.devnull) -> str:
    """Standard output of helm. Raises RefusedError with what it says where it ends with an error."""
    with tempfile.TemporaryDirectory() as home:  # what the user has configured plays no part
        places = {f"HELM_{kind}_HOME": home for kind in ("CACHE", "CONFIG", "DATA")}
        done = run([tool("helm"), *words], env={**os.environ, "KUBECONFIG": str(kubeconfig), **places})
    if done.returncode != 0:
        raise RefusedError(done.stderr)
    return done.stdout


def render(
    values: Values | None = None,
    *words: str,
    release: str = "coredns",
    namespace: str = NAMESPACE,
    kube_version: str = KUBE_VERSION,
) -> Rendering:
    """`helm template` with *values* over the chart's own. Raises RefusedError."""
    chosen = ("--namespace", namespace, "--kube-version", kube_version, *words)
    return _rendered(yaml.safe_dump(values or {}), release, *chosen)


@functools.cache
def _rendered(values: str, release: str, *words: str) -> Rendering:
    """Once for each process of the tests: helm takes a quarter of a second."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(values)
        file.flush()
        return Rendering(helm("template", release, CHART, "--values", file.name, *words))
