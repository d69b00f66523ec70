"""`python -m upshot.cli`: the same as `upshot`."""

from upshot.cli import main

main()
