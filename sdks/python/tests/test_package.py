"""The package as users install it: wheel and source distribution, each into an empty environment."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

import llm_schema_registry

OLD_PROGRAM = """
from llm_schema_registry.validation.json_schema import compile_json_schema
validate = compile_json_schema({"type": "integer"}, "2020-12")
print(validate(1)[0], validate("x")[0])
"""
ROOT = Path(__file__).parent.parent
PROGRAM = "import llm_schema_registry as r; print(r.__version__, r.SchemaRegistry('http://localhost:8080').cache_stats()['breaker'])"


def run(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder)
    return folder


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_installs_into_an_empty_environment(built: Path, tmp_path: Path, kind: str) -> None:
    (package,) = built.glob(kind)
    venv.create(tmp_path, with_pip=True)
    python = tmp_path / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package)

    assert run(python, "-c", PROGRAM).split() == [llm_schema_registry.__version__, "closed"]


def test_runs_on_the_oldest_python_it_promises(built: Path, tmp_path: Path) -> None:
    found = sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python"))
    oldest = found[0] if found else None
    if oldest is None:
        pytest.skip("there is no Python 3.8 on this machine")
    run(oldest, "-m", "venv", tmp_path)
    python = tmp_path / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)

    assert run(python, "-c", PROGRAM).split() == [llm_schema_registry.__version__, "closed"]
    assert run(python, "-c", OLD_PROGRAM).split() == ["True", "False"]


def test_the_synchronous_client_is_made_from_the_asynchronous_one() -> None:
    run(sys.executable, "scripts/make.py", "--check")


def test_passes_lint_and_strict_types() -> None:
    run(sys.executable, "-m", "ruff", "check", ".")
    run(sys.executable, "-m", "ruff", "format", "--check", ".")
    run(sys.executable, "-m", "mypy")
