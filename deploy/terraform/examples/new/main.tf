# Everything new. Put your own values in the module, build the zip with "make zip", and then:
#
#   export HW_ACCESS_KEY=... HW_SECRET_KEY=...
#   terraform init
#   terraform apply
#   terraform plan
#
# The second plan has to find nothing to change; docs/deploy.md says why it may, and what to do.

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

  region   = local.region
  task_ids = "11111111-2222-3333-4444-555555555555 66666666-7777-8888-9999-000000000000"
  emails   = ["night-shift@example.com"]
  code     = filebase64("${path.module}/../../../../dist/sms-watch.zip")
}

output "sms_watch" {
  description = "What was made."
  value       = module.sms_watch
}
