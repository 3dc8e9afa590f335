"""The shell commands of an image build, run by bash against a stand-in for the engine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable

import pytest

from incremental_docker.ledger import KEEPS_TIMES, NOTES, build_script, lookup_script, note_script, tag_or_build_script
from tests.unit.incremental_docker.fake_engine import FakeEngine

FINGERPRINT = "0123abcd"
IMAGE = "sha256:noted"
PARENT = "sha256:parent"
PARENT_TAG = "library/parent:1"
TAGS = ("library/child:1", "library/child:2", "library/child:also-1", "library/child:also-2")


@pytest.fixture()
def engine(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path / "an engine")


@pytest.fixture()
def sandbox(tmp_path: Path) -> Path:
    # Links, as Pants makes them.
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "caches" / NOTES).mkdir(parents=True)
    (tmp_path / "sandbox" / NOTES).symlink_to(tmp_path / "caches" / NOTES)
    return tmp_path / "sandbox"


def start(script: str, sandbox: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["/bin/bash", "-c", script],
        cwd=sandbox,
        env={"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As Pants starts its processes; it signals the whole group.
        start_new_session=True,
    )


def run(script: str, sandbox: Path) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    process = start(script, sandbox)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def lookup(engine: FakeEngine, sandbox: Path) -> tuple[int, str]:
    status, out, _ = run(lookup_script(engine.client, FINGERPRINT, TAGS), sandbox)
    return status, out


def note(sandbox: Path, image_id: str = IMAGE) -> None:
    assert run(noting(image_id), sandbox) == (0, "", "")


def noting(image_id: str) -> str:
    return f"image={image_id}; {note_script(FINGERPRINT, 'image')}"


def build(engine: FakeEngine, *options: str, parent: str | None = None) -> str:
    command = [engine.client, "build", *options, "--tag", "child:1-built"]
    if parent:
        command += ["--build-arg", f"PARENT={parent}"]
    reproduce = (engine.client, "reproduce", "--layer", "12", "a layer.tar")
    command += ["--file", "Dockerfile", "."]
    return build_script(tuple(command), reproduce, ("child:1",), {PARENT_TAG: PARENT}, pin="7", fingerprint=FINGERPRINT)


def tag_or_build(script: str, engine: FakeEngine) -> str:
    return tag_or_build_script(script, engine.client, FINGERPRINT, TAGS)


def wait_until(condition: Callable[[], bool], deadline_s: float = 20.0) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_s} s"
        time.sleep(0.02)


def test_an_image_that_all_tags_name_is_found(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(IMAGE, *TAGS)
    note(sandbox)
    assert lookup(engine, sandbox) == (0, IMAGE)


def without_a_note(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(IMAGE, *TAGS)
    (sandbox / NOTES / FINGERPRINT).unlink()


def with_every_tag_moved(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(IMAGE)
    engine.add("sha256:other", *TAGS)


def with_one_of_four_tags_moved(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(IMAGE, *TAGS)
    engine.add("sha256:other", TAGS[2])


def with_one_of_four_tags_missing(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(IMAGE, *TAGS[:-1])


def with_the_image_removed(engine: FakeEngine, sandbox: Path) -> None:
    engine.add("sha256:other", TAGS[0])


def with_the_engine_stopped(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(IMAGE, *TAGS)
    engine.stop()


def with_a_note_that_is_still_being_written(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(IMAGE, *TAGS)
    (sandbox / NOTES / FINGERPRINT).rename(sandbox / NOTES / f"{FINGERPRINT}.4711")


@pytest.mark.parametrize(
    "situation",
    [
        without_a_note,
        with_every_tag_moved,
        with_one_of_four_tags_moved,
        with_one_of_four_tags_missing,
        with_the_image_removed,
        with_the_engine_stopped,
        with_a_note_that_is_still_being_written,
    ],
)
def test_a_lookup_fails_changes_nothing_and_never_answers_twice_alike(
    engine: FakeEngine, sandbox: Path, situation: Callable[[FakeEngine, Path], None]
) -> None:
    note(sandbox)
    situation(engine, sandbox)
    before = engine.images, engine.tags
    (first, mark), (second, other_mark) = lookup(engine, sandbox), lookup(engine, sandbox)
    assert (first, second) == (1, 1)
    assert mark != other_mark
    assert re.fullmatch("[0-9-]+", mark), "goes into a tag"
    assert (engine.images, engine.tags) == before


def test_a_build_prints_the_id_apart_from_what_the_client_says_and_notes_it(engine: FakeEngine, sandbox: Path) -> None:
    assert run(build(engine), sandbox) == (0, "sha256:reproduced\n", "writing image sha256:built\n")
    assert (sandbox / NOTES / FINGERPRINT).read_text() == "sha256:reproduced"
    wait_until(lambda: engine.tags == {"child:1": "sha256:reproduced"})


def test_what_was_built_has_a_name_of_its_own_until_the_image_is_made_of_it(engine: FakeEngine, sandbox: Path) -> None:
    """And it is the outline that is built."""
    run(build(engine, "--label", "what=two words"), sandbox)
    wait_until(lambda: len(engine.calls) == 3)
    command = "build --label what=two words --tag child:1-built-7 --file .outline/Dockerfile .outline/."
    assert engine.calls == [
        f"reproduce --layer 12 a layer.tar --built child:1-built-7 --tags child:1 -- {engine.client} {command}",
        command,
        "image rm child:1-built-7",
    ]


def test_where_the_engine_takes_no_image_without_times_the_whole_context_is_built(
    engine: FakeEngine, sandbox: Path
) -> None:
    engine.refuse_images_without_times()
    engine.add(PARENT, PARENT_TAG)
    status, out, err = run(build(engine, parent=PARENT_TAG), sandbox)
    assert (status, out) == (0, "sha256:built\n")
    assert KEEPS_TIMES in err
    assert [call for call in engine.calls if call.startswith("build ")][1:] == [
        f"build --tag child:1-built-7 --build-arg PARENT={PARENT_TAG}-pinned-7 --file Dockerfile ."
    ]
    assert (sandbox / NOTES / FINGERPRINT).read_text() == "sha256:built"
    wait_until(lambda: engine.tags == {PARENT_TAG: PARENT, "child:1": "sha256:built"})


def test_arguments_that_name_no_parent_reach_the_build_as_they_are(engine: FakeEngine, sandbox: Path) -> None:
    odd = """GREETING=it's "$HOME"; `id`"""
    status, _, _ = run(build(engine, "--build-arg", odd, "--label", f"of={PARENT_TAG}"), sandbox)
    assert status == 0
    assert engine.build_arguments == [odd]
    assert f"of={PARENT_TAG} " in engine.calls[1]


