"""Builds the zip for FunctionGraph: ``python build_zip.py [--plain | --python 3.10]``.

``index.py`` stands at the root, beside the package and the locked dependencies, as pure Python:
one zip runs on Python 3.9, 3.10 and 3.12. Compiled files, which shorten every cold start, are added
for each of these that is installed here; ``--python`` adds those for one alone, ``--plain`` none.
The same input and interpreters give the same bytes. What is built is proved by importing it in
interpreters that see nothing else. How it is done: ``packaging_zip``.
"""

from packaging_zip.command import main

if __name__ == "__main__":
    main()
