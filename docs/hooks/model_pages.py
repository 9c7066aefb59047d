"""Pages of the shipped models, made when the site is built: `models/NAME.md` for each, and a list of all.

Formulas become MathML, which browsers show by themselves. Pages and figures are kept in the user's cache under a hash
of all that decides them, so that only what has changed is made again.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import ratemlx
from ratemlx.describe import Page, describe
from ratemlx.resources import PACKAGE, shipped_models, templates
from ratemlx.runtime.cache import cache_folder, replacing

FOLDER = "models"
SECTION = "Models"
AFTER = "Getting started"
DISPLAYED = re.compile(r"^\$\$(.+)\$\$$", re.MULTILINE)
PLACEHOLDER = re.compile(r"formula-(inline|displayed)-([0-9a-f]+)")
INLINE = re.compile(r"\$([^$\n]+)\$")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the models into the navigation."""
    pages = [f"{FOLDER}/index.md", *({name: f"{FOLDER}/{name}.md"} for name in shipped_models())]
    titles = [next(iter(item)) if isinstance(item, dict) else "" for item in config.nav or []]
    config.nav.insert(titles.index(AFTER) + 1, {SECTION: pages})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and their figures to the site."""
    sources = _digest_of_sources()
    descriptions = {}
    for name, path in shipped_models().items():
        page = _page(path, sources)
        descriptions[name] = page.markdown.splitlines()[2]
        files.append(File.generated(config, f"{FOLDER}/{name}.md", content=with_placeholders(page.markdown)))
        for figure, data in page.figures.items():
            files.append(File.generated(config, f"{FOLDER}/{figure}", content=data))
    files.append(File.generated(config, f"{FOLDER}/index.md", content=_index(descriptions)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put words in the place of formulas on lines of their own, on any page: Markdown would read them as markup."""
    return DISPLAYED.sub(lambda match: _placeholder("displayed", match[1]), markdown)


def with_placeholders(markdown: str) -> str:
    """The same for all formulas of a page about a model."""
    markdown = on_page_markdown(markdown)
    return INLINE.sub(lambda match: _placeholder("inline", match[1].replace(r"\|", "|")), markdown)


def on_page_content(html: str, **_: object) -> str:
    """Put the formulas back, as MathML."""
    return PLACEHOLDER.sub(lambda match: _mathml(match[1], bytes.fromhex(match[2]).decode()), html)


def _placeholder(kind: str, latex: str) -> str:
    return f"formula-{kind}-{latex.encode().hex()}"


def _mathml(kind: str, latex: str) -> str:
    # In latex2mathml's \text an underscore needs no backslash, which it would show.
    latex = latex.replace(r"\_", "_")
    if kind == "inline":
        return str(convert(latex))
    return f'<span class="equation">{convert(latex, display="block")}</span>'


def _index(descriptions: dict[str, str]) -> str:
    rows = [f"| [`{name}`]({name}.md) | {text} |" for name, text in descriptions.items()]
    return "\n".join(
        (
            "# Models",
            "",
            "These models come with ratemlx; each page is made from the model's file. `ratemlx describe` makes",
            "such a page of a model of yours, and [a tutorial](../author-your-own-model.md) shows how to write one.",
            "",
            "| Model | What it is |",
            "| --- | --- |",
            *rows,
            "",
        )
    )


def _page(path: Path, sources: str) -> Page:
    digest = hashlib.blake2b(sources.encode() + path.read_bytes(), digest_size=12).hexdigest()
    kept = cache_folder("pages") / f"{path.stem}-{digest}.json"
    if not kept.is_file():
        page = describe(ratemlx.load(path))
        figures = {name: b64encode(data).decode() for name, data in page.figures.items()}
        with replacing(kept) as temporary:
            temporary.write_text(json.dumps({"markdown": page.markdown, "figures": figures}), encoding="utf-8")
    data = json.loads(kept.read_text(encoding="utf-8"))
    return Page(path.stem, data["markdown"], {name: b64decode(text) for name, text in data["figures"].items()})


def _digest_of_sources() -> str:
    """A hash of the package and its templates."""
    digest = hashlib.blake2b(digest_size=12)
    for folder, pattern in ((PACKAGE, "*.py"), (PACKAGE, "*.h"), (templates(), "*.mako")):
        for path in sorted(folder.rglob(pattern)):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
