# The environment of the pipeline for systems that lack some of its packages (Windows, Intel Macs, ARM Linux).
# The checkout is mounted, not copied: DVC needs its Git history, and results stay on the host.
#
#   docker build --platform linux/amd64 -t animemorph .
#   docker run --rm -it -v "$PWD":/animemorph animemorph dvc repro
#   docker run --rm -it -v "$PWD":/animemorph -p 127.0.0.1:7860:7860 animemorph animemorph app --host 0.0.0.0
FROM python:3.12-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory /animemorph \
    && pip install --no-cache-dir uv

# Outside the mounted folder, so that the host's own .venv is neither used nor touched.
ENV UV_PROJECT_ENVIRONMENT=/opt/animemorph \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy

WORKDIR /animemorph
COPY pyproject.toml uv.lock hatch_build.py .python-version README.md LICENSE ./
COPY pipeline/__init__.py pipeline/__init__.py
RUN uv sync --locked --no-cache

ENTRYPOINT ["uv", "run", "--locked", "--no-sync"]
CMD ["dvc", "repro"]
