"""The cluster that all tests begin with, and the operator in it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config
from shop_operator.operator import Operator


@pytest.fixture
def cluster_dns_manifests() -> list[Path]:
    return [Path(__file__).parent.parent / "manifests"]


@pytest.fixture
def api(kube_api, tmp_path) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(kube_api.kubeconfig(tmp_path / "kubeconfig"))) as found:
        yield found


@pytest.fixture
def operator(api) -> Iterator[None]:
    running = Operator(api, "market")
    thread = threading.Thread(target=running.run)
    thread.start()
    yield
    running.stop()
    thread.join()


def shop(name: str, *tills: str) -> dict:
    return {
        "apiVersion": "example.org/v1",
        "kind": "Shop",
        "metadata": {"name": name, "namespace": "market"},
        "spec": {"tills": list(tills)},
    }
