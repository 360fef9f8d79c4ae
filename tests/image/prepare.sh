#!/usr/bin/env bash
# Where there is no Docker engine: podman and debootstrap from Debian's packages, and a base image made by
# debootstrap, in place of python:slim. Prints the base image to build on; nothing where Docker is there.
set -euo pipefail
docker info > /dev/null 2>&1 && exit

base=localhost/tower-base
missing=$(for tool in podman runc debootstrap; do command -v "$tool" > /dev/null || echo "$tool"; done)
if [ -n "$missing" ]; then
    echo "Installing" $missing >&2
    apt-get update --quiet=2 >&2
    # shellcheck disable=SC2086 # several words are meant
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends $missing >&2
fi
if ! "$(dirname "$0")/docker" image exists "$base"; then
    echo "Making the base image with debootstrap" >&2
    folder=$(mktemp --directory)
    trap 'rm -rf "$folder"' EXIT
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$folder/root" >&2
    tar --create --directory "$folder/root" . \
        | "$(dirname "$0")/docker" import --change "ENV LANG=C.UTF-8" - "$base" >&2
fi
echo "$base"
