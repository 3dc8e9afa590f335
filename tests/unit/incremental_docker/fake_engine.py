"""A stand-in for the Docker engine and its client: a shell script that keeps images and tags as files."""

from __future__ import annotations

from pathlib import Path

# `image rm` removes an image with its last tag, as the engine does. A build reads its parent twice, as a Dockerfile
# of two stages does, and other people's doings come between.
_CLIENT = r"""#!/bin/bash
engine=ENGINE
echo "$*" >>"$engine/calls"
if [ -e "$engine/down" ]; then
  echo "Cannot connect to the Docker daemon at unix:///run/engine.sock. Is the docker daemon running?" >&2
  exit 1
fi
find_image() {
  if [ -e "$engine/images/$1" ]; then echo "$1"; return; fi
  cat "$engine/tags/${1//\//,}" 2>/dev/null || { echo "Error: No such image: $1" >&2; return 1; }
}
set_tag() { echo "$1" >"$engine/tags/${2//\//,}"; }
case "$1 $2" in
  "image inspect")
    shift 2
    [ "$1" = --format ] && shift 2
    status=0
    for name; do find_image "$name" || status=1; done
    exit $status ;;
  "image tag")
    image=$(find_image "$3") && set_tag "$image" "$4" ;;
  "image import")
    image=sha256:imported-$$
    cat >"$engine/images/$image"
    set_tag "$image" "$4"
    echo "$image" ;;
  "image rm")
    shift 2
    for name; do
      image=$(find_image "$name") || exit 1
      rm "$engine/tags/${name//\//,}"
      grep -qrx "$image" "$engine/tags" || rm "$engine/images/$image"
    done ;;
  # Not the client's: it stands for the program that builds, and makes the image of what was built.
  "reproduce "*)
    while [ "$1" != --built ]; do shift; done
    built=$2 tags=()
    shift 3
    while [ "$1" != -- ]; do tags+=("$1"); shift; done
    shift
    "$@" || exit 1
    if [ -e "$engine/keeps-times" ]; then echo "not taken" >&2; exit 3; fi
    image=$(find_image "$built") || exit 1
    cp "$engine/images/$image" "$engine/images/sha256:reproduced"
    for tag in "${tags[@]}"; do set_tag sha256:reproduced "$tag"; done
    printf sha256:reproduced ;;
  "build "*)
    shift
    while [ $# -gt 1 ]; do
      case "$1" in
        --build-arg) echo "$2" >>"$engine/build-args"; [[ $2 != PARENT=* ]] || parent=${2#PARENT=} ;;
        --tag) tags+=("$2") ;;
      esac
      shift
    done
    if [ -n "$parent" ]; then first=$(find_image "$parent") || exit 1; fi
    . "$engine/meanwhile"
    if [ -n "$parent" ]; then second=$(find_image "$parent") || exit 1; fi
    echo "writing image sha256:built" >&2
    echo "$first $second" >"$engine/images/sha256:built"
    for tag in "${tags[@]}"; do set_tag sha256:built "$tag"; done ;;
  *)
    echo "docker: '$1 $2' is not a docker command." >&2
    exit 1 ;;
esac
"""


class FakeEngine:
    """An engine in a folder, and a client that talks to it.

    Attributes:
        client: Path of the client.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("images", "tags"):
            (folder / name).mkdir(parents=True)
        (folder / "meanwhile").touch()
        client = folder / "docker"
        client.write_text(_CLIENT.replace("ENGINE", f"'{folder}'"))
        client.chmod(0o755)
        self.client = str(client)

    def add(self, image_id: str, *tags: str) -> None:
        """Hold an image, and let the tags name it."""
        (self._folder / "images" / image_id).touch()
        for tag in tags:
            (self._folder / "tags" / tag.replace("/", ",")).write_text(f"{image_id}\n")

    def remove(self, image_id: str) -> None:
        """Forget an image and all of its tags."""
        (self._folder / "images" / image_id).unlink()
        for tag, named in self.tags.items():
            if named == image_id:
                (self._folder / "tags" / tag.replace("/", ",")).unlink()

    def meanwhile(self, script: str) -> None:
        """What happens in the middle of a build; `set_tag IMAGE TAG` moves a tag."""
        (self._folder / "meanwhile").write_text(script)

    def refuse_images_without_times(self) -> None:
        """Be one that keeps images in another way."""
        (self._folder / "keeps-times").touch()

    def stop(self) -> None:
        """Answer no more."""
        (self._folder / "down").touch()

    @property
    def images(self) -> set[str]:
        """The ids of the images held."""
        return {path.name for path in (self._folder / "images").iterdir()}

    @property
    def tags(self) -> dict[str, str]:
        """Image id by tag."""
        return {path.name.replace(",", "/"): path.read_text().strip() for path in (self._folder / "tags").iterdir()}

    @property
    def calls(self) -> list[str]:
        """Command lines of the client so far."""
        return self._lines("calls")

    @property
    def build_arguments(self) -> list[str]:
        """Build arguments of all builds so far."""
        return self._lines("build-args")

    @property
    def stages(self) -> list[str]:
        """What the parent's tag named in the two stages of the last build."""
        return (self._folder / "images" / "sha256:reproduced").read_text().split()

    def _lines(self, name: str) -> list[str]:
        path = self._folder / name
        return path.read_text().splitlines() if path.exists() else []
