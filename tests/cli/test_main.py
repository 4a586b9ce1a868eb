"""The entry point: help without loading anything, exit statuses, and errors in words."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import srbench
from srbench.cli import main as module
from srbench.cli.main import cli as group
from srbench.cli.main import main
from srbench.errors import SrbenchError

Call = Callable[..., tuple[int, str, str]]
COMMANDS = [
    [],
    ["run"],
    ["inputs"],
    ["score"],
    ["compare"],
    ["plot"],
    ["plot", "spectrogram"],
    ["plot", "spectrum"],
    ["plot", "lsd"],
    ["plot", "distribution"],
    ["plot", "means"],
    ["plot", "tradeoff"],
    ["publish"],
    ["table"],
    ["cite"],
    ["signature"],
    ["audit"],
    ["lint"],
    ["protocol"],
    ["protocol", "new"],
    ["data"],
    ["data", "verify"],
    ["data", "fetch"],
    ["list"],
    ["upscale"],
    ["train"],
    ["export"],
]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c) or "srbench")
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(command: list[str], option: str, call: Call) -> None:
    status, out, err = call(*command, option)
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: {' '.join(['srbench', *command])}")
    assert "--help" in out


def test_every_command_has_help_and_is_found() -> None:
    """The list above is complete, and the lazily loaded modules are there."""
    context = click.Context(group)
    assert {c[0] for c in COMMANDS if c} == set(group.list_commands(context))
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help
        if isinstance(command, click.Group):
            assert {c[1] for c in COMMANDS if c[:1] == [name] and len(c) > 1} == set(command.commands)


def test_help_names_all_commands(call: Call) -> None:
    _, out, _ = call("--help")
    for name in ("run", "audit", "lint", "data", "list"):
        assert f"\n  {name} " in out


def test_version(call: Call) -> None:
    assert call("--version") == (0, f"srbench, version {srbench.__version__}\n", "")


def test_no_command(call: Call) -> None:
    status, out, err = call()
    assert (status, out) == (2, "")
    assert err.startswith("Usage: srbench")


def test_unknown_command_and_option(call: Call) -> None:
    for arguments in (("rum",), ("--bogus",), ("data", "fetsh")):
        status, out, err = call(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith("srbench: No such ")
        assert arguments[-1] in err
        assert "--help'" in err
        assert len(err.splitlines()) == 1


def raising(error: BaseException) -> click.Command:
    @click.command("boom")
    def boom() -> None:
        raise error

    return boom


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (SrbenchError("what was wrong"), 2, "srbench: what was wrong\n"),
        (PermissionError(errno.EACCES, "Permission denied", "some/file"), 2, "srbench: some/file: Permission denied\n"),
        (OSError("the disk is on fire"), 2, "srbench: input or output: the disk is on fire\n"),
        (click.UsageError("bad use"), 2, "srbench: bad use See 'srbench --help'.\n"),
        (click.Abort(), 130, "srbench: stopped."),
        (KeyboardInterrupt(), 130, "srbench: stopped. What is finished is kept"),
    ],
)
def test_errors_in_words(
    error: BaseException, status: int, message: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "cli", raising(error))
    stopped, out, err = call()
    assert (stopped, out) == (status, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_that_an_import_turned_into_another_error(
    number: signal.Signals, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules written in C do so."""

    @click.command("imports")
    def imports() -> None:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            raise ImportError("initialization failed") from None

    before = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}[number]
    inherited = signal.signal(number, before)  # ignored, where the tests run in the background of a shell
    try:
        monkeypatch.setattr(module, "cli", imports)
        stopped, _, err = call()
        assert stopped == 128 + number
        assert err.startswith("srbench: stopped.")
        # Ctrl-C once more, while Python ends, would be a traceback
        assert signal.getsignal(number) is (signal.SIG_IGN if number == signal.SIGINT else before)
    finally:
        signal.signal(number, inherited)


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cli", raising(ZeroDivisionError("ours")))
    with pytest.raises(ZeroDivisionError, match="ours"):
        main([])


@pytest.mark.parametrize(("returned", "status"), [(0, 0), (1, 1), (None, 0), ("text", 0)])
def test_status_is_what_the_command_returns(
    returned: object, status: int, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "cli", click.command("ours")(lambda: returned))
    assert call()[0] == status


def python(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **more}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=600,
        check=False,
        env=environment,
    )


def test_help_is_instant() -> None:
    """It loads no library; which modules were loaded is a steadier measure than time."""
    code = """if True:
        import sys
        from srbench.cli.main import main
        try:
            main(["--help"])
        except SystemExit as stop:
            assert stop.code == 0
        heavy = {"torch", "librosa", "matplotlib", "pandas", "scipy", "numpy", "soundfile", "rich", "requests", "pooch"}
        print("LOADED", sorted(heavy & set(sys.modules)))
    """
    done = python("-c", code)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_help_of_run_loads_no_numerical_library() -> None:
    code = """if True:
        import sys
        from srbench.cli.main import main
        try:
            main(["run", "--help"])
        except SystemExit as stop:
            assert stop.code == 0
        print("LOADED", sorted({"torch", "librosa", "pandas", "scipy", "numpy"} & set(sys.modules)))
    """
    assert python("-c", code).stdout.splitlines()[-1] == "LOADED []"


def test_as_a_module() -> None:
    done = python("-m", "srbench", "list", "splits", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert {"demo", "vctk-test8"} <= {split["name"] for split in json.loads(done.stdout)["splits"]}


def test_as_a_command() -> None:
    command = Path(sys.executable).with_name("srbench")
    if not command.exists():
        pytest.skip("srbench is not installed beside this Python")
    done = subprocess.run([command, "list", "bogus"], capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_output_where_not_every_letter_can_be_written() -> None:
    """As on Windows when the output goes to a file: what cannot be written is replaced, nothing crashes."""
    run = ["run", "--model", "linear", "--limit", "1", "--metric", "snr"]
    code = (
        "import os, sys, tempfile; os.chdir(tempfile.mkdtemp()); from srbench.cli.main import main; main(sys.argv[1:])"
    )
    done = python("-c", code, *run, PYTHONIOENCODING="cp1252")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


RUN = ["--limit", "1", "--metric", "snr", "--metric", "mse"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "protocols"],
        ["--help"],
        ["run", "--help"],
        ["run", "--model", "linear", *RUN],
        ["run", "--model", "linear", *RUN, "--json"],
        ["compare", "linear", "spline", *RUN],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_reader_that_has_seen_enough(arguments: list[str], tmp_path: Path) -> None:
    """As ``srbench compare a b | head -1``: quiet, and the status that the shell gives to cat; 1 is a failed check."""
    run = [sys.executable, "-m", "srbench", *arguments]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # before anything is written
        assert process.stderr.read() == b""
        assert process.wait() == 141


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs signals")
def test_an_interrupt_while_the_command_is_loaded_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)\n")
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import runpy; "
    code += "runpy.run_module('srbench', run_name='__main__')"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")
