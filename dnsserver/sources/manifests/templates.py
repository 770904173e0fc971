"""What pods and pod templates say: labels, hostname, named ports, owner."""

from dnsserver.sources.manifests.fields import FieldError, Fields
from dnsserver.sources.manifests.stated import Owner, PodTemplate
from dnsserver.sources.objects import MAX_PORT
from dnsserver.sources.texts import is_label
from dnsserver.zone.objects import Port


def pod_template(fields: Fields) -> PodTemplate:
    """*fields* has `metadata` and `spec`, as a Pod and a workload's template have."""
    spec = fields.child("spec")
    names = {}
    for name in ("hostname", "subdomain"):
        text = spec.text(name)
        if text and not is_label(text):
            raise FieldError(f"{spec.place}.{name}: {text!r} is no DNS label")
        names[name] = text
    labels = fields.child("metadata").texts("labels")
    return PodTemplate(labels, names["hostname"], names["subdomain"], tuple(_ports(spec)))


def owner(fields: Fields) -> Owner | None:
    """The controller among metadata.ownerReferences; a lone reference counts without the mark `controller`."""
    references = fields.child("metadata").children("ownerReferences")
    for reference in references:
        if reference.flag("controller") or len(references) == 1:
            return Owner(reference.text("kind"), reference.text("name"))
    return None


def _ports(spec: Fields) -> list[Port]:
    """The named ports, in the order in which a targetPort is looked up: containers, then sidecars."""
    sidecars = [item for item in spec.children("initContainers") if item.text("restartPolicy") == "Always"]
    found = []
    for container in spec.children("containers") + sidecars:
        for port in container.children("ports"):
            number = port.number("containerPort", 1, MAX_PORT)
            name = port.text("name")
            if name and number is not None:
                found.append(Port(name, port.text("protocol", "TCP").lower(), number))
    return found
