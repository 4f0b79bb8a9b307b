# SPDX-License-Identifier: Apache-2.0
"""docs/MESSAGES.md is what the sources say, and every message says what to do."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "messages"


def load():
    loader = importlib.machinery.SourceFileLoader("messages", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("messages", loader))
    loader.exec_module(module)
    return module


def rows(text, tmp_path, monkeypatch):
    messages = load()
    path = tmp_path / "cli" / "cmd.c"
    path.parent.mkdir()
    path.write_text(text)
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    return [row.cells() for row in messages.rows_of(messages.Source(path, tmp_path))]


def test_the_document_is_that_of_the_sources():
    done = subprocess.run([SCRIPT, "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_choices_variables_and_parameters_are_followed(tmp_path, monkeypatch):
    assert rows('''
static int refuse(struct cli *cli, const char *next, int count)
{
    return cli_fail(cli, CLI_USAGE, next, "%s has %d %s", path, count, count > 1 ? "files" : "file");
}
static int run(struct cli *cli)
{
    char why[40];
    snprintf(why, sizeof why, "it is %u; too \\"old\\"", age);
    if (old) {
        return cli_fail_why(cli, old ? CLI_VERIFY : CLI_REFUSED, why, "give a new one", "%s: no", cli->device);
    }
    return refuse(cli, x ? "give one" : "give two", 3);
}
''', tmp_path, monkeypatch) == [
        ("FILE has N files", "", "give one / give two", "2"),
        ("URI: no", 'it is N; too "old"', "give a new one", "5, 6")]


def test_a_message_without_a_remedy_is_found(tmp_path, monkeypatch):
    messages = load()
    bad = messages.Row("it fails", "", "", "1", "cli/x.c")
    good = messages.Row("it fails", "", "try again", "1", "cli/x.c")
    assert len(list(messages.lacking({"": [bad, good]}))) == 1
