"""Where this installation keeps its data, its key and its running services. Standard library only."""

import fcntl
import json
import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNFINISHED_RESTORE = "restore_unfinished"  # in a data folder that a restore has begun to fill


def data_dir() -> Path:
    """The data folder: VITRINE_DATA, by default `var/` in the checkout."""
    return Path(os.environ.get("VITRINE_DATA") or ROOT / "var").expanduser().absolute()


def use_data_folder(arguments: list[str]) -> list[str]:
    """Take `--data DIR` out of the arguments, for every command alike, and remember it in VITRINE_DATA."""
    rest = list(arguments)
    for place, argument in enumerate(arguments):
        name, equals, folder = argument.partition("=")
        if name != "--data" or not (equals or arguments[place + 1 :]):
            continue
        os.environ["VITRINE_DATA"] = str(
            Path(folder if equals else arguments[place + 1]).expanduser().absolute()
        )
        del rest[place : place + (1 if equals else 2)]
        break
    return rest


def read_services() -> dict[str, str]:
    """DATABASE_URL, REDIS_URL, ADDRESS and pid as `up` announced them; empty when it is not running."""
    try:
        announced: dict[str, str] = json.loads((data_dir() / "services.json").read_text())
    except (OSError, ValueError):
        return {}
    return announced if is_supervised(data_dir()) else {}


def is_supervised(data: Path) -> bool:
    """A running `up` holds the lock of its data folder, and the kernel lets go of it when `up` dies."""
    try:
        with (data / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def secret_key() -> str:
    """SECRET_KEY, else a key made once and kept in the data folder."""
    return os.environ.get("SECRET_KEY") or kept_secret("secret_key", 50)


def kept_secret(name: str, size_bytes: int) -> str:
    """The secret in the file `name` of the data folder, made on first use and readable by its owner only."""
    path = data_dir() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place: of two processes that come first, both read the same secret.
    aside = path.with_name(f"{name}.{secrets.token_hex(8)}")
    if not path.exists():
        with os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(size_bytes))
        try:
            path.hardlink_to(aside)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return path.read_text().strip()
