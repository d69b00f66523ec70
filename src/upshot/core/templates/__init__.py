"""Templates: text and JSON with placeholders, in a restricted Liquid that is safe with untrusted authors."""

from upshot.core.templates.braces import import_braces
from upshot.core.templates.contexts import CONTEXTS, ContextName
from upshot.core.templates.errors import TemplateError
from upshot.core.templates.template import Template, compile_template
from upshot.core.templates.text import has_template, is_lone

__all__ = [
    "CONTEXTS",
    "ContextName",
    "Template",
    "TemplateError",
    "compile_template",
    "has_template",
    "import_braces",
    "is_lone",
]
