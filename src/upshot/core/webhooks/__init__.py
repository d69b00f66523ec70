"""Inbound webhooks: who may have sent a delivery, and which event it is."""

from upshot.core.webhooks.deliveries import envelope_of
from upshot.core.webhooks.model import WebhookSettings, read_webhook, to_document
from upshot.core.webhooks.schemes import SCHEMES, NotProven, secret_problem, verify

__all__ = [
    "SCHEMES",
    "NotProven",
    "WebhookSettings",
    "envelope_of",
    "read_webhook",
    "secret_problem",
    "to_document",
    "verify",
]
