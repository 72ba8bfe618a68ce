"""A watchdog for migration tasks of Huawei Cloud's Server Migration Service."""
