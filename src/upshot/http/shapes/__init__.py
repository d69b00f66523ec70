"""The wire shapes, as the OpenAPI document shows them. Bodies refuse fields they do not know."""
