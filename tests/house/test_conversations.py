# SPDX-License-Identifier: Apache-2.0
"""Every command of every group table is said in a conversation on the wire
(tests/e2e/test_conversation_*.py)."""
import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
READ, WRITE = "READ", "WRITE"


def numbers():
    """FERRY_SMP_… of the public headers."""
    found = {}
    for header in (ROOT / "include/ferry").glob("*.h"):
        text = header.read_text()
        found.update(re.findall(r"\b(FERRY_SMP_\w+) = (\d+)\b", text))
        found.update(re.findall(r"^#define (FERRY_SMP_GROUP_\w+) +(\d+)$", text, re.M))
    return {name: int(number) for name, number in found.items()}


def table_rows():
    """(group, command, operation): name, of every table in core/server."""
    known, rows = numbers(), {}
    for source in sorted((ROOT / "core/server").glob("*.c")):
        for name, handlers in re.findall(r"\[(FERRY_SMP_\w+)\] = \{(.*?)\}", source.read_text(), re.S):
            group = known["FERRY_SMP_GROUP_" + name.split("_")[2]]
            for operation in re.findall(r"\.(read|write) =", handlers):
                rows[group, known[name], operation.upper()] = f"{name}, {operation} ({source.name})"
    return rows


def constants(tree):
    """Names that a module gives to numbers: A = 1, and A, B = range(2)."""
    known = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
            known[target.id] = value.value
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Call) and \
                getattr(value.func, "id", "") == "range":
            first = [a.value for a in value.args]
            start = first[0] if len(first) > 1 else 0
            known.update({name.id: start + i for i, name in enumerate(target.elts)})
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            known.update({name.id: item.value for name, item in zip(target.elts, value.elts)
                          if isinstance(item, ast.Constant)})
    return known


class Said(ast.NodeVisitor):
    """What a module says: steps (op, command, …) of converse(group, […]), and ask(op, group,
    command, …). A name that a loop over a tuple gives to things stands for each of them."""

    def __init__(self, tree):
        self.known = constants(tree)
        self.loops = {}
        self.said = set()
        self.groups = set()
        self.steps = set()
        for node in ast.walk(tree):
            if isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.iter, (ast.Tuple, ast.List)):
                self.loop(node.target, node.iter.elts)
        self.visit(tree)
        self.said |= {(group, *step) for group in self.groups for step in self.steps}

    def loop(self, target, items):
        if isinstance(target, ast.Name):
            self.loops.setdefault(target.id, []).extend(items)
        elif isinstance(target, ast.Tuple):
            for i, part in enumerate(target.elts):
                self.loop(part, [item.elts[i] for item in items
                                 if isinstance(item, ast.Tuple) and len(item.elts) > i])

    def values(self, node):
        """Operations or numbers that an expression may be."""
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return {node.value}
        name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)
        if name in (READ, WRITE):
            return {name}
        if name in self.loops:
            return {value for item in self.loops[name] for value in self.values(item)}
        return {self.known[name]} if name in self.known else set()

    def operations(self, node):
        return self.values(node) & {READ, WRITE}

    def visit_Tuple(self, node):
        if len(node.elts) > 2:
            self.steps |= {(command, op) for op in self.operations(node.elts[0])
                           for command in self.values(node.elts[1])}
        self.generic_visit(node)

    def visit_Call(self, node):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name == "converse":
            self.groups |= self.values(node.args[0])
        elif name in ("ask", "packet") and len(node.args) > 2:
            self.said |= {(group, command, op) for op in self.operations(node.args[0])
                          for group in self.values(node.args[1])
                          for command in self.values(node.args[2])}
        self.generic_visit(node)


def test_every_command_is_said_in_a_conversation():
    said = set()
    for source in (ROOT / "tests/e2e").glob("test_conversation_*.py"):
        said |= Said(ast.parse(source.read_text())).said
    rows = table_rows()
    assert len(rows) > 10
    missing = [name for row, name in rows.items() if row not in said]
    assert not missing, "no conversation says:\n  " + "\n  ".join(missing)


def test_a_missing_command_is_seen():
    said = Said(ast.parse("G = 8\nA, B = range(2)\n"
                          "def test(talk):\n"
                          "    for op in (READ, WRITE):\n"
                          "        talk.converse(G, [(op, A, {}, {})])\n"
                          "    talk.ask(READ, 9, B, {})\n")).said
    assert said == {(8, 0, READ), (8, 0, WRITE), (9, 1, READ)}
