"""A dataset from Kaggle, fetched through the library kagglehub and kept as the one archive that Kaggle sends.

`kagglehub.dataset_download` would unpack 200,000 files. Its own parts are called here instead: its client, its cache
and its `download_file`, which goes on with a broken transfer (HTTP range) and checks the MD5 that the server announces.
"""

import hashlib
import re
import shutil
import time
from collections import Counter
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from kagglehub.cache import get_cached_archive_path
from kagglehub.clients import download_file, get_user_agent
from kagglehub.config import KaggleApiCredentials, get_kaggle_credentials
from kagglehub.exceptions import DataCorruptionError
from kagglehub.handle import DatasetHandle, parse_dataset_handle
from kagglehub.integrity import get_md5_checksum_from_response, to_b64_digest
from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest, ApiGetDatasetRequest
from kagglesdk.kaggle_client import KaggleClient
from kagglesdk.kaggle_env import get_env
from tqdm import tqdm

from ..errors import UserError
from ..image_archive import find_texts
from . import Fetched, celeba, labels
from .archive import store

_HANDLE = re.compile(r"[\w-]+/[\w-]+/versions/[1-9]\d*")
_ATTEMPTS = 8
_RETRY_SECONDS = 2.0


def fetch(folder: Path, handle: str | None, domain: str) -> Fetched:
    """Fetch the dataset `handle`, owner/name/versions/N, to `folder`/faces.zip, with the labels that it holds.

    Labels are CelebA's tables where the archive has them, else genders from folder names and years from file names.
    The archive stays in kagglehub's cache, so that nothing is fetched twice.
    """
    if handle is None or not _HANDLE.fullmatch(handle):
        raise UserError(
            f"download.{domain}.dataset is {handle!r}: write owner/name/versions/N, so that the version is pinned."
        )
    archive, facts = _download(handle, folder)
    found = store(archive, folder)
    members = labels.from_names((member.name for member in found.members), domain)
    container = next(folder.glob("faces.*"))
    texts = find_texts(container, (f"{celeba.ATTRIBUTES}.csv", f"{celeba.LANDMARKS}.csv"))
    if texts:
        members, facts["labels"] = celeba.label(members, texts)
    return Fetched(members, facts, ignored=dict(found.ignored))


def _download(handle: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Bring the archive into kagglehub's cache; return where it is, and what the manifest says about it.

    A broken transfer is taken up again where it broke, now and at the next call; a corrupt one starts afresh.
    """
    dataset = parse_dataset_handle(handle)
    archive = Path(get_cached_archive_path(dataset))
    archive.parent.mkdir(parents=True, exist_ok=True)
    try:
        credentials = get_kaggle_credentials() or KaggleApiCredentials()
    except ValueError as error:
        raise UserError(f"{error}: make a new token on kaggle.com/settings and save it there.") from None
    known = credentials != KaggleApiCredentials()
    problem = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            tqdm.write(f"{handle}: {problem}; trying again")
            time.sleep(_RETRY_SECONDS * attempt)
        try:
            with KaggleClient(
                env=get_env(),
                username=credentials.username,
                password=credentials.key,
                api_token=credentials.api_key,
                user_agent=get_user_agent(),
            ) as client:
                return archive, _transfer(client, dataset, archive, folder)
        except requests.HTTPError as error:
            status = _status(error)
            if status < 500 and status != HTTPStatus.TOO_MANY_REQUESTS:
                raise UserError(_refusal(status, handle, known)) from None
            problem = f"Kaggle answers {status}"
        except DataCorruptionError:
            problem = "what arrived does not have the checksum that Kaggle announced"
        except requests.RequestException as error:
            problem = f"the connection broke ({type(error).__name__})"
    raise UserError(f"{handle}: {problem}, {_ATTEMPTS} times: run the same command again later to go on.")


def _transfer(client: KaggleClient, dataset: DatasetHandle, archive: Path, folder: Path) -> dict[str, Any]:
    about, wanted = ApiGetDatasetRequest(), ApiDownloadDatasetRequest()
    about.owner_slug = wanted.owner_slug = dataset.owner
    about.dataset_slug = wanted.dataset_slug = dataset.dataset
    wanted.dataset_version_number = dataset.version
    described = client.datasets.dataset_api_client.get_dataset(about)
    response = client.datasets.dataset_api_client.download_dataset(wanted)
    total = int(response.headers.get("Content-Length", 0))
    _check_space(total, archive, folder)
    download_file(response, str(archive), dataset)
    # download_file takes a file of the right length for whole without looking into it.
    announced = get_md5_checksum_from_response(response)
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "md5")
    if (announced and announced != to_b64_digest(digest)) or (total and total != archive.stat().st_size):
        archive.unlink()
        raise DataCorruptionError
    return {
        "dataset": f"{dataset.owner}/{dataset.dataset}",
        "version": dataset.version,
        "licence": described.license_name or "not stated",
        "licence_url": f"https://www.kaggle.com/datasets/{dataset.owner}/{dataset.dataset}",
        "md5": digest.hexdigest(),
    }


def _check_space(total: int, archive: Path, folder: Path) -> None:
    """Raise UserError when the cache cannot hold the archive or the data folder not its copy."""
    here = archive.stat().st_size if archive.exists() else 0
    needed: Counter[int] = Counter()
    needed[archive.parent.stat().st_dev] += max(0, total - here)
    needed[folder.stat().st_dev] += total
    for place in (archive.parent, folder):
        free = shutil.disk_usage(place).free
        if free < needed[place.stat().st_dev]:
            raise UserError(
                f"the disk of {place} has {free / 1e9:.1f} GB free, and {needed[place.stat().st_dev] / 1e9:.1f} GB are "
                "needed: free some room and run the same command again."
            )


def _status(error: requests.HTTPError) -> int:
    """Kaggle sends its refusals as an HTTP status, or as a `code` in JSON under status 200."""
    if error.response is None:
        return 0
    if error.response.status_code >= 400:
        return error.response.status_code
    return int(error.response.json().get("code", 0))


def _refusal(status: int, handle: str, credentials: bool) -> str:
    page = "https://www.kaggle.com/datasets/" + handle.split("/versions/")[0]
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and not credentials:
        return (
            f"Kaggle gives {handle} to known accounts only, and no credentials were found: make a token on "
            "kaggle.com/settings and save it as ~/.kaggle/kaggle.json."
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return "Kaggle refuses the credentials (401): make a new token on kaggle.com/settings and save it."
    if status == HTTPStatus.FORBIDDEN:
        return f"Kaggle refuses {handle} to this account (403): open {page}, accept its licence, and run this again."
    if status == HTTPStatus.NOT_FOUND:
        return f"Kaggle knows no {handle} (404): compare the name and the version with {page}."
    return f"Kaggle refuses {handle} ({status}): look at {page}."
