"""Makes src/llm_schema_registry/sync.py from client.py. Run it after every change of client.py; `--check` fails where they differ."""

import subprocess
import sys

from unasync import PACKAGE, convert


def main() -> int:
    source = convert((PACKAGE / "client.py").read_text())
    ruff = [sys.executable, "-m", "ruff"]
    fixed = subprocess.run([*ruff, "check", "--fix-only", "--quiet", "-"], input=source, capture_output=True, text=True, check=True)
    made = subprocess.run([*ruff, "format", "-"], input=fixed.stdout, capture_output=True, text=True, check=True).stdout
    target = PACKAGE / "sync.py"
    if "--check" not in sys.argv:
        target.write_text(made)
    elif target.read_text() != made:
        print("sync.py is not what client.py gives; run: python scripts/make.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
