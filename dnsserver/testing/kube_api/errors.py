"""What the API server answers in place of an object: metav1.Status with HTTP status and reason."""

from dnsserver.testing.kube_api.resources import Resource


class ApiError(Exception):
    """A failure as the API tells it."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message


def not_found(resource: Resource, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{resource.qualified} "{name}" not found')


def no_such_resource() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def exists(resource: Resource, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{resource.qualified} "{name}" already exists')


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    text = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", text)


def invalid(resource: Resource, name: str, why: str) -> ApiError:
    return ApiError(422, "Invalid", f'{resource.kind}.{resource.group} "{name}" is invalid: {why}')


def bad_request(why: str) -> ApiError:
    return ApiError(400, "BadRequest", why)


def not_allowed(why: str) -> ApiError:
    return ApiError(405, "MethodNotAllowed", why)


def unsupported_media(why: str) -> ApiError:
    return ApiError(415, "UnsupportedMediaType", why)
