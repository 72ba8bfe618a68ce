"""A watchdog for migration tasks of Huawei Cloud's Server Migration Service."""

# The only place of the version: logs, user agent, bill of materials and command line read it here.
__version__ = "0.1.0"
