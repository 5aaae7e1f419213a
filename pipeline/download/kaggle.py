"""A dataset from Kaggle, downloaded with kagglehub and stored as the archive that Kaggle sends.

`kagglehub.dataset_download` would unpack 200,000 files. So its parts are called directly: its client, its cache and its
`download_file`, which resumes a broken transfer (HTTP range) and checks the MD5 that the server announces.
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

from ..errors import Kind, UserError, bad_value, unavailable
from ..image_archive import find_texts
from . import Fetched, celeba, labels
from .archive import store

_HANDLE = re.compile(r"[\w-]+/[\w-]+/versions/[1-9]\d*")
_LOG_IN = "Create a new token on kaggle.com/settings and save it as ~/.kaggle/kaggle.json"


def fetch(folder: Path, handle: str | None, domain: str, *, attempts: int = 8, pause: float = 2.0) -> Fetched:
    """Download a dataset to `folder`/faces.zip and read its labels.

    Labels are the tables of CelebA if the archive has them, else genders from folder names and years from file names.
    The archive stays in the cache of kagglehub, so that nothing is downloaded twice.

    Args:
        folder: Where faces.zip is written.
        handle: owner/name/versions/N.
        domain: Name of the domain.
        attempts: Attempts of a broken transfer.
        pause: Seconds before the second attempt; each further pause is longer by this time.

    Raises:
        UserError: The dataset cannot be downloaded, the disk is full, or the archive has no image.
    """
    if handle is None or not _HANDLE.fullmatch(handle):
        raise bad_value(f"download.{domain}.dataset", handle, "owner/name/versions/N, with the version pinned")
    archive, facts = _download(handle, folder, attempts, pause)
    listed = store(archive, folder)
    members = labels.from_names((member.name for member in listed.images), domain)
    texts = find_texts(next(folder.glob("faces.*")), (f"{celeba.ATTRIBUTES}.csv", f"{celeba.LANDMARKS}.csv"))
    if texts:
        members, facts["labels"] = celeba.label(members, texts)
    return Fetched(members, facts, ignored=dict(listed.ignored))


def _download(handle: str, folder: Path, attempts: int, pause: float) -> tuple[Path, dict[str, Any]]:
    """Download the archive into the cache of kagglehub; return its path, and facts for the manifest.

    A broken transfer resumes, now and at the next call; a corrupt one starts again.
    """
    dataset = parse_dataset_handle(handle)
    archive = Path(get_cached_archive_path(dataset))
    archive.parent.mkdir(parents=True, exist_ok=True)
    try:
        credentials = get_kaggle_credentials() or KaggleApiCredentials()
    except ValueError as error:
        raise unavailable("the Kaggle token", str(error), _LOG_IN) from None
    known = credentials != KaggleApiCredentials()
    problem = ""
    for attempt in range(attempts):
        if attempt:
            tqdm.write(f"{handle}: {problem}; retrying")
            time.sleep(pause * attempt)
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
                raise _refusal(status, handle, known) from None
            problem = f"Kaggle answers {status}"
        except DataCorruptionError:
            problem = "the archive does not have the checksum that Kaggle announced"
        except requests.RequestException as error:
            problem = f"the connection broke ({type(error).__name__})"
    raise unavailable(handle, f"{problem}, {attempts} times", "Run the same command again later to resume")


def _transfer(client: KaggleClient, dataset: DatasetHandle, archive: Path, folder: Path) -> dict[str, Any]:
    query, download = ApiGetDatasetRequest(), ApiDownloadDatasetRequest()
    query.owner_slug = download.owner_slug = dataset.owner
    query.dataset_slug = download.dataset_slug = dataset.dataset
    download.dataset_version_number = dataset.version
    described = client.datasets.dataset_api_client.get_dataset(query)
    response = client.datasets.dataset_api_client.download_dataset(download)
    total = int(response.headers.get("Content-Length", 0))
    _check_space(total, archive, folder)
    download_file(response, str(archive), dataset)
    # download_file does not check the content of a file of the right length.
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
    """Raise UserError if the disk of the cache has no space for the archive, or that of `folder` for its copy."""
    downloaded = archive.stat().st_size if archive.exists() else 0
    needed: Counter[int] = Counter()
    needed[archive.parent.stat().st_dev] += max(0, total - downloaded)
    needed[folder.stat().st_dev] += total
    for target in (archive.parent, folder):
        free, required = shutil.disk_usage(target).free, needed[target.stat().st_dev]
        if free < required:
            raise UserError(
                f"the disk of {str(target)!r} has {free / 1e9:.1f} GB free, {required / 1e9:.1f} GB are needed. "
                "Free disk space and run the same command again.",
                kind=Kind.NO_SPACE,
                subject=target,
            )


def _status(error: requests.HTTPError) -> int:
    """Return the status of a refusal, which Kaggle sends as HTTP status, or as `code` in JSON under status 200."""
    if error.response is None:
        return 0
    if error.response.status_code >= 400:
        return error.response.status_code
    return int(error.response.json().get("code", 0))


def _refusal(status: int, handle: str, credentials: bool) -> UserError:
    page = "https://www.kaggle.com/datasets/" + handle.split("/versions/")[0]
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and not credentials:
        return unavailable(handle, "Kaggle requires an account, and no credentials were found", _LOG_IN)
    if status == HTTPStatus.UNAUTHORIZED:
        return unavailable(handle, "Kaggle refuses the credentials (401)", _LOG_IN)
    if status == HTTPStatus.FORBIDDEN:
        problem = "Kaggle refuses this account (403)"
        return unavailable(handle, problem, f"Open {page}, accept its licence, and run the same command again")
    if status == HTTPStatus.NOT_FOUND:
        fix = f"Compare name and version with {page}"
        return UserError(f"{handle!r} does not exist on Kaggle (404). {fix}.", kind=Kind.MISSING, subject=handle)
    return unavailable(handle, f"Kaggle refuses it ({status})", f"See {page}")
