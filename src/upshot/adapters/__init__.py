"""What touches the outside world: actions, outbound HTTP, the clock."""
