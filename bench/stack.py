# SPDX-License-Identifier: Apache-2.0
"""The deepest stack of a program, from GCC's call graphs (-fcallgraph-info=su).

A call through a pointer has the place of the call only. The name it is called by there is looked up:
`slots->state->next(` may be every function that a table names `.next =`. What no table names is the
product's own and counts nothing.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Called by a name that is not that of a table's member: what it stands for.
PARAMETERS = {"handler": ("read", "write"), "confirmed": ()}
ARGUMENTS = {"confirmed": [("image/image_record.c", "ferry_confirmed_read")]}

# A view of flash asks the flash it is a part of, which is the chip's: no view of a view is made.
VIEW = "flash/flash_slice.c"
CHIP = "@chip"

# A const table, and what is in it.
TABLE = re.compile(r"^(?:static )?const struct (\w+) \w+(?:\[\w*\])? =\s+\{(.*?)\};", re.M | re.S)


def short(path):
    return "/".join(pathlib.Path(path).parts[-2:])


class Graph:
    def __init__(self, objects):
        self.frames, self.calls, self.pointers, self.open_calls = {}, {}, {}, []
        self.public = {}
        self.units = set()  # those with nothing but a table, too
        for obj in objects:
            self.read(obj.with_suffix(".ci").read_text())
        self.members = self.read_members(self.units)

    def read(self, text):
        unit = short(re.search(r'^graph: \{ title: "([^"]+)"', text, re.M).group(1))
        self.units.add(unit)
        for title, size in re.findall(r'^node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes', text, re.M):
            node = (unit, title.rsplit(":", 1)[-1])
            self.frames[node] = int(size)
            self.public.setdefault(node[1], node) if ":" not in title else None
        for source, target, label in re.findall(
                r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"(?: label: "([^"]+)")?', text, re.M):
            node = (unit, source.rsplit(":", 1)[-1])
            if target == "__indirect_call":
                self.pointers.setdefault(node, set()).add(label)
            else:
                local = ":" in target
                self.calls.setdefault(node, set()).add((unit if local else None, target.rsplit(":", 1)[-1]))

    def read_members(self, units):
        """{(kind, member): [node]}: what tables name."""
        found = {}
        for unit in sorted(units):
            source = next((p for p in (ROOT / "core" / unit, ROOT / unit) if p.exists()), None)
            for kind, body in TABLE.findall(source.read_text()):
                for member, name in re.findall(r"\.(\w+) = (\w+)", body):
                    node = (unit, name) if (unit, name) in self.frames else self.public.get(name)
                    if node is not None:
                        found.setdefault((kind, member), []).append(node)
        return found

    def pointed(self, label):
        """The nodes that a call through a pointer at this place may reach."""
        path, line, column = label.rsplit(":", 2)
        text = pathlib.Path(path).read_text().splitlines()[int(line) - 1][int(column) - 1:]
        name = re.match(r"[\w\[\].>-]*?(\w+)\(", text)
        if name is None:
            sys.exit(f"stack.py: {label}: what is called here? {text}")
        name = name.group(1)
        if name in ARGUMENTS:
            return ARGUMENTS[name]
        members = PARAMETERS.get(name, (name,))
        kinds = {"ferry_command"} if name == "handler" else \
            {"ferry_flash_ops"} if "ops->" in text.split("(")[0] else None
        found = [node for (kind, member), nodes in self.members.items() for node in nodes
                 if member in members and (kind in kinds if kinds else kind not in ("ferry_command", "ferry_flash_ops"))]
        if not found and name not in self.open_calls:
            self.open_calls.append(name)
        return found

    def callees(self, node, linked):
        """What a node calls. Behind a view only the chip's own flash is asked."""
        unit, name = node
        chip = name.endswith(CHIP)
        name = name.removesuffix(CHIP)
        for where, target in self.calls.get((unit, name), ()):
            callee = self.public.get(target) if where is None else (where, target)
            if callee in self.frames and callee in linked:
                yield (callee[0], callee[1] + CHIP) if chip or unit == VIEW else callee
        if not chip and unit != VIEW:
            for label in self.pointers.get((unit, name), ()):
                yield from (c for c in self.pointed(label) if c in linked and c in self.frames)


def deepest(graph, linked, entry, unit=None):
    """(bytes, [(function, frame)]) of the deepest chain from a function."""
    done, open_nodes = {}, []

    def visit(node):
        if node in open_nodes:
            sys.exit("stack.py: recursion: " + " > ".join(n for _, n in open_nodes + [node]))
        if node not in done:
            open_nodes.append(node)
            below = max((visit(c) for c in graph.callees(node, linked)), default=(0, []))
            frame = graph.frames[node[0], node[1].removesuffix(CHIP)]
            done[node] = (frame + below[0], [(f"{node[1]} ({node[0]})", frame), *below[1]])
            open_nodes.pop()
        return done[node]
    return visit(next(n for n in graph.frames if n[1] == entry and unit in (None, n[0]) and n in linked))


def handlers(graph, linked):
    """[(bytes, function)] of the commands, deepest first: each with all below it."""
    found = {n for (kind, _), nodes in graph.members.items() if kind == "ferry_command" for n in nodes}
    return sorted(((deepest(graph, linked, name, unit)[0], name) for unit, name in found & linked), reverse=True)
