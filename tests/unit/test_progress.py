"""What a load meets in the bars: nothing that raises, nothing drawn too early. test_cli_progress.py has terminals."""

import io
import sys

from ipfs_accelerate_py.fetch import progress


class Gone(io.StringIO):
    """A terminal that was closed."""

    def isatty(self):
        return True

    def write(self, text):
        raise OSError(5, "Input/output error")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def draw(*, source="node", **options):
    bar = progress.begin("model.safetensors", 10, **options)
    bar.source(source)
    bar.advance(4)
    bar.source("hub")
    bar.advance(10)
    bar.finish()
    bar.advance(1)  # an attempt that was given up and still writes
    bar.finish()


def test_a_terminal_that_is_gone_ends_no_load(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Gone())
    draw()


def test_no_stderr_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    draw()


def test_the_last_source_is_named_and_its_bytes_are_counted(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    draw()
    last = sys.stderr.getvalue().split("\r")[-1]
    assert "100%" in last and "10.0/10.0" in last and "hub" in last and "node" not in last


def test_what_was_there_before_is_no_bytes_of_this_source(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = progress.begin("model.safetensors", 10)
    bar.source("node", 7)
    assert sys.stderr.getvalue() == ""
    bar.advance(3)
    bar.finish()
    first, last = sys.stderr.getvalue().split("\r")[1], sys.stderr.getvalue().split("\r")[-1]
    assert "7.00/10.0" in first and "10.0/10.0" in last


def test_a_bar_that_left_is_gone_and_comes_back_with_the_next_bytes(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = progress.begin("model.safetensors", 10)
    bar.source("node")
    bar.advance(4)
    bar.clear()
    assert sys.stderr.getvalue().endswith("\r") and "\n" not in sys.stderr.getvalue()
    bar.source("gateway", 4)
    bar.advance(6)
    bar.finish()
    last = sys.stderr.getvalue().split("\r")[-1]
    assert "10.0/10.0" in last and "gateway" in last


def test_nothing_is_drawn_without_bytes(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = progress.begin("model.safetensors", 10)
    bar.source("hub")
    bar.finish()
    assert sys.stderr.getvalue() == ""


def test_not_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    draw()
    assert sys.stderr.getvalue() == ""
