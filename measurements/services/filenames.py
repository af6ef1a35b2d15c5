"""Names that came with a file, as the database can keep them. Only ever text, never a path."""

FILENAME_CHARACTERS = 255


def as_text(name: str, characters: int = FILENAME_CHARACTERS) -> str:
    """A name as PostgreSQL can hold it: the middle of a very long one gives way, its ending stays."""
    text = name.replace("\0", "").encode("utf-8", "replace").decode() or "unnamed"
    if len(text) <= characters:
        return text
    tail = characters // 4
    return f"{text[: characters - tail - 1]}…{text[-tail:]}"
