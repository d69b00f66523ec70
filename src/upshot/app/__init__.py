"""The composition root and the nouns: `upshot.runs.cancel(...)`."""
