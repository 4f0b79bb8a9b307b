# SPDX-License-Identifier: Apache-2.0
"""Completion in the real zsh and fish, and what mandoc thinks of the manual pages."""
import os
import subprocess

import lab


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, "PATH": f"{lab.BUILD}:{os.environ['PATH']}"})
    return done.returncode, done.stdout, done.stderr


def fish(line):
    code, out, err = run("fish", "--no-config", "-c", f"ferry completion fish | source; complete -C '{line}'")
    assert code == 0, err
    return out.split()


def zsh(*words):
    """The function as zsh calls it; what it gives to compadd, or that it asks for files."""
    script = ('compdef() { : }; compadd() { shift; print -l -- "$@" }; _files() { print FILES }; '
              'source =(ferry completion zsh); words=(ferry "$@"); CURRENT=$#words; _ferry')
    code, out, err = run("zsh", "-f", "-c", script, "zsh", *words)
    assert code == 0, err
    return out.split()


def test_fish():
    assert fish("ferry image up") == ["upload"]
    assert "list" in fish("ferry image ")
    assert "--no-downgrade" in fish("ferry update --no-d")


def test_zsh():
    assert zsh("image", "up") == ["upload"]
    assert zsh("update", "--no-d") == ["--no-downgrade"]
    assert zsh("image", "upload", "") == ["FILES"]


def test_manual_pages(tmp_path):
    lab.ferry("man", "--all", tmp_path, check=0)
    pages = sorted(tmp_path.iterdir())
    assert len(pages) > 40
    _, out, err = run("mandoc", "-T", "lint", "-W", "warning", *pages)
    told = [line for line in (out + err).splitlines() if "missing date" not in line]  # it has none, as builds repeat
    assert not told, told
