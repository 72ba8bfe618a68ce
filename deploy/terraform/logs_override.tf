# Terraform merges a file with such a name into the others ("Override Files" in its documents). The
# provider has this argument since 1.75.2. The template for Resource Formation Service, which was
# last documented with 1.72.1, leaves this file out: up to 1.75.1 logs are collected as soon as group
# and stream are named.
resource "huaweicloud_fgs_function" "watch" {
  enable_lts_log = true
}
