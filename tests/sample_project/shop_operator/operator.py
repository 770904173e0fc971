"""Shops to Services and EndpointSlices, for as long as the operator runs."""

import threading
from typing import Any

import urllib3
from kubernetes import client, watch
from kubernetes.client.exceptions import ApiException

GROUP, VERSION, PLURAL = "example.org", "v1", "shops"
OWN = "app.kubernetes.io/managed-by=shop-operator"
#: Seconds between two attempts, and that a watch lasts.
PAUSE_S, WATCH_S = 0.1, 1


class Operator:
    """Follows the Shops of one namespace. A watch says when to look; what is there is looked at as a whole."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._core = client.CoreV1Api(api)
        self._slices = client.DiscoveryV1Api(api)
        self._shops = client.CustomObjectsApi(api)
        self._place = (GROUP, VERSION, namespace, PLURAL)
        self._namespace = namespace
        self._stopping = threading.Event()

    def run(self) -> None:
        """Until `stop`. An API server that is away is asked again."""
        listing = self._shops.list_namespaced_custom_object
        while not self._stopping.is_set():
            try:
                for _ in watch.Watch().stream(listing, *self._place, timeout_seconds=WATCH_S):
                    self.reconcile()
                self.reconcile()
            except (ApiException, urllib3.exceptions.HTTPError):
                self._stopping.wait(PAUSE_S)

    def stop(self) -> None:
        self._stopping.set()

    def reconcile(self) -> None:
        shops = self._shops.list_namespaced_custom_object(*self._place)["items"]
        services = self._core.list_namespaced_service(self._namespace, label_selector=OWN).items
        present = {service.metadata.name for service in services}
        for name in present - {shop["metadata"]["name"] for shop in shops}:
            self._core.delete_namespaced_service(name, self._namespace)
            self._slices.delete_namespaced_endpoint_slice(name, self._namespace)
        for shop in shops:
            self._publish(shop, is_new=shop["metadata"]["name"] not in present)

    def _publish(self, shop: dict[str, Any], *, is_new: bool) -> None:
        name, tills = shop["metadata"]["name"], shop["spec"]["tills"]
        endpoints = [{"addresses": [address], "conditions": {"ready": True}} for address in tills]
        if is_new:
            self._create(name, endpoints)
        else:
            self._slices.patch_namespaced_endpoint_slice(name, self._namespace, {"endpoints": endpoints})
        status = {"status": {"published": len(tills)}}
        if shop.get("status") != status["status"]:
            self._shops.patch_namespaced_custom_object_status(*self._place, name, status)

    def _create(self, name: str, endpoints: list[dict[str, Any]]) -> None:
        key, _, value = OWN.partition("=")
        port = {"name": "till", "port": 7000, "protocol": "TCP"}
        labels = {key: value, "kubernetes.io/service-name": name}
        metadata = {"name": name, "labels": labels}
        slice_ = {"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": [port]}
        self._slices.create_namespaced_endpoint_slice(self._namespace, slice_)
        service = {
            "metadata": {"name": name, "labels": {key: value}},
            "spec": {"clusterIP": "None", "ports": [port]},
        }
        self._core.create_namespaced_service(self._namespace, service)
