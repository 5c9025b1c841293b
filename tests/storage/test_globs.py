from __future__ import annotations

import pytest

from snowetl.errors import UsageError
from snowetl.storage.globs import compile_globs, has_magic


def matches(pattern: str, path: str) -> bool:
    for glob in compile_globs(pattern):
        base = glob.base + "/" if glob.base else ""
        if path.startswith(base + glob.literal_start) and glob.matches(path[len(base) :].split("/")):
            return True
    return False


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("in/*.gz", "in/a.gz", True),
        ("in/*.gz", "in/a.txt", False),
        ("in/*.gz", "in/deep/a.gz", False),
        ("in/*", "in/deep/er/a.gz", True),
        ("in/*", "in/_SUCCESS", False),
        ("in/*", "in/.part.crc", False),
        ("in/*", "in/deep/_temporary/a", False),
        ("in/_*/x", "in/_run/x", True),
        ("in/?.gz", "in/a.gz", True),
        ("in/?.gz", "in/ab.gz", False),
        ("in/[ab].gz", "in/b.gz", True),
        ("in/[!ab].gz", "in/b.gz", False),
        ("in/[^ab].gz", "in/c.gz", True),
        ("in/[0-9]x", "in/7x", True),
        ("in/[]-]x", "in/]x", True),
        ("in/{a,b}.gz", "in/b.gz", True),
        ("in/{a,b{1,2}}/*", "in/b2/x", True),
        ("in/{a,b{1,2}}/*", "in/b3/x", False),
        ("{in,out/x}/*", "out/x/1", True),
        ("*/2024-0[1-3]-*/*.lzo", "raw/2024-02-09/x.lzo", True),
        ("in/a+(b).*", "in/a+(b).gz", True),
        ("in/a+(b).*", "in/aab.gz", False),
    ],
)
def test_patterns(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


def test_literal_paths_have_no_magic() -> None:
    assert not has_magic("a/b-c.gz")
    assert all(map(has_magic, ("a*", "a?", "a[b]", "{a}")))


@pytest.mark.parametrize("pattern", ["a[b", "a{b", "a[z-a]"])
def test_faults_name_the_pattern(pattern: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_globs(pattern)
    assert pattern in str(caught.value)


def test_explosions_are_refused() -> None:
    with pytest.raises(UsageError, match="more than 1000"):
        compile_globs("{a,b}" * 20)
