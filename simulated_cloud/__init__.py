"""A simulated Huawei Cloud on loopback: migration tasks, a topic, and the line between servers."""
