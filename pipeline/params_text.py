"""Change values in the text of params.yaml: comments, order and all else stay as they are."""

from collections.abc import Mapping
from typing import Any

import yaml

Path = tuple[str, ...]


def changed(text: str, where: Path, values: Mapping[str, Any]) -> str:
    """Return `text` with `values` in the mapping at `where`, and nothing else read differently.

    A key that a mapping takes from another one (`<<`) gets a line of its own. Mappings that take it
    from the changed one get a line with what they had.
    Raises SystemExit naming a key that cannot be changed so, to be changed by hand.
    """
    found = _leaves(yaml.safe_load(text))
    wanted = found | {(*where, name): value for name, value in values.items()}
    try:
        for path, value in wanted.items():
            if found.get(path) != value:
                text = _with(text, path, _scalar(value))
                found = _leaves(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise _by_hand(where, "is more than lines of a key each") from error
    if found != wanted:
        raise _by_hand(where, "is more than lines of a key each")
    return text


def _leaves(value: Any, path: Path = ()) -> dict[Path, Any]:
    if not isinstance(value, dict):
        return {path: value}
    return {k: v for name, one in value.items() for k, v in _leaves(one, (*path, name)).items()}


def _scalar(value: Any) -> str:
    # Not `repr`: YAML reads 1e-05 as a text.
    return str(yaml.safe_dump(value, default_flow_style=True)).splitlines()[0]


def _with(text: str, path: Path, value: str) -> str:
    mapping = yaml.compose(text, yaml.SafeLoader)
    for name in path[:-1]:
        mapping = _child(mapping, name, path)
    if mapping is None or not isinstance(mapping, yaml.MappingNode) or mapping.flow_style:
        raise _by_hand(path, "is not in lines of a key each")
    if path[-1] not in [key.value for key, _ in mapping.value]:
        return _with_line(text, mapping, f"{path[-1]}: {value}")
    node = _child(mapping, path[-1], path)
    start, end = node.start_mark.index, node.end_mark.index
    if text[start] in "&!":
        raise _by_hand(path, "has an anchor or a tag")
    return text[:start] + value + text[end:]


def _child(mapping: Any, name: str, path: Path) -> Any:
    for key, node in mapping.value:
        if key.value == name:
            # An alias is the node of its anchor, which stands before it.
            if node.start_mark.index < key.end_mark.index:
                raise _by_hand(path, "is an alias")
            return node
    raise _by_hand(path, "is not there")


def _with_line(text: str, mapping: yaml.MappingNode, entry: str) -> str:
    lines = text.splitlines(keepends=True)
    # An alias is where its anchor is, before the key.
    last = max(max(key.end_mark.line, _last_line(node)) for key, node in mapping.value)
    newline = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if not lines[last].endswith(newline):
        lines[last] += newline
    indent = " " * mapping.value[0][0].start_mark.column
    return "".join([*lines[: last + 1], f"{indent}{entry}{newline}", *lines[last + 1 :]])


def _last_line(node: Any) -> int:
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return int(node.end_mark.line)
    # A block's own end is where the next one begins, behind all comments.
    pairs = isinstance(node, yaml.MappingNode)
    parts = [part for pair in node.value for part in pair] if pairs else node.value
    return max(map(_last_line, parts))


def _by_hand(path: Path, why: str) -> SystemExit:
    return SystemExit(f"params.yaml: {'.'.join(path)}: {why}; change it by hand")
