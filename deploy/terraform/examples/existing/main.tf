# With a topic, a bucket and an agency that exist already: none of them is changed. The rights that
# the agency needs are in deploy/policies.

terraform {
  required_providers {
    huaweicloud = {
      source  = "huaweicloud/huaweicloud"
      version = ">= 1.75.2"
    }
  }
}

locals {
  region = "ap-southeast-3"
}

provider "huaweicloud" {
  region = local.region
}

module "sms_watch" {
  source = "../.."

  region    = local.region
  task_ids  = "11111111-2222-3333-4444-555555555555"
  topic_urn = "urn:smn:ap-southeast-3:00000000000000000000000000000000:night-watch"
  bucket    = "our-operations"
  agency    = "functiongraph-sms-watch"
  code      = filebase64("${path.module}/../../../../dist/sms-watch.zip")

  settings = {
    TIME_ZONE           = "Asia/Shanghai"
    RESUME_MAX_ATTEMPTS = "8"
  }
}

output "sms_watch" {
  description = "What was made."
  value       = module.sms_watch
}
