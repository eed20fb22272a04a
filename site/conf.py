"""Sphinx's settings. Run by `site/make.py`, which writes the pages first; nothing here reads the network."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from making.docstrings import name_aliases, rewrite  # noqa: E402
from making.mathjax import copy_mathjax  # noqa: E402
from making.reference import shapes  # noqa: E402
from making.spoken import name_empty_heads, name_folds  # noqa: E402

project = "Look inside a convolutional network"
author = "the authors of the course"
language = "en"
extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
]
nitpicky = True
nitpick_ignore_regex = [  # other libraries' names in signatures; their pages are on the network
    (r"py:.*", r"(torch|numpy|np|nn|matplotlib|jaxtyping|pathlib|collections|typing)\..*"),
    (r"py:.*", r"(Tensor|Any|Axes|Figure|Path|Callable|Sequence|Iterable|Iterator|Mapping)"),
    (r"py:class", "|".join(name for name, _, _ in shapes())),
    (r"py:class", r".* .*"),  # words that napoleon takes for a type
    (r"py:.*", r"(cnnviz\.shapes|cnnviz_ref\._\w+|cnnviz_ref\.\w+)\..*"),
]

# Notebooks come with their outputs, and solutions never come here.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
html_copy_source = False
html_show_sourcelink = False

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "attrs_inline"]
myst_disable_syntax = ["myst_line_comment"]  # a line may begin with a per cent sign
myst_heading_anchors = 3
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"chtml": {"mtextInheritFont": True}, "options": {"enableMenu": False}}

autodoc_typehints = "signature"
autodoc_type_aliases = {name: name for name, _, _ in shapes()}  # "Images", whether jaxtyping is installed or not
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Formula"]
add_module_names = False

html_theme = "pydata_sphinx_theme"
html_title = "Look inside a convolutional network"
html_static_path = [str(HERE / "static")]  # make.py adds the pictures that it made
templates_path = [str(HERE / "templates")]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_context = {"default_mode": "auto"}
html_favicon = str(HERE / "static" / "favicon.svg")
html_baseurl = os.environ.get("CNNVIZ_SITE_URL", "")
html_use_index = False
html_domain_indices = False
html_theme_options = {
    "logo": {"text": "Look inside a CNN", "image_light": "_static/favicon.svg", "image_dark": "_static/favicon.svg"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "show_nav_level": 1,
    "footer_start": ["licence"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": False,
    "navigation_with_keys": False,
}
html_sidebars = {"index": [], "start": [], "gallery": []}


def setup(app):
    """Connects what is ours."""
    app.connect("autodoc-process-docstring", rewrite, priority=100)
    app.connect("autodoc-process-signature", name_aliases)
    app.connect("doctree-resolved", name_empty_heads)
    app.connect("html-page-context", name_folds)
    app.connect("build-finished", copy_mathjax)
