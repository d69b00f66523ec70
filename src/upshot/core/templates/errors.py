"""What goes wrong when a template is rendered."""

from upshot.core.errors import UpshotError


class TemplateError(UpshotError):
    """A template could not be rendered. `path` says where it stands, `placeholder` which part of it failed.

    The same facts give the same error again: another attempt cannot help.
    """

    code = "template_failed"

    def __init__(self, path: str, placeholder: str, reason: str) -> None:
        self.path, self.placeholder, self.reason = path, placeholder, reason
        where = f"{path}: " if path else ""
        super().__init__(f"{where}{placeholder} could not be rendered: {reason}" if placeholder else f"{where}{reason}")


class RenderFailure(Exception):
    """Inside a render: why it cannot go on. Always turned into a TemplateError, which knows the path."""

    def __init__(self, reason: str, placeholder: str = "") -> None:
        self.reason, self.placeholder = reason, placeholder
        super().__init__(reason)
