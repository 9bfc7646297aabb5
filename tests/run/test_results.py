"""What a run leaves where it cannot write as it should, or where its numbers get out of hand."""

import errno
import shutil
import threading

import numpy as np
import pytest
from conftest import SMALL

import neural_art
from nst.network import weights
from nst.pictures.picture_files import read_image, write_picture


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A current folder beside that of the result, and a folder for what is temporary."""
    for name in ("here", "there", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    return tmp_path


def at_step(number, happen):
    """Return a listener that makes something happen after a step of that number."""
    return lambda step, picture, state: happen() if step.number == number else None


def warnings_of(capsys):
    out, err = capsys.readouterr()
    return out, [line for line in err.splitlines() if line.startswith("neural_art:")]


def full_for(*folders):
    """Return a writer of pictures for which the disk of these folders is full."""

    def write(path, image, **metadata):
        if path.absolute().parent in folders:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_picture(path, image, **metadata)

    return write


def test_a_picture_for_a_full_disk_is_saved_elsewhere(here, pictures, tiny, monkeypatch, capsys):
    words = [*pictures, *SMALL, "-o", str(here / "there" / "art.png")]
    full, elsewhere = [here / "there"], [here / "here", here / "temporary"]
    for folder in elsewhere:
        monkeypatch.setattr("nst.run.results.write_picture", full_for(*full))
        assert neural_art.main([*words, "--overwrite"]) == neural_art.EXIT_FAILED
        out, lines = warnings_of(capsys)
        assert out == ""
        saved = folder / "art.png"
        assert lines == [f"neural_art: {words[-1]}: No space left on device; the picture is saved as {saved}"]
        assert read_image(saved).shape == (46, 64, 3)
        full.append(folder)
    monkeypatch.setattr("nst.run.results.write_picture", full_for(*full))
    assert neural_art.main([*words, "--overwrite"]) == neural_art.EXIT_FAILED
    assert "nor could the picture be saved" in warnings_of(capsys)[1][0]
    monkeypatch.setattr("nst.run.results.write_picture", write_picture)
    assert neural_art.main(["--resume", str(here / "there" / "art")]) == 0  # not even then is anything lost


def test_a_folder_that_vanishes_or_a_folder_in_the_way_costs_no_picture(here, pictures, tiny, capsys):
    result = here / "there" / "art.png"
    words = [*pictures, *SMALL, "-o", str(result), "--snapshot-every", "1", "--checkpoint-every", "0.000001"]
    for happens in (lambda: shutil.rmtree(here / "there"), lambda: result.mkdir()):
        assert neural_art.main(words, on_step=[at_step(2, happens)]) == neural_art.EXIT_FAILED
        _, lines = warnings_of(capsys)
        saved = sorted((here / "here").glob("*.png"))[-1]
        assert f"{result}: " in lines[-1]
        assert lines[-1].endswith(f"the picture is saved as {saved}")
        assert len(lines) == len(set(lines)) <= 5  # each once
        assert read_image(saved).shape == (46, 64, 3)
        saved.unlink()
        (here / "there").mkdir(exist_ok=True)


def test_snapshots_and_checkpoints_that_cannot_be_written_do_not_end_a_run(here, pictures, tiny, monkeypatch, capsys):
    result = here / "there" / "art.png"
    monkeypatch.setattr("nst.run.results.write_picture", full_for(here / "there" / "art"))

    def fail(folder, checkpoint):
        raise OSError(errno.EROFS, "Read-only file system", str(folder.checkpoint))

    monkeypatch.setattr("nst.run.results.write_checkpoint", fail)
    assert neural_art.main([*pictures, *SMALL, "-o", str(result), "--snapshot-every", "1"]) == 0
    out, lines = warnings_of(capsys)
    assert out == f"{result}\n"
    folder = result.with_suffix("")
    assert lines == [
        f"neural_art: {folder / 'checkpoint.npz'}: Read-only file system; the run goes on without checkpoints",
        f"neural_art: {folder / 'step_00001_32px.png'}: No space left on device; the run goes on without snapshots",
    ]


def test_the_old_picture_stays_until_the_new_one_is_complete(here, pictures, tiny, capsys):
    result = here / "there" / "art.png"
    result.write_bytes(b"old")
    seen = []
    look = at_step(6, lambda: seen.append(result.read_bytes()))
    assert neural_art.main([*pictures, *SMALL, "-o", str(result), "--overwrite"], on_step=[look]) == 0
    assert seen == [b"old"]
    assert read_image(result).shape == (46, 64, 3)


def test_two_runs_never_write_to_the_same_folder(here, pictures, tiny, capsys):
    result = here / "there" / "art.png"
    words = [*pictures, *SMALL, "-o", str(result), "--overwrite"]
    found = []

    def meanwhile():
        thread = threading.Thread(target=lambda: found.append(neural_art.main(words)))
        thread.start()
        thread.join()

    assert neural_art.main(words, on_step=[at_step(2, meanwhile)]) == 0
    assert found == [neural_art.EXIT_USER_ERROR]
    assert "art: another run is at work there; wait for it, or give another -o" in capsys.readouterr().err


def test_two_runs_that_want_the_same_name_get_two(here, pictures, tiny, tiny_weights, monkeypatch, capsys):
    monkeypatch.setattr("nst.run.folder.OUTPUT", here / "output")
    names = []

    def meanwhile(_source=None):
        """Between the plan of the first run and its folder, a whole second run."""
        if not names:
            names.append("first")
            assert neural_art.main([*pictures, *SMALL]) == 0
        return tiny_weights

    monkeypatch.setattr(weights, "load_weights", meanwhile)
    assert neural_art.main([*pictures, *SMALL]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [str(here / "output" / name) for name in ("content_style.png", "content_style_2.png")]


def test_a_result_that_another_run_has_made_meanwhile_is_not_replaced(
    here, pictures, tiny, tiny_weights, monkeypatch, capsys
):
    words = [*pictures, *SMALL, "-o", "art.png"]
    found = []

    def meanwhile(_source=None):
        """Between the plan of the first run and its first step, a whole second run."""
        if not found:
            found.append("first")
            found.append(neural_art.main(words))
        return tiny_weights

    monkeypatch.setattr(weights, "load_weights", meanwhile)
    assert neural_art.main(words) == neural_art.EXIT_USER_ERROR
    assert found == ["first", 0]
    assert "art.png: exists already" in capsys.readouterr().err


def test_numbers_out_of_hand_leave_the_last_good_picture(here, pictures, tiny, monkeypatch, capsys):
    """In mid-run every cost becomes NaN: exit 1, one line, and a picture that is neither black nor the photo."""
    from nst.transfer import stylize

    make, calls = stylize.make_evaluate, []

    def make_broken(*arguments, **options):
        evaluate = make(*arguments, **options)

        def broken(image):
            calls.append(image)
            costs, gradient = evaluate(image)
            return {name: cost * float("nan") if len(calls) > 4 else cost for name, cost in costs.items()}, gradient

        return broken

    monkeypatch.setattr(stylize, "make_evaluate", make_broken)
    assert neural_art.main([*pictures, *SMALL, "-o", "art.png"]) == neural_art.EXIT_FAILED
    out, lines = warnings_of(capsys)
    assert out == ""
    assert len(lines) == 1
    assert "numbers are out of hand (total cost nan" in lines[0]
    assert lines[0].endswith("lower --learning-rate; art.png is the picture so far")
    assert read_image(here / "here" / "art.png").std() > 0.05


def test_a_run_that_is_out_of_memory_leaves_the_last_good_picture(here, pictures, tiny, monkeypatch, capsys):
    import tensorflow as tf

    from nst.transfer import stylize

    def exhausted(*arguments):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(stylize, "enlarge", exhausted)
    assert neural_art.main([*pictures, *SMALL, "-o", "art.png"]) == neural_art.EXIT_FAILED
    lines = warnings_of(capsys)[1]
    assert lines == ["neural_art: out of memory; give a smaller --size; art.png is the picture so far"]
    assert read_image(here / "here" / "art.png").shape == (46, 64, 3)


@pytest.mark.parametrize("kind", ["black", "white", "red"])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_pictures_of_one_colour_serve_as_photo_and_as_style(here, pictures, tiny, kind, optimizer):
    plain = np.zeros((40, 56, 3), np.float32) + np.float32({"black": 0, "white": 1, "red": (1, 0, 0)}[kind])
    write_picture(here / "plain.png", plain)
    plain = str(here / "plain.png")
    for inputs in ([pictures[0], plain], [plain, pictures[1]], [plain, plain]):
        words = [*SMALL, "--optimizer", optimizer, "-o", "art.png", "--overwrite"]
        assert neural_art.main([*inputs, *words]) == 0
        image = read_image(here / "here" / "art.png")
        if kind != "black":
            assert image.mean() > 0.1
