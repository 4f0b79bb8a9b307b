# SPDX-License-Identifier: Apache-2.0
"""C sources, read as far as scripts/messages needs it: functions, calls and their arguments, texts."""
import re

def without_comments(text):
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*',
                  lambda m: m.group(0) if m.group(0)[0] in "\"'" else " ", text, flags=re.S)


def matching(text, at):
    """The index behind the bracket that closes the one at `at`."""
    depth, i = 0, at
    while i < len(text):
        if text[i] in "\"'":
            quote, i = text[i], i + 1
            while text[i] != quote:
                i += 2 if text[i] == "\\" else 1
        elif text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    return len(text)


def split_top(text, separator=","):
    """Split at a separator that stands in no bracket and no string."""
    parts, start, i = [], 0, 0
    while i < len(text):
        if text[i] in "\"'":
            quote, i = text[i], i + 1
            while text[i] != quote:
                i += 2 if text[i] == "\\" else 1
        elif text[i] in "([{":
            i = matching(text, i) - 1
        elif text[i] == separator:
            parts.append(text[start:i].strip())
            start = i + 1
        i += 1
    return parts + [text[start:].strip()]


LITERAL = re.compile(r'"((?:\\.|[^"\\])*)"')
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "r": "", "x1b": "", "a": ""}


def unescape(text):
    text = re.sub(r"\\x1b\[\w", "", text)
    return re.sub(r'\\(x1b|.)', lambda m: ESCAPES.get(m.group(1), m.group(1)), text)


CONSTANTS = {}  # texts that have a name, of all files


class Function:
    def __init__(self, name, parameters, body):
        self.name, self.body = name, body
        self.parameters = [re.sub(r".*?(\w+)\s*(\[.*\])?$", r"\1", p, flags=re.S) for p in parameters]


def named_texts(text):
    return {m.group(1): unescape("".join(LITERAL.findall(m.group(2)))) for m in
            re.finditer(r'const char \*?(?:const )?(\w+)(?:\[\])?\s*=\s*((?:"(?:\\.|[^"\\])*"\s*)+);', text)}


class Source:
    def __init__(self, path, root):
        self.rel = path.relative_to(root).as_posix()
        self.text = without_comments(path.read_text())
        self.macros = {m.group(1): m.group(2) for m in
                       re.finditer(r'#define\s+(\w+)\s+((?:\\\n|[^\n])*"(?:\\\n|[^\n])*)', self.text)}
        self.functions = []
        for m in re.finditer(r"^[A-Za-z_][^;{}()]*?\b(\w+)\(", self.text, re.M):
            close = matching(self.text, m.end() - 1)
            after = re.match(r"\s*\{", self.text[close:])
            if after:
                start = close + after.end() - 1
                end = matching(self.text, start)
                self.functions.append(Function(m.group(1), split_top(self.text[m.end():close - 1]),
                                               self.text[start:end]))
        outside = self.text
        for function in self.functions:
            outside = outside.replace(function.body, ";")
        self.constants = named_texts(outside)
        CONSTANTS.update({name: text for name, text in self.constants.items() if "_" in name})


def calls(text, name):
    """The arguments of each call, and where it stands."""
    for m in re.finditer(r"(?<![\w.>])" + name + r"\s*\(", text):
        end = matching(text, m.end() - 1)
        yield m.start(), split_top(text[m.end():end - 1])


def split_choice(rest):
    """Of "a : b" the two, where a may hold choices of its own."""
    depth, i = 0, 0
    while i < len(rest):
        if rest[i] in "\"'":
            quote, i = rest[i], i + 1
            while rest[i] != quote:
                i += 2 if rest[i] == "\\" else 1
        elif rest[i] in "([{":
            i = matching(rest, i) - 1
        elif rest[i] == "?":
            depth += 1
        elif rest[i] == ":":
            if depth == 0:
                return rest[:i], rest[i + 1:]
            depth -= 1
        i += 1
    return rest, '""'


def matching_statement(body, at):
    i = at
    while i < len(body) and body[i] != ";":
        if body[i] in "\"'":
            quote, i = body[i], i + 1
            while body[i] != quote:
                i += 2 if body[i] == "\\" else 1
        elif body[i] in "([{":
            i = matching(body, i) - 1
        i += 1
    return i
