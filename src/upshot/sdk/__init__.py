"""What applications and third-party packages write: events and actions, as Python."""
