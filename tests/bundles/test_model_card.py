from dataclasses import asdict
from pathlib import Path
from typing import Any

from creativeai.bundles import read_bundle
from creativeai.bundles.model_card import model_card
from tiny_bundle import make_tiny_bundle


def card(folder: Path, **options: Any) -> str:
    return model_card(asdict(read_bundle(make_tiny_bundle(folder, **options)).manifest))


def test_card_of_one_stage(tmp_path: Path) -> None:
    assert "preset `debug`, 32 pixels, text encoder `minilm`" in card(tmp_path, num_stages=1)


def test_card_of_a_run_started_from_another(tmp_path: Path) -> None:
    fields = asdict(read_bundle(make_tiny_bundle(tmp_path)).manifest)
    assert "\n2 steps, 16 pictures" in model_card(fields)
    fields["training"] |= {"steps": 50, "earlier_steps": 30}
    assert "\n50 steps, 30 of them in runs that this one was started from" in model_card(fields)


def test_card_of_several_stages_and_attention(tmp_path: Path) -> None:
    assert "32 pixels in stages of 16 and 32, text encoder" in card(tmp_path)
    said = card(tmp_path, name="attentive", resolution=64, num_stages=3, attends=True)
    assert "64 pixels in stages of 16, 32 and 64 with attention maps of 16 and 32, text encoder" in said


def test_card_of_an_imported_model_names_what_is_unknown(tmp_path: Path) -> None:
    fields = asdict(read_bundle(make_tiny_bundle(tmp_path)).manifest)
    fields["dataset"] |= {"digest": None, "num_train": None, "num_val": None}
    fields["training"] |= {"steps": None, "images_seen": None, "seconds": None}
    said = model_card(fields | {"metrics": {}})
    assert "\nBy its authors, not here: steps, pictures seen and time are unknown.\n" in said
    assert "\nBlots (`blots`); licence: CC0-1.0.\n" in said and "SHA-256" not in said
    assert "## Measured at export\n\nNothing." in said and "None" not in said
