# SPDX-License-Identifier: Apache-2.0
"""The deepest stack of a program, from GCC's call graphs (-fcallgraph-info=su).

A call through a pointer has the place of the call only. The name it is called by there is looked up:
`slots->state->next(` may be every function that a table names `.next =`. What no table names is the
product's own and counts nothing. Where tables do not name their members it may be every function
in them whose name has that name in it.
"""
import collections
import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Called by a name that is not that of a table's member: what it stands for.
PARAMETERS = {"handler": ("read", "write"), "confirmed": (), "call": ("feed",)}
ARGUMENTS = {"confirmed": [("image/image_record.c", "ferry_confirmed_read")]}

# A view of flash asks the flash it is a part of, which is the chip's: no view of a view is made.
VIEW = "flash/flash_slice.c"

# A const table, and what is in it; and a struct that is made of its members.
TABLE = re.compile(r"^(?:static )?const struct (\w+) \w+(?:\[\w*\])? =\s+\{(.*?)\};", re.M | re.S)
MADE = re.compile(r"\(struct (\w+)\)\{([^;{}]*)\}")

# What is asked for: a function by its title in the graph, and whether flash it asks is the chip's.
Node = collections.namedtuple("Node", "title on_chip")
Function = collections.namedtuple("Function", "unit name frame")


@functools.cache
def source(path):
    """The file of the tree that a path of the compiler is: builds elsewhere have other beginnings."""
    parts = pathlib.Path(path).parts
    return next((ROOT.joinpath(*parts[i:]) for i in range(1 if parts[0] == "/" else 0, len(parts))
                 if parts[i] != ".." and ROOT.joinpath(*parts[i:]).is_file()), pathlib.Path(path))


@functools.cache
def lines(path):
    return source(path).read_text().splitlines()


def line_of(path, number):
    return lines(path)[int(number) - 1]


def short(path):
    return "/".join(pathlib.Path(path).parts[-2:])


def plain(name):
    """A function's name in the source: x of the compiler's own x.constprop.0."""
    return name.split(".")[0]


def fits(kind, holder, name):
    """Whether holder->name( may be of this kind of table: hooks-> is not a ferry_flash_ops."""
    if name == "handler":
        return kind == "ferry_command"
    if kind in ("ferry_command", "ferry_flash_ops") or holder in ("ops", "hooks"):
        return holder is not None and kind.endswith("_" + holder)
    return True


