"""Runs the README's code against a started registry, as one program, and compares what it prints with its comments."""

import ast
import os
import re
from pathlib import Path
from typing import Any, Dict, List

README = (Path(__file__).parent.parent / "README.md").read_text()


async def test_prints_what_its_comments_say(registry_url: str) -> None:
    own = f"user-{os.getpid()}"
    source = "\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL)).replace("http://localhost:8080", registry_url)
    # Other tests share the registry; this program's subjects are its own.
    source = source.replace("user-profile", own).replace('prefix="user-"', f'prefix="{own}"').replace('"order"', f'"order-{os.getpid()}"')
    printed: List[str] = []
    names: Dict[str, Any] = {"print": lambda *values: printed.append(" ".join(map(str, values)))}

    code = compile(source, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    await eval(code, names)

    assert printed == [comment.strip() for comment in re.findall(r"print\(.*\)  # (.*)$", source, re.MULTILINE)]
