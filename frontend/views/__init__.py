"""Pages. A view translates a request into a question and an answer; it decides nothing."""
