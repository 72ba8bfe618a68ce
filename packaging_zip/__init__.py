"""How ``build_zip.py`` makes the zip for FunctionGraph."""
