"""How ``build_zip.py`` makes the zip for FunctionGraph, and ``set_up.py`` what it takes."""
