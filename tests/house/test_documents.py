# SPDX-License-Identifier: Apache-2.0
"""What a reader can copy is true: examples, links, exit codes, error numbers."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FERRY = ROOT / "build/host/ferry"


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_examples_stand_in_the_readme():
    """From the includes on, letter by letter; CMake builds and runs the same files."""
    readme = (ROOT / "README.md").read_text()
    for name in ("server", "client", "boot"):
        source = (ROOT / f"examples/{name}.c").read_text()
        body = source[source.index("#include"):]
        assert body in readme, f"examples/{name}.c"
        assert body.count("\n") <= 42


def test_the_server_in_80_lines_stands_in_its_document():
    text = (ROOT / "docs/PORTING.md").read_text()
    source = (ROOT / "examples/uart_server.c").read_text()
    assert source[source.index("#include"):] in text and source.count("\n") <= 80
    port = (ROOT / "examples/uart_port.h").read_text()
    assert port[port.index("/* The two slots"):port.rindex("#endif")].strip() in text


def test_every_rule_of_the_conformance_test_is_counted_in_the_document():
    text = (ROOT / "docs/PORTING.md").read_text()
    code = "".join(path.read_text() for path in (ROOT / "port/conformance").glob("*.c"))
    rules = set(re.findall(r'"((?:flash|line|clock|reset|files): [^"]+)"', code))
    told = {"reset: a marker can be written", "line: bytes can be in flight"}  # only when they fail
    for subject in ("flash", "line", "clock", "reset", "files"):
        count = len([r for r in rules - told if r.startswith(subject + ":")])
        assert f"| {subject}, {count} |" in text, subject
    of_the_example = [r for r in rules - told if not r.startswith("files:")]
    assert f"{len(of_the_example)} passed, 0 failed" in text
    counted = (ROOT / "tests/unit/test_conformance.c").read_text()
    first, other = (int(re.search(rf"#define {name}_ERASES +(\d+)", counted)[1]) for name in ("FIRST", "OTHER"))
    assert f"costs the first sector {first + 2} erases" in text and f"every other one {other} or {other + 1}." in text


def test_the_example_of_the_gate():
    """What SERVER.md shows of it is in the program that is built and run."""
    text = (ROOT / "docs/SERVER.md").read_text().split("## The gate: levels and unlocking")[1]
    source = (ROOT / "examples/gate.c").read_text()
    blocks = re.findall(r"```c\n(.*?)```", text.split("### Levels")[0], re.S)
    assert len(blocks) == 2
    for block in blocks:
        assert block in source, block


def test_the_example_of_a_group():
    text = (ROOT / "docs/SERVER.md").read_text()
    source = (ROOT / "examples/led_group.c").read_text()
    group = source[source.index("#include"):source.index("/* ---- Try it")].strip()
    assert group in text and group.count("\n") <= 50


def test_the_contents_of_the_server():
    """Every section is in the list at the top, by the anchor that it gets."""
    text = (ROOT / "docs/SERVER.md").read_text()
    wanted = [(head, re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-"))
              for head in re.findall(r"^## (.*)$", text, re.M)]
    assert re.findall(r"^\* \[(.*)\]\(#(.*)\)$", text[:text.index("## ")], re.M) == wanted


def test_every_group_is_in_the_table_of_groups():
    text = (ROOT / "docs/SERVER.md").read_text().split("## The groups")[1].split("\n## ")[0]
    headers = "".join(path.read_text() for path in (ROOT / "include/ferry").glob("*.h"))
    tables = set(re.findall(r"extern const struct ferry_group (\w+);", headers))
    assert len(tables) == 15 and tables == set(re.findall(r"`(ferry_\w+_table)`", text))
    for name in re.findall(r"`struct (\w+)`", text):
        assert re.search(rf"^struct {name} {{", headers, re.M), name


def test_links_lead_somewhere():
    links = 0
    for doc in documents():
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", doc.read_text()):
            if "://" not in target:
                links += 1
                assert (doc.parent / target).exists(), f"{doc.name}: {target}"
    assert links > 3


def test_exit_codes_of_the_document_are_those_of_the_code():
    code = dict(re.findall(r"\bCLI_(\w+) = (\d+),?", (ROOT / "cli/cli.h").read_text()))
    text = (ROOT / "docs/CLI.md").read_text().split("\n## Exit codes\n")[1].split("\n## ")[0]
    table = re.findall(r"^\| (\d) \|", text, re.M)
    assert sorted(code.values()) == sorted(table) and len(code) == 9


def test_make_targets_named_in_documents_exist():
    makefile = (ROOT / "Makefile").read_text()
    named = {t for doc in documents() for t in re.findall(r"`make ([a-z-]+)", doc.read_text())}
    assert len(named) > 4
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.M), target


def commands():
    """Of `ferry --help`: the words up to the first argument, or the wide gap."""
    text = subprocess.run([FERRY, "--help"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^  ([a-z][a-z0-9-]*(?: [a-z][a-z_-]*)?)(?= (?:[A-Z\[-]| ))", text, re.M)
    assert len(found) > 30
    return found


def test_every_command_has_help():
    for command in commands():
        done = subprocess.run([FERRY, *command.split(), "--help"], capture_output=True, text=True)
        assert done.returncode == 0 and f"usage: ferry {command} " in done.stdout.replace("\n", " "), command


def test_every_command_is_in_the_document():
    """In the table at its beginning."""
    text = (ROOT / "docs/CLI.md").read_text()
    table = "".join(re.findall(r"^\| `.*\n", text[:text.index("## Keys")], re.M))
    told = re.findall(r"`([^`]+)`", table)
    for command in commands():
        assert any(words == command or words.startswith(command + " ") for words in told), command


def test_every_alias_is_a_command():
    """And none stands in the list of commands, which it would only make longer."""
    rows = re.findall(r'^    \{"([a-z_ -]+)", "([a-z_ -]+)"\},', (ROOT / "cli/alias.c").read_text(), re.M)
    listed = commands()
    assert len(rows) >= 2
    for alias, command in rows:
        done = subprocess.run([FERRY, *alias.split(), "--help"], capture_output=True, text=True)
        assert done.returncode == 0 and f"usage: ferry {alias} " in done.stdout.replace("\n", " "), alias
        assert f"also called: {alias}\n" in done.stdout
        assert command in listed and alias not in listed, alias


def test_names_are_ferrys():
    """Every symbol of core/ begins with ferry_, so that it links beside Zephyr and MCUboot."""
    out = subprocess.run(["nm", "-g", "--defined-only", ROOT / "build/host/libferry_core.a"],
                         capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^[0-9a-f]+ [A-Z] (\w+)$", out, re.M)
    assert len(names) > 100
    assert not [n for n in names if not n.startswith("ferry_")]
