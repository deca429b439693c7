"""The scripted registry that the vectors run against, and the started one where REGISTRY_URL names it."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

VECTORS = Path(__file__).parents[3] / "contract" / "vectors" / "sdk"


class ScriptedServer:
    def __init__(self, control: str) -> None:
        self._control = control

    def script(self, exchanges: List[Any]) -> Dict[str, Any]:
        return self._ask("/_run", json.dumps({"exchanges": exchanges}).encode())

    def end(self, run: int) -> Dict[str, Any]:
        return self._ask(f"/_run/{run}", None)

    def _ask(self, path: str, body: Any) -> Dict[str, Any]:
        with urllib.request.urlopen(self._control + path, body) as answer:
            value: Dict[str, Any] = json.loads(answer.read())
            return value


@pytest.fixture(scope="session")
def server() -> Iterator[ScriptedServer]:
    process = subprocess.Popen(["node", str(VECTORS / "server.mjs")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    control = json.loads(process.stdout.readline())["control"]
    yield ScriptedServer(control)
    process.stdout.close()
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def registry_url() -> str:
    url = os.environ.get("REGISTRY_URL")
    if url is None:
        pytest.skip("REGISTRY_URL names no started registry")
    return url
