"""The HTTP surface: `create_app` makes an ASGI application, one file per noun. The wire shapes stand in `shapes/`."""
