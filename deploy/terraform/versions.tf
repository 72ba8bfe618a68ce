terraform {
  required_version = ">= 1.2"

  required_providers {
    huaweicloud = {
      source  = "huaweicloud/huaweicloud"
      version = ">= 1.75.2"
    }
  }
}
