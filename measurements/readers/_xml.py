"""XML of instruments: no entities, no external files, and names without their namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from measurements.data import ReadError

__all__ = ["Element", "children", "first", "local", "parse", "text_of"]

DEEPEST = 200


def parse(content: bytes | str) -> Element:
    """The root element; ReadError when it is not well-formed or tries what no instrument does."""
    try:
        root: Element = fromstring(content, forbid_dtd=False)
    except ParseError as error:
        line, _ = error.position
        raise ReadError(
            f"the XML breaks off or is damaged ({error}). Copy the file again and send it again.", line=line
        ) from None
    except DefusedXmlException:
        raise ReadError(
            "the XML defines entities or names other files, as no instrument does, so it is not read."
        ) from None
    except (ValueError, LookupError, RecursionError) as error:
        raise ReadError(f"the XML cannot be decoded ({error}). Save it as UTF-8.") from None
    _refuse_deep(root)
    return root


def _refuse_deep(root: Element) -> None:
    """Readers walk the tree by recursion; no instrument nests its elements like this."""
    level = [root]
    for _ in range(DEEPEST):
        level = [child for element in level for child in element]
        if not level:
            return
    raise ReadError(f"the XML is nested more than {DEEPEST} deep, as no instrument's is, so it is not read.")


def local(element: Element) -> str:
    """The name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: Element, name: str) -> Iterator[Element]:
    """Direct children of that name, whatever their namespace."""
    return (child for child in element if local(child) == name)


def first(element: Element | None, *names: str) -> Element | None:
    """The first descendant along direct children: first(root, "scan", "dataPoints")."""
    for name in names:
        if element is None:
            return None
        element = next(children(element, name), None)
    return element


def text_of(element: Element | None, *names: str) -> str:
    """The text of `first(element, *names)`, without blanks around it; "" when there is none."""
    found = first(element, *names)
    return (found.text or "").strip() if found is not None else ""
