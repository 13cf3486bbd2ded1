import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from creativeai.errors import TrainingError
from creativeai.recipes.projected_gan import PRESETS
from creativeai.training.budget import Budget
from creativeai.training.run import (
    Run,
    create_run,
    default_folder,
    open_run,
    refuse_existing,
    sole_trainer,
    write_run,
)


@pytest.fixture
def new_run(tmp_path: Path) -> Run:
    return Run(
        folder=tmp_path / "run",
        recipe="projected_gan",
        preset="debug",
        config=PRESETS["debug"],
        dataset=Path("/data/birds"),
        dataset_digest="d" * 64,
        text_encoder="minilm",
        seed=3,
        budget=Budget(minutes=2.5),
        created="2024-05-06T07:08:09Z",
        start_from=Path("/runs/smaller"),
    )


def edit(folder: Path, **changes: Any) -> None:
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(content | changes))


def test_run_reads_as_it_was_written(new_run: Run) -> None:
    create_run(new_run)
    assert open_run(new_run.folder) == new_run
    changed = replace(new_run, budget=Budget(num_steps=7), start_from=None)
    write_run(changed)
    assert open_run(new_run.folder) == changed
    assert [path.name for path in new_run.folder.iterdir()] == ["run.json"]


def test_run_of_an_older_version_started_from_nothing(new_run: Run) -> None:
    create_run(new_run)
    content = json.loads((new_run.folder / "run.json").read_text())
    del content["start_from"]
    (new_run.folder / "run.json").write_text(json.dumps(content))
    assert open_run(new_run.folder) == replace(new_run, start_from=None)


def test_existing_folder_is_refused_and_kept(new_run: Run) -> None:
    new_run.folder.mkdir()
    refuse_existing(new_run.folder)  # empty: as good as new
    (new_run.folder / "precious").write_text("mine")
    with pytest.raises(
        TrainingError, match=r"exists already: go on with creativeai train --resume .*run, or"
    ):
        create_run(new_run)
    assert (new_run.folder / "precious").read_text() == "mine"
    with pytest.raises(TrainingError, match="exists already"):
        refuse_existing(new_run.folder / "precious")


def test_folder_that_can_not_be_made_is_one_line(new_run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"can't make the run's folder .*file/run: Not a directory"):
        create_run(replace(new_run, folder=tmp_path / "file" / "run"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 3}, "made by a newer version of CreativeAI: upgrade"),
        ({"schema_version": 1}, "made by an older version of CreativeAI: go on with it"),
        ({"recipe": "dalle"}, "unknown recipe 'dalle'"),
        ({"config": {"stylish": 1}}, "unknown field 'stylish'"),
        ({"config": [1]}, r"run\.json is broken"),
        ({"dataset": 3}, r"run\.json is broken"),
        ({"colour": "red"}, r"run\.json is broken"),
    ],
)
def test_broken_run_is_one_line(new_run: Run, changes: dict[str, Any], message: str) -> None:
    create_run(new_run)
    edit(new_run.folder, **changes)
    with pytest.raises(TrainingError, match=message) as error:
        open_run(new_run.folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"schema_version": 2}'])
def test_run_json_that_is_none_is_one_line(new_run: Run, content: str) -> None:
    create_run(new_run)
    (new_run.folder / "run.json").write_text(content)
    with pytest.raises(TrainingError, match=r"run\.json is broken"):
        open_run(new_run.folder)


def test_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"is no training run: it has no run\.json"):
        open_run(tmp_path)


def test_a_run_is_trained_by_one_process_at_a_time(new_run: Run) -> None:
    pytest.importorskip("fcntl")
    create_run(new_run)
    with (
        sole_trainer(new_run),
        pytest.raises(TrainingError, match="another process is training"),
        sole_trainer(new_run),
    ):
        pass
    with sole_trainer(new_run):
        pass


def test_default_folder_is_a_plain_name() -> None:
    folder = default_folder("projected_gan", "my birds/../é")
    assert folder.parent == Path("runs")
    assert folder.name.startswith("projected_gan-my-birds-..-")
    assert folder.name.isascii()
