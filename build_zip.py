"""Builds the zip for FunctionGraph: ``python build_zip.py [--plain | --python 3.10 | --release]``.

``index.py`` stands at the root, beside the package and the locked dependencies, as pure Python:
one zip runs on Python 3.9, 3.10 and 3.12. Compiled files, which shorten every cold start, are added
for each of these that is installed here; ``--python`` adds those for one alone, ``--plain`` none,
and ``--release`` builds all of these, with checksums.
The same input and interpreters give the same bytes. What is built is proved by importing it in
interpreters that see nothing else. How it is done: ``packaging_zip``. This file alone can be read
by every Python, so that one that is too old is told in words.
"""

import sys

if sys.version_info < (3, 9):  # noqa: UP036 - that nobody has an older one is not ours to say
    sys.exit(
        "build_zip needs Python 3.9 or later, and this is Python "
        + sys.version.split()[0]
        + ": type make zip, or name another one, such as: python3.12 build_zip.py"
    )

if __name__ == "__main__":
    try:
        from packaging_zip.command import main

        main()
    except KeyboardInterrupt:  # in the first moment, too, while modules are loaded
        sys.stderr.write("build_zip: interrupted\n")
        sys.exit(130)