def test_all_stages_start_from_the_parent_that_was_built_although_its_tag_moves(
    engine: FakeEngine, sandbox: Path
) -> None:
    engine.add(PARENT)
    engine.add("sha256:of-another-checkout", PARENT_TAG)
    engine.meanwhile(f"set_tag sha256:of-another-checkout {PARENT_TAG}")
    assert run(build(engine, parent=PARENT_TAG), sandbox)[:2] == (0, "sha256:reproduced\n")
    assert engine.stages == [PARENT, PARENT]


def test_nothing_but_the_new_image_is_left_of_a_build(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(PARENT, PARENT_TAG)
    run(build(engine, parent=PARENT_TAG), sandbox)
    wait_until(lambda: engine.tags == {PARENT_TAG: PARENT, "child:1": "sha256:reproduced"})
    wait_until(lambda: engine.images == {PARENT, "sha256:reproduced"})


def test_a_parent_that_lost_its_tag_in_mid_build_outlives_the_build(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(PARENT, PARENT_TAG)
    engine.add("sha256:of-another-checkout")
    engine.meanwhile(f"set_tag sha256:of-another-checkout {PARENT_TAG}")
    run(build(engine, parent=PARENT_TAG), sandbox)
    wait_until(lambda: engine.tags == {PARENT_TAG: "sha256:of-another-checkout", "child:1": "sha256:reproduced"})
    wait_until(lambda: engine.images == {PARENT, "sha256:of-another-checkout", "sha256:reproduced"})


def test_a_failed_build_leaves_everything_as_it_was(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(PARENT, PARENT_TAG)
    engine.meanwhile("echo 'failed to solve: no space left on device' >&2; exit 1")
    assert run(build(engine, parent=PARENT_TAG), sandbox) == (1, "", "failed to solve: no space left on device\n")
    wait_until(lambda: (engine.images, engine.tags) == ({PARENT}, {PARENT_TAG: PARENT}))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_leaves_everything_as_it_was(
    engine: FakeEngine, sandbox: Path, number: signal.Signals
) -> None:
    engine.add(PARENT, PARENT_TAG)
    # As Docker's client does, the stand-in ends by itself and with a status of its own.
    engine.meanwhile("trap 'exit 1' INT TERM; touch started; for n in {1..600}; do sleep 0.1; done")
    process = start(build(engine, parent=PARENT_TAG), sandbox)
    wait_until((sandbox / "started").exists)
    assert engine.tags == {PARENT_TAG: PARENT, f"{PARENT_TAG}-pinned-7": PARENT}
    os.killpg(process.pid, number)
    out, _ = process.communicate(timeout=20)
    assert process.returncode != 0
    assert out == ""
    wait_until(lambda: (engine.images, engine.tags) == ({PARENT}, {PARENT_TAG: PARENT}))


def test_a_parent_that_is_gone_fails_the_build(engine: FakeEngine, sandbox: Path) -> None:
    status, out, err = run(build(engine, parent=PARENT_TAG), sandbox)
    assert (status, out, err.splitlines()[0]) == (1, "", f"Error: No such image: {PARENT}")
    wait_until(lambda: (engine.images, engine.tags) == (set(), {}))


def test_an_image_that_only_lost_tags_is_tagged_and_not_built(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(IMAGE, TAGS[0])
    engine.add("sha256:other", TAGS[1])
    note(sandbox)
    assert run(tag_or_build("exit 7", engine), sandbox) == (0, IMAGE, "")
    assert engine.tags == dict.fromkeys(TAGS, IMAGE)


@pytest.mark.parametrize("situation", [without_a_note, with_the_image_removed, with_the_engine_stopped])
def test_an_image_that_is_not_there_is_built(
    engine: FakeEngine, sandbox: Path, situation: Callable[[FakeEngine, Path], None]
) -> None:
    note(sandbox)
    situation(engine, sandbox)
    assert run(tag_or_build("echo built; exit 7", engine), sandbox) == (7, "built\n", "")


def test_of_two_writers_at_once_one_leaves_a_whole_note(sandbox: Path) -> None:
    long_ids = [f"sha256:{digit * 5000}" for digit in "01"]
    writers = [start(noting(long_ids[turn % 2]), sandbox) for turn in range(20)]
    assert [writer.communicate(timeout=60) for writer in writers] == [("", "")] * 20
    assert [path.name for path in (sandbox / NOTES).iterdir()] == [FINGERPRINT]
    assert (sandbox / NOTES / FINGERPRINT).read_text() in long_ids


def test_a_note_that_cannot_be_written_keeps_the_earlier_one_and_fails_no_build(
    engine: FakeEngine, sandbox: Path
) -> None:
    note(sandbox)
    # A limit of no blocks stands in for a full disk: it holds for the superuser, too.
    full = f"trap '' XFSZ; image=sha256:new; ulimit -f 0; {note_script(FINGERPRINT, 'image')}"
    status, out, _ = run(full, sandbox)
    assert status == 0
    assert "File too large" in out
    assert (sandbox / NOTES / FINGERPRINT).read_text() == IMAGE

    (sandbox / NOTES / FINGERPRINT).unlink()
    (sandbox.parent / "caches" / NOTES).rmdir()
    status, out, _ = run(build(engine), sandbox)
    image_id, _, unnoted = out.partition("\n")
    assert (status, image_id) == (0, "sha256:reproduced")
    assert "No such file or directory" in unnoted


def test_the_note_of_one_fingerprint_is_not_that_of_another(engine: FakeEngine, sandbox: Path) -> None:
    engine.add(IMAGE, *TAGS)
    note(sandbox)
    assert run(lookup_script(engine.client, "fedc", TAGS), sandbox)[0] == 1
