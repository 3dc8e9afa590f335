"""The steps that all three images share, from an image's requirements list to a layer."""

# The one date of everything built here: 2026-01-01. Layers and wheels hold it in place of the time of the build.
SOURCE_DATE_EPOCH = "SOURCE_DATE_EPOCH=1767225600"

# Versions of this repository's own distributions: the bills of materials name them without their wheels. Contract L-18.
SUPPORT_VERSION = "2.0"
# The release of the library whose interface it has (contract A-03).
MLIO_VERSION = "0.7.0"

LAYER_ENVIRONMENT = (
    SOURCE_DATE_EPOCH,
    # Sets and dictionaries of strings are written into bytecode in hash order.
    "PYTHONHASHSEED=0",
)

# Tuples, since Pants asks for hashable values here.
# The machine's own settings of pip and of the network, where it has any. No step has them in its key: the result is the
# same on every machine, as wheels are checked by hash.
MACHINE_ENVIRONMENT = (
    "HOME",
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CONFIG_FILE",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    # mmdebstrap takes its archive from Debian's defaults; this names another.
    "OS_MIRROR",
)

# A step that has this sees them.
DOWNLOADS = ("MACHINE_SETTINGS=yes",)

def layer(
    name,
    args,
    inputs=(),
    environment=(),
    log_output=False,
    further_outputs=(),
    runnable="src/image_layers:step",
):
    """The layer `NAME.tar`, written by one run of the layer tool.

    Args:
        name: Of the target; ends in `-layer`.
        args: The tool's command and its options, without `--out`.
        inputs: Targets whose files the tool reads, by their paths in the repository.
        environment: Further variables that it sees.
        log_output: Whether to show what the tool says even when it succeeds.
        further_outputs: Files that `args` has the tool write beside the layer.
        runnable: The target that runs the tool.
    """
    _run(
        name=name,
        args=[*args, f"--out={name}.tar"],
        inputs=inputs,
        environment=[*LAYER_ENVIRONMENT, *environment],
        output_files=[f"{name}.tar", *further_outputs],
        log_output=log_output,
        runnable=runnable,
    )


def wheels_layer(name, wheels, inputs):
    """A layer of the wheels in the folder `wheels`, unpacked, trimmed, corrected, some files replaced, and compiled."""
    layer(
        name=name,
        args=[
            "libraries",
            f"--wheels={wheels}",
            "--trimming=3rdparty/python/trimming.txt",
            "--overrides=3rdparty/python/overrides.txt",
            "--excludes=3rdparty/python/excludes.txt",
            "--replacements=3rdparty/python/replacements.txt",
        ],
        inputs=["3rdparty/python:corrections", *inputs],
    )


def libraries_layer(name, image, parents=(), only=(), without=()):
    """A layer of the libraries that `image` adds to what its parent images hold; 3rdparty/python has a lock of each.

    Where these make several layers, `only` and `without` name the distributions that one has alone.

    Three targets, so that a changed tool or trimming rule downloads nothing and a changed pin of a parent runs only
    the first: `:NAME-pins` (lists and locks -> this image's pins), `:NAME-wheels` (pins -> wheels), `:NAME` (wheels ->
    tar).
    """
    pins(
        name=f"{name}-pins",
        image=image,
        parents=parents,
        output=f"--out={name}-pins.txt",
        part=[*(f"--only={each}" for each in only), *(f"--without={each}" for each in without)],
    )
    _run(
        name=f"{name}-wheels",
        args=["wheels", f"--requirements={name}-pins.txt", f"--out={name}-wheels"],
        inputs=[f":{name}-pins"],
        environment=DOWNLOADS,
        output_directories=[f"{name}-wheels"],
    )
    wheels_layer(name=name, wheels=f"{name}-wheels", inputs=[f":{name}-wheels"])


def pins(name, image, parents, output, part=()):
    """What the locks have for an image, or for a part of it, as the layer tool's option `output` says."""
    _run(
        name=name,
        args=[
            "select",
            f"--lock=3rdparty/python/{image}.lock",
            f"--image=3rdparty/python/{image}.in",
            *(f"--parent=3rdparty/python/{parent}.lock" for parent in parents),
            *part,
            output,
        ],
        inputs=[
            f"3rdparty/python:{image}-list",
            *(f"3rdparty/python:{locked}-lock" for locked in (image, *parents)),
        ],
        output_files=[output.partition("=")[2]],
    )


def bill_of_materials(image, args, inputs):
    """The image's bill of materials, in CycloneDX, and the layer that brings it into the image.

    Two targets: `:sbom`, the files `NAME.cdx.json` and `NAME.licences.txt` (one SPDX expression), with the image's name
    so that a parent's and a child's are two files; and `:sbom-layer`, which replaces the parent's bill.

    Args:
        image: `NAME:TAG`, the image's repository and its first tag.
        args: Of src/image_sbom: the parent's bill, and what the image adds.
        inputs: Targets whose files these name.
    """
    name = image.partition(":")[0]
    outputs = [f"{name}.cdx.json", f"{name}.licences.txt"]
    _run(
        name="sbom",
        runnable="src/image_sbom:tool",
        args=[f"--image={image}", *args, f"--out={outputs[0]}", f"--licences-out={outputs[1]}"],
        inputs=inputs,
        environment=[SOURCE_DATE_EPOCH],
        output_files=outputs,
    )
    layer(
        name="sbom-layer",
        args=["files", f"--file={outputs[0]}:/usr/local/share/sbom/sbom.cdx.json"],
        inputs=[":sbom"],
    )


def native_library(name, source):
    """The C file `source`, compiled to a shared library beside it that needs no other, as a resource.

    The library is the same on every machine: it is made for the oldest processors and calls nothing of the system's.

    Args:
        name: Of the target.
        source: The C file's path below the folder of the BUILD file, `FOLDER/NAME.c`; the library is
            `FOLDER/libNAME.so`, a name that Python does not take for a module.
    """
    folder, _, file_name = source.rpartition("/")
    library = folder + "/lib" + file_name.rpartition(".")[0] + ".so"
    file(name=f"{name}-source", source=source)
    adhoc_tool(
        name=f"{name}-library",
        runnable="3rdparty/python:zig",
        runnable_target=["3rdparty/python:zig"],
        args=[
            "cc",
            "-target",
            "x86_64-linux-gnu.2.28",
            "-mcpu=baseline",
            "-O3",
            "-std=c11",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-fno-sanitize=all",  # which zig turns on otherwise
            "-fPIC",
            "-shared",
            "-nostdlib",
            "-ffreestanding",
            "-s",
            "-o",
            library,
            source,
        ],
        execution_dependencies=[f":{name}-source"],
        extra_env_vars=["ZIG_GLOBAL_CACHE_DIR=.zig", "ZIG_LOCAL_CACHE_DIR=.zig"],
        output_files=[library],
        root_output_directory="/",
    )
    made_resources(name=name, inputs=[f":{name}-library"])


def _run(
    name,
    args,
    inputs=(),
    environment=(),
    output_files=(),
    output_directories=(),
    log_output=False,
    runnable="src/image_layers:step",
):
    adhoc_tool(
        name=name,
        runnable=runnable,
        runnable_target=[runnable],
        args=args,
        execution_dependencies=list(inputs),
        extra_env_vars=list(environment),
        output_files=list(output_files),
        output_directories=list(output_directories),
        log_output=log_output,
        workdir="/",
    )
