from pathlib import Path

import pytest

from creativeai.user_cache import user_cache


def test_the_environment_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "windows"))
    assert user_cache() == tmp_path / "windows" / "creativeai"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "linux"))
    assert user_cache() == tmp_path / "linux" / "creativeai"


def test_else_it_is_in_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert user_cache() == tmp_path / ".cache" / "creativeai"

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert user_cache() is None
