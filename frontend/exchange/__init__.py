"""A project as an archive with its raw files and values: what only the top room can see whole."""
