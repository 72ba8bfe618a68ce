output "function_urn" {
  description = "The function."
  value       = huaweicloud_fgs_function.watch.urn
}

output "topic_urn" {
  description = "The topic that messages go to."
  value       = local.topic_urn
}

output "journal_uri" {
  description = "Where the watchdog remembers."
  value       = local.plain["JOURNAL_URI"]
}

output "log_stream" {
  description = "Where to read its logs: group and stream in LTS."
  value       = "${huaweicloud_lts_group.watch.group_name}/${huaweicloud_lts_stream.watch.stream_name}"
}

output "agency" {
  description = "The agency that gives it its rights."
  value       = local.agency
}