class Graph:
    """texts: what GCC wrote. sources: files with tables that are not in it (after -flto). chip: the
    units that are the chip's flash, when they are there."""

    def __init__(self, texts, sources=(), chip=()):
        self.functions, self.calls, self.pointers = {}, {}, {}  # of titles
        self.named = {}  # {(unit, name): [title]}
        self.public = set()  # titles
        self.sources = {short(p): source(p) for p in sources}
        self.chip, self.open_calls = chip, []
        for text in texts:
            self.read(text)
        self.members = self.read_members()

    def read(self, text):
        title = re.search(r'^graph: \{ title: "([^"]+)"', text, re.M).group(1)
        if title.endswith(".c"):
            self.sources[short(title)] = source(title)
        for title, label in re.findall(r'^node: \{ title: "([^"]+)" label: "([^"]*)"', text, re.M):
            found = re.match(r"([^\\]+)\\n([^\\]+):(\d+):\d+\\n(\d+) bytes \(([^)]*)\)", label)
            if found is None:
                continue  # called here, made elsewhere
            name, path, line, frame, kind = found.groups()
            if kind == "dynamic":
                sys.exit(f"stack.py: {name} in {path}: its frame has no bound")
            unit, name = short(path), plain(name)
            self.functions[title] = Function(unit, name, int(frame))
            self.sources[unit] = source(path)
            self.named.setdefault((unit, name), []).append(title)
            if not line_of(path, line).startswith("static"):
                self.public.add(title)
        for caller, target, label in re.findall(
                r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"(?: label: "([^"]+)")?', text, re.M):
            if target == "__indirect_call":
                self.pointers.setdefault(caller, set()).add(label)
            else:
                self.calls.setdefault(caller, set()).add(target)

    def find(self, unit, name):
        """Titles of a function that is written in a unit, or is public elsewhere."""
        return self.named.get((unit, name)) or \
            [t for t, f in self.functions.items() if f.name == name and t in self.public]

    def read_members(self):
        """{(kind, member): [title]}: what tables name."""
        found = {}
        for unit, path in sorted(self.sources.items()):
            text = path.read_text()
            for kind, body in TABLE.findall(text) + MADE.findall(text):
                for member, name in re.findall(r"\.(\w+) = (\w+)", body):
                    found.setdefault((kind, member), []).extend(self.find(unit, name))
        return found

    def pointed(self, label):
        """The functions that a call through a pointer at this place may reach."""
        path, line, column = label.rsplit(":", 2)
        text = line_of(path, line)[int(column) - 1:]
        array = re.match(r"(\w+)\[[^]]*\]\(", text)
        if array is not None:
            return self.in_array(source(path), array.group(1))
        called = re.match(r"[(*]*(?:[\w\[\].>-]*?(\w+)(?:\[[\w>.-]+\])?\)?(?:->|\.))?(\w+)\)?\(", text)
        if called is None:
            sys.exit(f"stack.py: {label}: what is called here? {text}")
        holder, name = called.groups()
        if name in ARGUMENTS:
            return [title for function in ARGUMENTS[name] for title in self.find(*function)]
        members = PARAMETERS.get(name, (name,))
        kinds = {kind for kind, member in self.members if member in members and fits(kind, holder, name)}
        found = [title for (kind, member), titles in self.members.items() for title in titles
                 if member in members and kind in kinds]
        if holder is None:  # a parameter, named as what is given for it
            found += [title for title, function in self.functions.items() if function.name == name]
        if not found:
            found = self.positional(source(path), name)
        if not found and name not in self.open_calls:
            self.open_calls.append(name)
        return found

    def in_array(self, path, name):
        """Functions that an array of a file has."""
        body = re.search(name + r"\[\w*\]\)?(?:\([^)]*\))? = \{(.*?)\};", path.read_text(), re.S).group(1)
        return [title for word in set(re.findall(r"\w+", body)) for title in self.find(short(path), word)]

    @functools.cache
    def positional(self, path, member):
        """Functions that stand in tables which do not name members: of the file, of third-party code
        of the folder; their names have the member's in them."""
        third = "third_party" in path.parts
        files = [p for p in path.parent.iterdir() if p.suffix in (".c", ".inc", ".h")] if third else [path]
        names = set(re.findall(r"[&{,]\s*(\w+)\s*(?=[,}])", "".join(p.read_text() for p in files)))
        return [t for t, f in self.functions.items()
                if f.name in names and member in f.name and self.sources[f.unit] in files]

    def callees(self, node):
        """What a node calls. Behind a view only the chip's own flash is asked."""
        on_chip = node.on_chip or self.functions[node.title].unit == VIEW
        for target in self.calls.get(node.title, ()):
            # Equal copies of a function were made one: x.lto_priv.3 is x.lto_priv.0.
            same = re.sub(r"(\.lto_priv)\.\d+$", r"\1.0", target)
            title = target if target in self.functions else same
            if title in self.functions:
                yield Node(title, on_chip)
        for label in self.pointers.get(node.title, ()):
            if not on_chip or self.chip:
                yield from (Node(t, on_chip) for t in self.pointed(label)
                            if not on_chip or self.functions[t].unit in self.chip)


def deepest(graph, linked, entry, unit=None, beside=None):
    """(bytes, [(function, frame)]) of the deepest chain from a function. linked: the (unit, name)s
    that are in the program, or None: all. beside: bytes that functions outside the graph take which
    a title calls."""
    done, open_nodes = {}, []

    def is_linked(title):
        return linked is None or graph.functions[title][:2] in linked

    def visit(node):
        if node in open_nodes:
            sys.exit("stack.py: recursion: " + " > ".join(n.title for n in open_nodes + [node]))
        if node not in done:
            function = graph.functions[node.title]
            open_nodes.append(node)
            below = [visit(c) for c in graph.callees(node) if is_linked(c.title)]
            below.append((beside(node.title), []) if beside else (0, []))
            below = max(below, key=lambda chain: chain[0])
            mark = " on the chip" if node.on_chip else ""
            done[node] = (function.frame + below[0],
                          [(f"{function.name}{mark} ({function.unit})", function.frame), *below[1]])
            open_nodes.pop()
        return done[node]
    return visit(Node(next(t for t, f in graph.functions.items()
                           if f.name == entry and unit in (None, f.unit) and is_linked(t)), False))


def handlers(graph, linked):
    """[(bytes, function)] of the commands, deepest first: each with all below it."""
    found = {graph.functions[t][:2] for (kind, _), titles in graph.members.items() if kind == "ferry_command"
             for t in titles}
    return sorted(((deepest(graph, linked, name, unit)[0], name) for unit, name in found & linked), reverse=True)
