"""Lines are bounded, whatever a program prints."""

import asyncio

import pytest

from app.processes.lines import Line, LineReader


def reader_of(*chunks: bytes, max_line: int = 10) -> LineReader:
    stream = asyncio.StreamReader()
    for chunk in chunks:
        stream.feed_data(chunk)
    stream.feed_eof()
    return LineReader(stream, max_line)


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (b"one\ntwo\n", [Line("one"), Line("two")]),
        (b"no end", [Line("no end")]),
        (b"dos\r\n\n", [Line("dos"), Line("")]),
        (b"0123456789abc\nx\n", [Line("0123456789", cut=3), Line("x")]),
        (b"caf\xc3\xa9 \xff\n", [Line("caf\xe9 \ufffd")]),
        (b"", []),
    ],
)
async def test_lines_are_cut_and_say_so(printed, lines):
    assert [line async for line in reader_of(printed)] == lines


async def test_a_batch_holds_the_whole_lines_that_came():
    stream = asyncio.StreamReader()
    reader = LineReader(stream)
    stream.feed_data(b"one\ntwo\nthr")
    assert await reader.batch() == [Line("one"), Line("two")]
    stream.feed_data(b"ee\n")
    assert await reader.batch() == [Line("three")]
    stream.feed_eof()
    assert await reader.batch() is None


async def test_the_rest_can_be_counted_and_thrown_away():
    reader = reader_of(b"one\n" * 1000)
    assert await reader.discard() == 4000
    assert await reader.batch() is None
