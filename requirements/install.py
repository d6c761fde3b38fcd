"""Makes `.venv` hold what a lock file names, and the project itself: `install.py run` or `install.py dev`.

Does nothing when `.venv` already holds it. Safe to interrupt: the next run sees that this one didn't end, and
makes `.venv` anew; pip has kept what it downloaded. Needs Python 3.11 with venv, and pip's way to a package
index. Parses on Python 3.6, to be able to say that it is too old.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

NEEDED = (3, 11)
NEWEST_TRIED = 15
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RECORD = VENV / "aifactory-installed.json"
LOCKS = {level: ROOT / "requirements" / (level + ".txt") for level in ("run", "dev")}
UNFINISHED = {"unfinished": True}
"""What the record says from the first change to `.venv` to the last."""
REFUSED_SETTINGS = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIREMENT", "PIP_CONSTRAINT")
"""Settings of pip that would install somewhere else, or something else."""


class Stopped(Exception):
    """Set-up can't go on; the text says why and what to do."""


def main():
    """Set up, or say why not. Exit code 1 when it can't."""
    wanted = sys.argv[1] if len(sys.argv) == 2 else ""
    if wanted not in LOCKS:
        sys.exit("usage: install.py run|dev")
    try:
        with one_at_a_time():
            install(wanted)
    except Stopped as stopped:
        sys.exit("set-up stopped: {}".format(stopped))
    except KeyboardInterrupt:
        sys.exit("set-up interrupted; run the same command again")


def install(wanted):
    """Bring `.venv` to the wanted level, or to the one that it has when that is more."""
    recorded = record()
    moved = recorded.get("root", str(ROOT)) != str(ROOT)
    level = "dev" if "dev" in (wanted, recorded.get("level")) else "run"
    content = {"root": str(ROOT), "level": level, "digest": digest(level)}
    if recorded == content and PYTHON.exists():
        return
    # Moved or copied: its scripts and links still point to the old place. Interrupted: packages may be half there.
    if moved or recorded == UNFINISHED or not usable():
        create()
    RECORD.write_text(json.dumps(UNFINISHED))
    say("installing the packages of requirements/{}.txt; the first time takes about a minute".format(level))
    lock = os.path.relpath(str(LOCKS[level]), str(ROOT))
    pip("--require-hashes", "--only-binary=:all:", "--no-deps", "--requirement", lock)
    pip("--no-deps", "--no-build-isolation", "--no-index", "--editable", ".")
    RECORD.write_text(json.dumps(content))


def record():
    """What `.venv` was last brought to; empty when there is none or it was interrupted."""
    try:
        found = json.loads(RECORD.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def digest(level):
    """Digest of all that decides what is installed."""
    parts = [LOCKS[level], ROOT / "pyproject.toml"]
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def usable():
    """Whether `.venv` has a Python new enough, with pip."""
    test = "import sys, pip; sys.exit(sys.version_info < {})".format(NEEDED)
    return PYTHON.exists() and answers(str(PYTHON), test)


def create():
    """Make `.venv` anew, with the first Python that is new enough."""
    python = newest_enough()
    if not answers(python, "import ensurepip, venv"):
        raise Stopped("{} has no venv or no ensurepip; on Debian and Ubuntu: apt install python3-venv".format(python))
    say("making .venv with {}".format(python))
    if subprocess.call([python, "-I", "-m", "venv", "--clear", str(VENV)]):
        raise Stopped("{} -m venv failed; the lines above say why".format(python))


def newest_enough():
    """The Python that runs this file, or else another on PATH."""
    others = ["python3.{}".format(minor) for minor in range(NEEDED[1], NEWEST_TRIED)]
    found = [sys.executable] + [path for path in map(shutil.which, others) if path]
    for python in found:
        if answers(python, "import sys; sys.exit(sys.version_info < {})".format(NEEDED)):
            return python
    version = "{}.{} ({})".format(sys.version_info[0], sys.version_info[1], sys.executable)
    raise Stopped(
        "aifactory needs Python 3.11 or newer, and this is {}. Install one and put it on PATH, or name it: "
        "make PYTHON=/path/to/python3.12".format(version)
    )


def answers(python, test):
    """Whether a Python runs a line of code and exits with 0."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    try:
        return subprocess.call([python, "-I", "-c", test], **quiet) == 0
    except OSError:
        return False


def pip(*arguments):
    """Install into `.venv`, whatever the caller's pip settings say about places."""
    environment = {key: value for key, value in os.environ.items() if key not in REFUSED_SETTINGS}
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    command = [str(PYTHON), "-I", "-m", "pip", "install", "--quiet", *arguments]
    if subprocess.call(command, cwd=str(ROOT), env=environment, stdin=subprocess.DEVNULL):
        raise Stopped("pip failed; the lines above say why. Then run the same command again")


@contextlib.contextmanager
def one_at_a_time():
    """Let a second set-up of the same folder wait for the first."""
    import fcntl

    with open(__file__) as mine:
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this folder")
            fcntl.flock(mine, fcntl.LOCK_EX)
        yield


def say(text):
    """A line for the person who waits."""
    sys.stderr.write("set-up: {}\n".format(text))
    sys.stderr.flush()


if __name__ == "__main__":
    main()
