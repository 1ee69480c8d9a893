"""wine-host/wire.py against the stock FlatBuffers library and the readers that flatc made from schema/wire.fbs."""

import importlib
import struct
import sys
import tempfile
import types
from pathlib import Path

import flatbuffers
from hypothesis import configuration, example, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
configuration.set_hypothesis_home_dir(tempfile.gettempdir())  # nothing is left beside the sources
sys.path[:0] = [str(ROOT / "wine-host"), str(ROOT / "test/wire")]

# flatc's readers import one another as parts of the schema's namespace
sys.modules["zugbruecke"] = types.ModuleType("zugbruecke")
sys.modules["zugbruecke.wire"] = importlib.import_module("generated")

import wire  # noqa: E402
from generated import Control, Outcome  # noqa: E402

settings.register_profile("suite", deadline=None, database=None, max_examples=200)
settings.load_profile("suite")

u8 = st.integers(0, 2**8 - 1)
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def read_outcome(made):
    table = Outcome.Outcome.GetRootAs(made)
    numbers = [table.Numbers(i) for i in range(table.NumbersLength())]
    texts = [table.Texts(i).decode() for i in range(table.TextsLength())]
    return table.Ok(), numbers, texts


@given(st.booleans(), st.lists(i64, max_size=20), st.lists(text, max_size=20))
def test_outcome(ok, numbers, texts):
    made = wire.outcome(ok, numbers, texts, room=1 << 20)
    assert read_outcome(made) == (ok, numbers, texts)
    table = Outcome.Outcome.GetRootAs(made)
    if numbers:
        assert table._tab.Vector(table._tab.Offset(6)) % 8 == 0


@given(u64)
def test_outcome_of_unsigned(number):
    assert read_outcome(wire.outcome(True, [number]))[1] == [number - (number >> 63 << 64)]


def test_outcome_of_half_a_character():
    assert read_outcome(wire.outcome(False, [], ["a\ud800b"]))[2] == ["a?b"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=900), max_size=8), st.integers(300, 2032))
@example(["é" * 5000], 2032)
@example(["a" * 5000, "b" * 3000, "c"], 2032)
def test_outcome_is_shortened_to_its_room(texts, room):
    made = wire.outcome(False, [5], texts, room)
    assert len(made) <= room
    ok, numbers, read = read_outcome(made)
    assert (ok, numbers, len(read)) == (False, [5], len(texts))
    assert all(whole.startswith(part) for whole, part in zip(texts, read))


def control(op, numbers, texts, room, room_size):
    builder = flatbuffers.Builder(64)
    offsets = [builder.CreateString(one) for one in texts]
    Control.ControlStartTextsVector(builder, len(offsets))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    text_vector = builder.EndVector()
    Control.ControlStartNumbersVector(builder, len(numbers))
    for one in reversed(numbers):
        builder.PrependInt64(one)
    number_vector = builder.EndVector()
    Control.ControlStart(builder)
    Control.ControlAddOp(builder, op)
    Control.ControlAddNumbers(builder, number_vector)
    Control.ControlAddTexts(builder, text_vector)
    Control.ControlAddRoom(builder, room)
    Control.ControlAddRoomSize(builder, room_size)
    builder.Finish(Control.ControlEnd(builder))
    return bytes(builder.Output())


def read_control(data):
    table = wire.Table(data)
    return (
        table.scalar(wire.CONTROL_FIELD_OP, "<B"),
        table.numbers(wire.CONTROL_FIELD_NUMBERS),
        table.texts(wire.CONTROL_FIELD_TEXTS),
        table.scalar(wire.CONTROL_FIELD_ROOM, "<Q"),
        table.scalar(wire.CONTROL_FIELD_ROOM_SIZE, "<I"),
    )


fields = st.tuples(u8, st.lists(i64, max_size=10), st.lists(text, max_size=10), u64, u32)


@given(fields)
def test_table_reads_control(values):
    assert read_control(control(*values)) == values
    assert read_control(memoryview(control(*values))) == values


def values_or_malformed(data):
    try:
        read_control(data)
    except (wire.Malformed, UnicodeDecodeError):
        pass  # text that is no UTF-8 is answered like any other failure


changes = st.lists(st.tuples(st.integers(0, 10**6), u8), min_size=1, max_size=6)


@given(fields, changes)
@settings(max_examples=800)
def test_changed_bytes(values, changed):
    data = bytearray(control(*values))
    for at, value in changed:
        data[at % len(data)] = value
    values_or_malformed(data)


@given(fields, st.integers(0, 10**6))
def test_cut_bytes(values, length):
    data = control(*values)
    values_or_malformed(data[: length % len(data)])


@given(st.binary(max_size=200))
@settings(max_examples=800)
@example(b"")
@example(b"\xff" * 64)
def test_any_bytes(data):
    values_or_malformed(data)


def test_vectors_that_claim_too_much():
    data = bytearray(control(2, [3, 4], ["five"], 6, 7))
    table = wire.Table(data)
    for index, read in ((1, "numbers"), (2, "texts")):
        for count in (5, 1000, 2**31, 2**32 - 1):
            broken = bytearray(data)
            start, _ = table._vector(index)
            broken[start - 4 : start] = struct.pack("<I", count)
            try:
                getattr(wire.Table(broken), read)(index)
            except wire.Malformed:
                continue
            # a few more elements may lie inside the message still
            assert count == 5
