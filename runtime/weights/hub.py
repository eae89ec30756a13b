"""Weights from the Hugging Face Hub, `hf:OWNER/REPO[/FILE]`, by its own client.

The client keeps what it has fetched and looks for nothing else where `HF_HUB_OFFLINE=1` is set;
`HF_ENDPOINT` and `HF_TOKEN` say where to ask, and as whom.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from runtime.errors import CallError, MachineError
from runtime.weights.sharded import INDEX, weight_map

SCHEME = "hf:"
USUAL = ("model.safetensors", f"model{INDEX}")  # where a repository names no file


def is_remote(text: str) -> bool:
    """Whether weights are named as a repository's."""
    return text.startswith(SCHEME)


def fetch_weights(text: str) -> Path:
    """The file in the client's cache that `hf:OWNER/REPO[/FILE]` names.

    Without a file it is model.safetensors, or the index of a large model, whose files come along.
    Raises `CallError` for what is not there, `MachineError` without the client or the network.
    """
    owner, repository, file = parts(text)
    hub = client(text)
    name = f"{owner}/{repository}"
    unreached: MachineError | None = None
    for wanted in [file] if file else USUAL:
        try:
            path = fetch(hub, name, wanted)
        except MachineError as error:  # the cache may have the next
            unreached = unreached or error
            continue
        if path is None:
            continue
        if wanted.endswith(INDEX):
            fetch_shards(hub, name, wanted, path)
        return path
    if unreached is not None:
        raise unreached
    raise CallError(f"{SCHEME}{name} has no {file or ' and no '.join(USUAL)}")


def parts(text: str) -> tuple[str, str, str]:
    """Owner, repository and file, "" where none is named."""
    owner, _, rest = text.removeprefix(SCHEME).partition("/")
    repository, _, file = rest.partition("/")
    if not owner or not repository:
        raise CallError(
            f"weights of the hub are written {SCHEME}OWNER/REPO or with /FILE behind, not {text}"
        )
    return owner, repository, file


def client(text: str) -> Any:
    """The library huggingface_hub."""
    try:
        return import_module("huggingface_hub")
    except ImportError:
        raise MachineError(
            f"{text} is fetched by huggingface_hub, which is not installed here",
            "install netc[hub], or download the file and give its path",
        ) from None


def fetch(hub: Any, repository: str, file: str) -> Path | None:
    """The path of a file in the cache, None where the repository has no such file."""
    errors = import_module("huggingface_hub.errors")
    try:
        return Path(hub.hf_hub_download(repository, file))
    except errors.LocalEntryNotFoundError:
        raise MachineError(
            f"{repository}/{file} is not in the cache, and the hub cannot be asked",
            "look at the network and at HF_HUB_OFFLINE, or give the path of a file",
        ) from None
    except errors.EntryNotFoundError:
        return None
    except errors.GatedRepoError:
        raise CallError(
            f"{SCHEME}{repository} wants its terms accepted, and HF_TOKEN set"
        ) from None
    except errors.RepositoryNotFoundError:
        raise CallError(f"the hub has no {repository}, or HF_TOKEN may not see it") from None
    except errors.HFValidationError as error:
        raise CallError(f"{SCHEME}{repository}: {error}") from None
    except (errors.HfHubHTTPError, OSError) as error:
        first = str(error).partition("\n")[0]
        raise MachineError(
            f"{repository}/{file} cannot be fetched: {first}", "try again, or give a path"
        ) from None


def fetch_shards(hub: Any, repository: str, index: str, path: Path) -> None:
    """The files that an index names, into the same folder of the cache."""
    folder = index.rpartition("/")[0]
    for name in dict.fromkeys(weight_map(path, there=False).values()):
        whole = f"{folder}/{name}" if folder else name
        if fetch(hub, repository, whole) is None:
            raise CallError(f"{SCHEME}{repository}: {index} names {name}, which is not there")
