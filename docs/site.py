"""Hook of mkdocs: pages that live in the repository's root (README, ARCHITECTURE, …) become pages of the site."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "examples/README.md": "examples.md",
}
_LINK = re.compile(r"\[([^\]\[]*)\]\((?!https?:|#|mailto:)([^)#]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for name, page in PAGES.items():
        content = _relinked((ROOT / name).read_text("utf-8"), (ROOT / name).parent)
        files.append(File.generated(config, page, content=content + (_sources() if page == "examples.md" else "")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    source = Path(page.file.src_uri)
    up = "../" * (len(source.parts) - 1)
    return markdown if page.file.generated_by else _relinked(markdown, ROOT / "docs" / source.parent, up)


def _relinked(text: str, folder: Path, up: str = "") -> str:
    """The text of a page in ``folder`` with links as the site has them; ``up`` leads from the page to its root."""

    def relinked(link: re.Match[str]) -> str:
        target = _target((folder / link[2]).resolve())
        return f"[{link[1]}]({up}{target}{link[3] or ''})" if target else link[1]

    return _LINK.sub(relinked, text)


def _target(path: Path) -> str | None:
    """The page of the site that a file is; ``None`` for other files."""
    name = path.relative_to(ROOT).as_posix()
    return PAGES.get(name) or (
        name.removeprefix("docs/") if re.fullmatch(r"docs/(enrichments/)?[^/]+\.md", name) else None
    )


def _sources() -> str:
    """The examples themselves, below the page that lists them."""
    files = sorted(path for path in (ROOT / "examples").iterdir() if path.suffix in (".py", ".json"))
    return "".join(f"\n## {path.name}\n\n```{path.suffix[1:]}\n{path.read_text('utf-8')}```\n" for path in files)
