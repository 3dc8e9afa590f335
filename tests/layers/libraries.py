"""The input of a small libraries layer, in one of many ways that must not show in the layer."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from tests.layers.tool import run
from tests.support.wheels import build_wheel

# Constants in sets become frozen sets in bytecode, whose order depends on hashes and addresses.
_MODULE = """\
def is_known(name):
    return name in {"auto", "none", "mean", "median", None, 1, 2.5}
"""
_DATE_TIME = (2020, 2, 2, 0, 0, 0)


def write_inputs(
    folder: Path, *, shuffle: int = 0, date_time: tuple[int, int, int, int, int, int] = _DATE_TIME
) -> None:
    """Write wheels and rules into `folder`; `shuffle` and `date_time` change what a rebuilt wheel may change."""
    alpha = {
        "alpha/__init__.py": "from alpha.known import is_known\n",
        "alpha/known.py": _MODULE,
        "alpha/slow.py": "import beta\n",
        "alpha/codec.py": "# coding: cp1250\n",
        "alpha/template.py": "{% not python %}\n",
        "alpha/données.txt": "é\n",
        "alpha/libs/libalpha.so": "no real library\n",
        "alpha/tests/test_known.py": "raise AssertionError\n",
        "alpha-1.0.data/scripts/alpha-script.py": "#!python\nprint()\n",
        "alpha-1.0.data/data/share/alpha/" + "/".join(["deep" * 10] * 2): "deep\n",
    }
    executable = {"alpha-1.0.data/scripts/alpha-script.py", "alpha/libs/libalpha.so"}
    # Its names are also those of the codec that the file above makes a process import.
    beta = {"beta.py": "decoding_table = encoding_table = {}\n"}
    build_wheel(
        folder / "wheels",
        "alpha",
        alpha,
        requires=["beta==0.1", "dask"],
        scripts={"alpha": "alpha:main"},
        executable=executable,
        date_time=date_time,
        shuffle=shuffle,
    )
    build_wheel(folder / "wheels", "beta", beta, date_time=date_time, shuffle=shuffle)
    (folder / "replacements").mkdir()
    (folder / "replacements" / "quick.py").write_text("NAMES = {'a', 'b', None}\n")
    original = sha256(alpha["alpha/slow.py"].encode()).hexdigest()
    (folder / "replacements.txt").write_text(f"alpha alpha/slow.py {original} replacements/quick.py\n")
    for name, text in (("trimming", "- */tests/*\n"), ("overrides", "beta>=1\n"), ("excludes", "dask\n")):
        (folder / f"{name}.txt").write_text(text)


def build_layer(folder: Path, **environ: str) -> Path:
    """The layer of the inputs in `folder`."""
    rules = ["--trimming=trimming.txt", "--overrides=overrides.txt", "--excludes=excludes.txt"]
    rules += ["--replacements=replacements.txt"]
    run(folder, "libraries", "--wheels=wheels", *rules, "--out=layer.tar", **environ)
    return folder / "layer.tar"
